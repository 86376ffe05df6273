"""A caller who wants a person, or whose agent cannot help, is put through, and not lost if nobody
answers there."""

import asyncio
from pathlib import Path

import pytest

from simulator.acs_switches import AcsSwitches, Destiny
from simulator.script import (
    AfterAgent,
    AfterWait,
    AgentScript,
    CallerScript,
    Expect,
    HangUp,
    Reply,
    Say,
    Stay,
    Step,
    ToolCall,
    Utterance,
)
from switchboard.end_reason import EndReason
from switchboard.record import Ended
from tests.calls.whole import Access, Whole, whole
from tests.virtual_time import run

FALLBACK = "4:+15550100099"
AGENT = AgentScript(
    (
        Reply(Utterance("I put you through."), calls=(ToolCall("transfer_to_person", {}),)),
        Reply(Utterance("They will call you back.")),
    ),
    {},
)
ASK = Step(Say(Utterance("May I talk to a person?")), limit_s=60)
SECOND_BRIDGE = """
default_agent = "brand"
fallback_number = "+15550100099"

[agents.brand]
bridge = "realtime_speech"
voice = "en-US-AvaMultilingualNeural"
instructions = "You answer the phone."
"""


async def reason(system: Whole) -> EndReason:
    await system.settled()
    (record,) = system.records()
    assert isinstance(record.state, Ended)
    return record.state.reason


def test_the_caller_is_put_through_when_the_agent_has_said_so(
    tmp_path: Path, access: Access
) -> None:
    async def scenario() -> None:
        script = CallerScript((ASK, Step(Stay())), Expect(ended_by="any"))
        async with whole(tmp_path, access=access, scripts=[AGENT]) as system:
            call = await system.call(script)
            outcome = await call.ended()
            assert outcome.as_scripted, outcome.faults
            assert outcome.ended_by == "transfer"
            at = {entry.event: entry.at for entry in call.timeline.entries}
            assert "announcement" not in at  # nobody had to apologise
            assert at["transfer_asked"] > at["agent_speech_ended"] - 0.05  # the last one's end
            assert await reason(system) is EndReason.TRANSFERRED

    run(scenario())


@pytest.mark.parametrize("destiny", ["declined", "no_answer"])
def test_a_caller_whom_nobody_takes_goes_on_with_the_agent(
    destiny: Destiny, tmp_path: Path, access: Access
) -> None:
    async def scenario() -> None:
        thanks = Step(Say(Utterance("Yes, please.")), AfterWait(18_000), limit_s=90)
        script = CallerScript(
            (ASK, thanks, Step(HangUp(), AfterAgent(), limit_s=60)), Expect(ended_by="caller")
        )
        acs = AcsSwitches(destinies={FALLBACK: destiny}, dialling_s=6.0)
        async with whole(tmp_path, access=access, scripts=[AGENT], acs=acs) as system:
            call = await system.call(script)
            outcome = await call.ended()
            assert outcome.as_scripted, outcome.faults
            assert await reason(system) is EndReason.CALLER_HUNG_UP
            (record,) = system.records()
            said = [turn.text or "" for turn in record.turns if turn.speaker == "agent"]
            assert "cannot be reached" in said[-2]  # as the simulated model reads out its results
            assert said[-1] == "They will call you back."

    run(scenario())


def test_the_second_bridge_puts_callers_through_alike(tmp_path: Path) -> None:
    async def scenario() -> None:
        script = CallerScript((ASK, Step(Stay())), Expect(greeted=False, ended_by="any"))
        async with whole(tmp_path, agents_toml=SECOND_BRIDGE, scripts=[AGENT]) as system:
            call = await system.call(script)
            outcome = await call.ended()
            assert outcome.as_scripted, outcome.faults
            assert await reason(system) is EndReason.TRANSFERRED

    async def limited() -> None:
        async with asyncio.timeout(19):
            await scenario()

    asyncio.run(limited())  # in real time: the native Speech SDK knows no other
