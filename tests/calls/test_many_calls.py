"""Many calls: side by side they all hold a conversation, one after the other they leave nothing."""

import asyncio
import gc
from pathlib import Path

import psutil
import pytest

from simulator.script import AfterAgent, CallerScript, Expect, HangUp, Say, Step, Utterance
from simulator.voice_live_switches import VoiceLiveSwitches
from switchboard.end_reason import EndReason
from switchboard.record import Ended
from tests.calls.whole import Whole, whole
from tests.virtual_time import run

AT_ONCE = 120
"""More than the 100 connections that an aiohttp client allows unless told otherwise."""
ONE_BY_ONE = 1_000
UNLIMITED = VoiceLiveSwitches(connections_per_minute=100_000)

CONVERSATION = CallerScript(
    (Step(Say(Utterance("When are you open?")), limit_s=60), Step(HangUp(), AfterAgent())),
    Expect(ended_by="caller"),
)
GREETED = CallerScript((Step(HangUp(), AfterAgent(pause_ms=40)),), Expect(ended_by="caller"))


@pytest.mark.long
@pytest.mark.timeout(300)
def test_120_calls_at_once_through_one_worker_all_hold_a_conversation(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with whole(
            tmp_path, voice_live=UNLIMITED, worker_env={"MAX_CALLS": "200"}, keep_audio=False
        ) as system:
            calls = [
                await system.call(CONVERSATION, from_=f"+1425555{number:04}")
                for number in range(AT_ONCE)
            ]
            outcomes = await asyncio.gather(*(call.ended() for call in calls))
            await system.settled()
            assert [o.faults for o in outcomes if not o.as_scripted] == []
            records = system.records()
            assert len(records) == AT_ONCE
            for record in records:
                assert isinstance(record.state, Ended)
                assert record.state.reason is EndReason.CALLER_HUNG_UP
                assert [turn.speaker for turn in record.turns] == ["agent", "caller", "agent"]

    run(scenario())


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_thousand_calls_one_after_the_other_leave_no_task_socket_or_message(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        async with whole(tmp_path, voice_live=UNLIMITED, keep_audio=False) as system:
            for _ in range(10):
                await one_call(system)
            tasks, sockets = len(asyncio.all_tasks()), open_sockets()
            for _ in range(ONE_BY_ONE - 10):
                await one_call(system)
            await system.settled()
            await asyncio.sleep(60)
            assert len(system.records()) == ONE_BY_ONE
            assert len(asyncio.all_tasks()) <= tasks
            assert open_sockets() <= sockets
            assert system.world.storage.messages("sessions") == []

    run(scenario())


async def one_call(system: Whole) -> None:
    outcome = await (await system.call(GREETED)).ended()
    assert outcome.as_scripted, outcome.faults
    await system.settled()


def open_sockets() -> int:
    gc.collect()
    return len(psutil.Process().net_connections(kind="tcp"))
