"""A phone rings, an agent answers: what the caller notices of it."""

import asyncio
from pathlib import Path

from simulator.script import AfterAgent, CallerScript, Expect, HangUp, Listen, Say, Step, Utterance
from switchboard.end_reason import EndReason
from switchboard.record import CallRecord, Ended
from tests.calls.whole import SECOND_NUMBER, Access, whole
from tests.virtual_time import run

ASK = Step(Say(Utterance("When are you open?")))
HANG_UP = Step(HangUp(), AfterAgent())


def test_a_caller_is_greeted_answered_and_may_hang_up(tmp_path: Path, access: Access) -> None:
    async def scenario() -> None:
        async with whole(tmp_path, access=access) as system:
            call = await system.call(CallerScript((ASK, HANG_UP), Expect(ended_by="caller")))
            outcome = await call.ended()
            await system.settled()
            assert outcome.as_scripted, outcome.faults
            (record,) = system.records()
            assert isinstance(record.state, Ended)
            assert record.state.reason is EndReason.CALLER_HUNG_UP
            assert [(turn.speaker, turn.text) for turn in record.turns] == [
                ("agent", "Hello, you have reached Harbour Cycles."),
                ("caller", "When are you open?"),
                ("agent", "You said: When are you open?"),
            ]
            assert record.turns[2].reply_latency_ms is not None
            assert not system.host.failures
            (session,) = system.world.voice_live.sessions
            assert session.errors == []

    run(scenario())


def test_a_call_passed_to_another_of_our_numbers_while_it_rings_reaches_the_second_agent(
    tmp_path: Path,
    access: Access,
) -> None:
    async def scenario() -> None:
        async with whole(tmp_path, access=access) as system:
            system.world.grid.switches.delay_s = 1.0
            call = await system.call(CallerScript((ASK, HANG_UP)))
            await call.redirect(call.rings[0], f"4:{SECOND_NUMBER}")
            assert (await call.ended()).as_scripted
            await system.settled()
            assert _answered_by(system.records()) == ["workshop"]

    run(scenario())


def test_a_call_transferred_to_another_of_our_numbers_reaches_the_second_agent(
    tmp_path: Path,
    access: Access,
) -> None:
    async def scenario() -> None:
        async with whole(tmp_path, access=access) as system:
            listen = Step(Listen(), AfterAgent())
            call = await system.call(CallerScript((listen, listen, ASK, HANG_UP), Expect()))
            while call.line is None or not call.line.caller.ear.turns:
                await asyncio.sleep(0.02)
            assert call.connection is not None
            await call.transferred(call.connection, f"4:{SECOND_NUMBER}")
            await call.ended()
            await system.settled()
            records = system.records()
            assert len(records) == 2, "one record for each ring"
            assert "workshop" in _answered_by(records)

    run(scenario())


def _answered_by(records: list[CallRecord]) -> list[str]:
    """The agents whose words were heard."""
    return [record.descriptor.agent.name for record in records if record.turns]
