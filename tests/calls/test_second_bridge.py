"""A whole call on the second bridge, in real time: the native Speech SDK knows no other."""

import asyncio
from pathlib import Path

from simulator.script import (
    AfterAgent,
    AgentScript,
    CallerScript,
    DuringAgent,
    Expect,
    Reply,
    Say,
    Stay,
    Step,
    ToolCall,
    Utterance,
)
from switchboard.end_reason import EndReason
from switchboard.record import Ended
from tests.calls.whole import NUMBER, whole
from tests.media_worker.telemetry.collected import Collected

AGENTS = """
default_agent = "brand"

[agents.brand]
bridge = "realtime_speech"
voice = "en-US-AvaMultilingualNeural"
greeting = "Hello."
instructions = "You answer the phone."
"""
LONG = "We open at nine on weekdays and at ten on Saturdays, and we close at six."
AGENT = AgentScript(
    (
        Reply(Utterance(LONG)),
        Reply(Utterance("Of course.")),
        Reply(Utterance("Goodbye."), calls=(ToolCall("end_call", {}),)),
    ),
    {},
)
CALLER = CallerScript(
    (
        Step(Say(Utterance("When are you open?")), AfterAgent(300)),
        Step(Say(Utterance("Stop please.")), DuringAgent(1000)),
        Step(Say(Utterance("Bye.")), AfterAgent(300)),
        Step(Stay()),
    ),
    Expect(ended_by="agent", interruptions=1),
)


def words(text: str) -> list[str]:
    return text.replace(",", " ").replace(".", " ").split()


def test_a_caller_is_greeted_answered_interrupts_and_is_seen_off(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        seen = Collected()
        async with whole(
            tmp_path, agents_toml=AGENTS, scripts=[AGENT], telemetry=seen.telemetry
        ) as system:
            call = await system.call(CALLER, NUMBER)
            outcome = await call.ended()
            assert outcome.as_scripted, outcome.faults
            await system.settled()
            (record,) = system.records()
            assert isinstance(record.state, Ended)
            assert record.state.reason is EndReason.AGENT_ENDED
            agent = [turn for turn in record.turns if turn.speaker == "agent"]
            told = [(span.attributes or {}) for span in seen.spans("switchboard.turn")]
            assert [
                (turn["switchboard.turn.interrupted"], "switchboard.turn.reply_ms" in turn)
                for turn in told
            ] == [(turn.interrupted, turn.reply_latency_ms is not None) for turn in agent]
            assert seen.numbers("switchboard.bridge.errors") == {}
            said = [(turn.speaker, turn.text) for turn in record.turns]
            assert said[0] == ("agent", "Hello.")
            cut = next(turn for turn in record.turns if turn.interrupted)
            assert cut.text == LONG
            heard = words(cut.heard_text or "")
            assert 0 < len(heard) < len(words(LONG))
            assert heard == words(LONG)[: len(heard)]
            (session,) = system.world.realtime.sessions
            items = [(item["kind"], words(item["text"])) for item in session.conversation.report()]
            assert ("assistant", ["Hello"]) in items
            assert ("assistant", heard) in items
            assert ("assistant", ["Goodbye"]) in items
            assert not session.errors

    async def limited() -> None:
        async with asyncio.timeout(19):
            await scenario()

    asyncio.run(limited())
