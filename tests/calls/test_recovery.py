"""When the audio fails: the caller is never left in silence, never cut off without a word."""

import asyncio
from pathlib import Path
from typing import Literal

import pytest

from simulator.acs_calls import SimulatedCall
from simulator.acs_switches import AcsSwitches
from simulator.script import (
    AfterAgent,
    AfterWait,
    CallerScript,
    Expect,
    HangUp,
    Say,
    Stay,
    Step,
    Utterance,
)
from simulator.voice_live_switches import VoiceLiveSwitches
from switchboard.end_reason import EndReason
from switchboard.record import Ended
from tests.calls.whole import AGENTS, Access, Whole, whole
from tests.virtual_time import run

Subscription = Literal["truthful", "absent", "stale"]
PATIENT = CallerScript((Step(Stay(), AfterWait(0)),), Expect(greeted=False))
ASK = Step(Say(Utterance("When are you open?")), limit_s=60)
TWO_QUESTIONS = CallerScript((ASK, ASK, Step(HangUp(), AfterAgent())), Expect(ended_by="caller"))
WITHOUT_FALLBACK = AGENTS.replace('fallback_number = "+1 555 010 0099"', "")


async def reason(system: Whole) -> EndReason:
    """The one end reason of the one call."""
    await system.settled()
    (record,) = system.records()
    assert isinstance(record.state, Ended)
    return record.state.reason


def heard_an_apology(call: SimulatedCall) -> bool:
    return any(entry.event == "announcement" for entry in call.timeline.entries)


@pytest.mark.parametrize("subscription", ["truthful", "absent", "stale"])
def test_a_caller_whose_audio_cannot_come_up_hears_an_apology_and_reaches_the_fallback(
    subscription: Subscription, tmp_path: Path, access: Access
) -> None:
    async def scenario() -> None:
        acs = AcsSwitches(media_unreachable=True, subscription=subscription)
        async with whole(tmp_path, access=access, acs=acs) as system:
            call = await system.call(PATIENT)
            outcome = await call.ended()
            assert outcome.ended_by == "transfer"
            assert heard_an_apology(call)
            assert await reason(system) is EndReason.TRANSFERRED

    run(scenario())


def test_without_a_fallback_number_the_caller_hears_the_apology_and_the_call_ends(
    tmp_path: Path,
    access: Access,
) -> None:
    async def scenario() -> None:
        acs = AcsSwitches(media_unreachable=True)
        async with whole(tmp_path, access=access, acs=acs, agents_toml=WITHOUT_FALLBACK) as system:
            call = await system.call(PATIENT)
            assert (await call.ended()).ended_by == "agent"
            assert heard_an_apology(call)
            assert await reason(system) is EndReason.MEDIA_FAILED

    run(scenario())


@pytest.mark.parametrize("reconnects", [0, 1])
@pytest.mark.parametrize("subscription", ["truthful", "absent", "stale"])
def test_a_dropped_socket_is_not_the_end_of_the_call(
    reconnects: int, subscription: Subscription, tmp_path: Path, access: Access
) -> None:
    async def scenario() -> None:
        acs = AcsSwitches(reconnects=reconnects, subscription=subscription)
        async with whole(tmp_path, access=access, acs=acs) as system:
            call = await system.call(TWO_QUESTIONS)
            await asyncio.sleep(6)
            assert call.connection is not None
            await drop_socket(call)
            outcome = await call.ended()
            assert outcome.as_scripted, outcome.faults
            assert await reason(system) is EndReason.CALLER_HUNG_UP

    run(scenario())


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_a_caller_whose_agent_cannot_be_reached_hears_an_apology(
    status: int, tmp_path: Path, access: Access
) -> None:
    async def scenario() -> None:
        switches = VoiceLiveSwitches(refuse_status=status)
        async with whole(tmp_path, access=access, voice_live=switches) as system:
            call = await system.call(PATIENT)
            outcome = await call.ended()
            assert outcome.ended_by == "transfer"
            assert heard_an_apology(call)
            assert await reason(system) is EndReason.TRANSFERRED

    run(scenario())


def test_a_caller_whose_agent_cannot_be_reached_and_who_has_no_fallback_is_told_so(
    tmp_path: Path,
    access: Access,
) -> None:
    async def scenario() -> None:
        switches = VoiceLiveSwitches(refuse_status=503)
        async with whole(
            tmp_path, access=access, voice_live=switches, agents_toml=WITHOUT_FALLBACK
        ) as system:
            call = await system.call(PATIENT)
            assert (await call.ended()).ended_by == "agent"
            assert heard_an_apology(call)
            assert await reason(system) is EndReason.BRIDGE_FAILED

    run(scenario())


async def drop_socket(call: SimulatedCall) -> None:
    """The network cuts the media socket: no close frame, both ends find it gone."""
    assert call.connection is not None
    assert call.connection.streaming is not None
    await call.connection.streaming.break_off()
