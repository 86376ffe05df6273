from dataclasses import replace

import pytest
from opentelemetry.trace import StatusCode, get_current_span

from media_worker.telemetry.trace import about, ns, parent, recovered, refused
from switchboard.closing import Recovered
from switchboard.end_reason import EndReason
from switchboard.record import CallRecord, Ended, Lost
from tests.media_worker.scripted import QUIET, descriptor
from tests.media_worker.telemetry.collected import Collected
from tests.virtual_time import WALL_START, run

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
ANSWERED = replace(descriptor(QUIET), traceparent=f"00-{TRACE}-00f067aa0ba902b7-00")


def record(state: Ended | Lost) -> CallRecord:
    return CallRecord(
        call_id=ANSWERED.call_id,
        state=state,
        media_token_hash="0" * 64,
        callback_token_hash="1" * 64,
        descriptor=ANSWERED,
    )


def test_a_call_continues_the_trace_of_its_answer_also_one_that_the_host_did_not_keep() -> None:
    found = get_current_span(parent(ANSWERED)).get_span_context()
    assert (f"{found.trace_id:032x}", f"{found.span_id:016x}") == (TRACE, "00f067aa0ba902b7")


@pytest.mark.parametrize("traceparent", [None, "", "00-0-0-0", "99"])
def test_a_malformed_trace_is_none(traceparent: str | None) -> None:
    nowhere = parent(replace(ANSWERED, traceparent=traceparent))
    assert not get_current_span(nowhere).get_span_context().is_valid


def test_times_are_whole_microseconds() -> None:
    assert ns(1_795_000_000.000_003) == 1_795_000_000_000_003_000


def test_who_and_what_but_no_number_is_told_of_a_call() -> None:
    assert set(about(ANSWERED)) == {
        "switchboard.call_id",
        "switchboard.agent",
        "switchboard.bridge",
    }


def test_a_refused_socket_fails_in_its_calls_trace() -> None:
    seen = Collected()

    async def scenario() -> None:
        refused(seen.telemetry, ANSWERED, "aud")

    run(scenario())
    span = seen.one("telephony.media.connect")
    assert span.context is not None
    assert f"{span.context.trace_id:032x}" == TRACE
    assert span.status.status_code is StatusCode.ERROR


@pytest.mark.parametrize(
    ("state", "outcome", "counted"),
    [
        (Ended(EndReason.WORKER_LOST), Recovered.ENDED, 1),
        (Ended(EndReason.WORKER_LOST), Recovered.OVER, 0),
        (Lost(1, EndReason.WORKER_LOST), Recovered.LEFT, 0),
    ],
)
def test_a_recovery_counts_an_end_only_if_it_made_it(
    state: Ended | Lost, outcome: Recovered, counted: int
) -> None:
    seen = Collected()

    async def scenario() -> None:
        recovered(seen.telemetry, record(state), -3.0, outcome)

    run(scenario())
    assert sum(seen.numbers("switchboard.calls.ended").values()) == counted
    span = seen.one("switchboard.recovery")
    start_s = int(WALL_START)
    assert (span.start_time, span.end_time) == ((start_s - 3) * 10**9, start_s * 10**9)
    assert (span.attributes or {})["switchboard.outcome"] == outcome.value
