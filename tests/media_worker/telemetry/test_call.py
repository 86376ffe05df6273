"""One scripted call as telemetry sees it; whole ones are in tests/calls/test_telemetry.py."""

import asyncio
from dataclasses import replace
from typing import get_args

import pytest

from media_worker.bridges import AgentTurnEnded, AgentTurnStarted, Failed, Notice, Ready
from media_worker.leg import CallOutcome, Ended, LetGo
from media_worker.telemetry.call import CallTelemetry
from switchboard.end_reason import EndReason
from tests.media_worker.scripted import QUIET, Stage, audio, descriptor
from tests.media_worker.telemetry.collected import Collected
from tests.virtual_time import WALL_START, run

ERRORS = "switchboard.bridge.errors"
CONNECTS = "telephony.agent_session.connect"
START_MS = int(WALL_START) * 1000


async def talked(seen: Collected, *notices: Notice, expires_in_s: float | None = None) -> None:
    """A call of half a minute whose bridge reports these and is then connected anew."""
    stage = Stage(telemetry=seen.telemetry)
    stage.bridge.emit(Ready(expires_in_s, resumed=False))
    async with stage.running(), asyncio.TaskGroup() as tasks:
        talking = tasks.create_task(stage.leg.talk(30.0))
        await asyncio.sleep(15.0)
        stage.bridge.emit(*notices, Ready(None, resumed=True))
        await asyncio.sleep(5.0)
        stage.leg.put(None)
        talking.cancel()


def test_a_lost_connection_is_an_error_and_its_replacement_a_span() -> None:
    seen = Collected()
    run(talked(seen, Notice("dropped", "closed:1011")))
    assert seen.numbers(ERRORS) == {("voice_live", "closed:1011"): 1}
    outcomes = [(span.attributes or {})["switchboard.outcome"] for span in seen.spans(CONNECTS)]
    assert outcomes == ["ready", "ready"]


def test_a_connection_that_is_renewed_in_time_is_no_error() -> None:
    seen = Collected()
    run(talked(seen, Notice("dropped", "closed:lost"), expires_in_s=60.0))
    assert seen.numbers(ERRORS) == {}


def test_errors_count_and_warnings_do_not() -> None:
    seen = Collected()
    run(talked(seen, Notice("error", "rate_limit"), Notice("warning", "slow")))
    assert seen.numbers(ERRORS) == {("voice_live", "rate_limit"): 1}


def test_a_bridge_that_falls_silent_is_an_error_that_it_did_not_report() -> None:
    seen = Collected()

    async def scenario() -> None:
        told = CallTelemetry(seen.telemetry, descriptor(QUIET))
        ending = Ended(EndReason.BRIDGE_FAILED)
        told.ended(CallOutcome(ending, failure="stalled"), EndReason.TRANSFERRED)
        told.close()

    run(scenario())
    assert seen.numbers(ERRORS) == {("voice_live", "stalled"): 1}


def test_a_bridge_that_gives_up_is_an_error() -> None:
    seen = Collected()

    async def scenario() -> None:
        stage = Stage(Failed("http_404", "no such model"), telemetry=seen.telemetry)
        async with stage.running():
            pass

    run(scenario())
    assert seen.numbers(ERRORS) == {("voice_live", "http_404"): 1}


@pytest.mark.parametrize("reason", EndReason, ids=str)
def test_every_end_that_the_record_has_is_counted_once(reason: EndReason) -> None:
    seen = Collected()

    async def scenario() -> None:
        told = CallTelemetry(seen.telemetry, descriptor(QUIET))
        told.ended(CallOutcome(Ended(reason)), reason)
        told.close()

    run(scenario())
    assert list(seen.numbers("switchboard.calls.ended").values()) == [1]
    attributes = seen.one("switchboard.call").attributes or {}
    assert attributes["switchboard.end_reason"] == reason
    assert attributes["telephony.phase"] in ("completed", "failed")


@pytest.mark.parametrize("why", get_args(LetGo.__annotations__["why"]))
def test_a_call_that_goes_on_elsewhere_has_not_ended(why: str) -> None:
    seen = Collected()

    async def scenario() -> None:
        told = CallTelemetry(seen.telemetry, descriptor(QUIET))
        told.ended(CallOutcome(LetGo(why)), None)  # type: ignore[arg-type]  # one of its own literals
        told.close()

    run(scenario())
    assert seen.numbers("switchboard.calls.ended") == {}
    assert (seen.one("switchboard.call").attributes or {})["switchboard.left"] == why


def test_spans_carry_the_wall_clock_and_the_doors_their_time() -> None:
    seen = Collected()

    async def scenario() -> None:
        await asyncio.sleep(2)
        told = CallTelemetry(seen.telemetry, descriptor(QUIET), arrived_at=1.25)
        told.close()

    run(scenario())
    door, call = seen.one("telephony.media.connect"), seen.one("switchboard.call")
    assert call.start_time == door.start_time == (START_MS + 1250) * 10**6
    assert call.end_time == door.end_time == (START_MS + 2000) * 10**6


def test_the_setup_is_measured_once_from_the_ring_to_the_first_audio() -> None:
    seen = Collected()

    async def scenario() -> None:
        rung = replace(descriptor(QUIET), rung_at=WALL_START - 1.5)
        told = CallTelemetry(seen.telemetry, rung)
        await asyncio.sleep(0.25)
        told.agent_began("t1", 0.25, None)
        told.agent_began("t2", 7.0, 400.0)
        told.close()
        told = CallTelemetry(seen.telemetry, rung, resumed=True)
        told.agent_began("t3", 9.0, None)
        told.close()

    run(scenario())
    assert list(seen.histogram("switchboard.call.setup_ms").values()) == [(1, 1750.0, 1750.0)]
    assert list(seen.histogram("switchboard.turn.reply_ms").values()) == [(1, 400.0, 400.0)]


def test_a_call_without_a_trace_to_continue_begins_one() -> None:
    seen = Collected()

    async def scenario() -> None:
        for traceparent in (None, "00-garbage"):
            given = replace(descriptor(QUIET), traceparent=traceparent)
            CallTelemetry(seen.telemetry, given).close()

    run(scenario())
    assert [span.parent for span in seen.spans("switchboard.call")] == [None, None]


def test_a_turn_in_progress_when_the_call_ends_is_told_too() -> None:
    seen = Collected()

    async def scenario() -> None:
        stage = Stage(telemetry=seen.telemetry)
        told = stage.owner.telemetry
        stage.bridge.emit(Ready(None, resumed=False), AgentTurnStarted("a"), audio("a", 9.0))
        stage.bridge.emit(AgentTurnEnded("a", "completed", {}))
        async with stage.running():
            await asyncio.sleep(3.0)
            stage.leg.put(None)
        told.close()

    run(scenario())
    (turn,) = seen.spans("switchboard.turn")
    assert turn.end_time == (START_MS + 3000) * 10**6
