"""Claim, setup message, answer, and what may go wrong: the real runtime, in virtual time."""

import asyncio
import contextlib
from dataclasses import replace

import pytest

from functions.answering import take
from functions.decide import Envelope
from simulator.acs_calls import SimulatedCall
from simulator.acs_switches import AcsSwitches, Refusal
from simulator.acs_switches import Fault as AcsFault
from simulator.event_grid import EventGridSwitches
from simulator.incoming import incoming_call_data
from simulator.storage import Fault as StorageFault
from switchboard.clock import wall_now
from switchboard.end_reason import EndReason
from switchboard.record import Answered, Ended, Ringing
from switchboard.session import token_hash
from tests.functions.deployment import TOPIC, Deployment, deployment, leaves_after
from tests.virtual_time import run

BUSY = Refusal(500, "", "Internal error")
THROTTLED = Refusal(429, "8516", "Too many requests")


def test_the_descriptor_is_on_the_queue_before_the_answer_and_stays_there() -> None:
    async def call() -> None:
        switches = AcsSwitches(faults=[AcsFault("answer", delay_s=2)])
        async with deployment(switches) as d:
            ringing = await d.ring()
            await asyncio.sleep(1)
            assert ringing.timeline.first("answered") is None
            assert d.messages() == 1
            await asyncio.sleep(2)
            assert ringing.timeline.first("answered") is not None
            assert d.messages() == 1

    run(call())


def test_a_throttled_answer_is_retried_while_the_phone_rings() -> None:
    async def call() -> None:
        switches = AcsSwitches(faults=[AcsFault("answer", THROTTLED, times=2)])
        async with deployment(switches) as d:
            assert (await (await d.ring(leaves_after(1))).ended()).answered
            assert d.statuses() == [202]

    run(call())


@pytest.mark.parametrize(("status", "code"), [(400, "8523"), (401, "Denied"), (403, "7504")])
def test_a_refusal_that_proves_itself_is_cleaned_up_at_once_and_logged_as_the_end(
    status: int, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def call() -> None:
        switches = AcsSwitches(faults=[AcsFault("answer", Refusal(status, code), times=99)])
        async with deployment(switches) as d:
            await d.ring()
            await asyncio.sleep(1)
            assert d.records()[0].state == Ended(EndReason.ANSWER_REFUSED)
            assert d.messages() == 0
            assert d.statuses() == [202]

    run(call())
    assert caplog.messages[-1].endswith('"reason": "answer_refused"}')


@pytest.mark.parametrize("code", [(404, "8522"), (400, "8501"), (409, "8519"), (400, "8567")])
def test_a_doubtful_refusal_is_left_to_the_setup_message(code: tuple[int, str]) -> None:
    async def call() -> None:
        switches = AcsSwitches(faults=[AcsFault("answer", Refusal(*code), times=99)])
        async with deployment(switches) as d:
            await d.ring()
            await asyncio.sleep(5)
            assert isinstance(d.records()[0].state, Ringing)
            assert d.messages() == 1
            assert d.statuses() == [202]

    run(call())


@pytest.mark.parametrize("repeatability", [True, False])
def test_an_answer_whose_reply_was_lost_is_still_one_answer(repeatability: bool) -> None:
    async def call() -> None:
        switches = AcsSwitches(
            repeatability=repeatability, faults=[AcsFault("answer", lose_reply=True)]
        )
        async with deployment(switches) as d:
            ringing = await d.ring(leaves_after(20))
            await asyncio.sleep(15)
            assert ringing.outcome is None, "the call that was answered goes on"
            assert len(ringing.timeline.all("answered")) == 1
            (record,) = d.records()
            assert not isinstance(record.state, Ended)
            assert d.messages() == 1

    run(call())


def test_when_the_service_fails_for_ten_seconds_the_next_delivery_answers() -> None:
    async def call() -> None:
        switches = AcsSwitches(faults=[AcsFault("answer", BUSY, times=5)])
        async with deployment(switches) as d:
            ringing = await d.ring(leaves_after(1))
            assert (await ringing.ended()).answered
            assert d.statuses() == [500, 202]
            assert [type(record.state) for record in d.records()] == [Answered]

    run(call())


def test_when_no_delivery_in_time_could_help_the_failure_is_kept_from_event_grid() -> None:
    async def call() -> None:
        switches = AcsSwitches(faults=[AcsFault("answer", BUSY, times=99)])
        late = EventGridSwitches(delay_s=8)
        async with deployment(switches, late) as d:
            assert not (await (await d.ring()).ended()).answered
            assert d.statuses() == [202]

    run(call())


async def a_process_that_dies(d: Deployment, call: SimulatedCall) -> None:
    """Takes the call and is dead half a second later, wherever that finds it."""
    data = incoming_call_data(call.to, call.from_, call.correlation_id, call.rings[0].context)
    event = Envelope("Microsoft.Communication.IncomingCall", TOPIC, wall_now(), data)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.5):
            await take(await d.services(), event)


@pytest.mark.parametrize("repeatability", [True, False])
@pytest.mark.parametrize(
    "dies_at", ["setup message", "answer not carried out", "answer carried out", "answered write"]
)
def test_whenever_a_process_dies_the_next_delivery_sees_the_call_through(
    dies_at: str, repeatability: bool
) -> None:
    async def call() -> None:
        switches = AcsSwitches(repeatability=repeatability)
        async with deployment(switches, EventGridSwitches(delay_s=10)) as d:
            match dies_at:
                case "setup message":
                    d.storage.faults.append(StorageFault(operation="PutMessage", reply_delay_s=60))
                case "answer not carried out":
                    switches.faults.append(AcsFault("answer", BUSY, delay_s=60))
                case "answer carried out":
                    switches.faults.append(AcsFault("answer", reply_delay_s=60))
                case "answered write":
                    write = StorageFault(operation="PutBlob", skip=1, reply_delay_s=60)
                    d.storage.faults.append(write)
            ringing = await d.ring(leaves_after(60))
            await a_process_that_dies(d, ringing)
            await asyncio.sleep(15)
            assert ringing.outcome is None
            assert len(ringing.timeline.all("answered")) == 1
            assert d.statuses() == [202]
            (record,) = d.records()
            assert isinstance(record.state, Ringing | Answered)
            assert token_hash(d.sockets[0].rsplit("/", 1)[1]) == record.media_token_hash
            assert 1 <= d.messages() <= 2
            assert len(set(d.acs.answers())) == 1, "every attempt is the same request"

    run(call())


def test_with_the_queue_down_the_phone_is_answered_all_the_same() -> None:
    async def call() -> None:
        async with deployment() as d:
            d.storage.faults.append(StorageFault(operation="PutMessage", times=99, status=503))
            assert (await (await d.ring(leaves_after(1))).ended()).answered
            assert isinstance(d.records()[0].state, Answered)

    run(call())


def test_with_the_records_down_the_next_delivery_answers() -> None:
    async def call() -> None:
        async with deployment() as d:
            d.storage.faults.append(StorageFault(operation="PutBlob", times=3, status=503))
            assert (await (await d.ring(leaves_after(1))).ended()).answered
            assert d.statuses() == [500, 202]

    run(call())


@pytest.mark.parametrize("operation", ["PutBlob", "GetBlob", "PutMessage"])
def test_a_storage_reply_that_is_lost_makes_no_second_answer(operation: str) -> None:
    async def call() -> None:
        deliveries = EventGridSwitches(copies=5, spread_s=3)
        async with deployment(event_switches=deliveries) as d:
            d.storage.faults.append(StorageFault(operation=operation, drop_reply=True))
            ringing = await d.ring(leaves_after(5))
            assert (await ringing.ended()).answered
            assert len(ringing.timeline.all("answered")) == 1
            assert len(d.records()) == 1

    run(call())


def test_a_call_that_was_given_up_before_its_answer_took_effect_is_hung_up() -> None:
    async def call() -> None:
        switches = AcsSwitches(faults=[AcsFault("answer", reply_delay_s=3)])
        async with deployment(switches) as d:
            ringing = await d.ring()
            await asyncio.sleep(1)
            records = (await d.services()).ledger.records
            seen = await records.get(d.records()[0].call_id)
            assert seen is not None
            given_up = replace(seen.record, state=Ended(EndReason.NEVER_ANSWERED))
            assert await records.put(given_up, seen.etag)
            assert (await ringing.ended()).ended_by == "agent"
            assert d.records()[0].state == Ended(EndReason.NEVER_ANSWERED)
            assert not d.host.failures

    run(call())
