"""Whose ear interrupts: the level of the caller's audio, alone or beside the service's detector, in
whole calls on the second bridge, where the agent's own voice comes back on the line."""

from pathlib import Path

import pytest

from simulator.acs_calls import SimulatedCall
from simulator.acs_switches import AcsSwitches
from simulator.realtime_switches import RealtimeSwitches
from simulator.script import (
    AfterAgent,
    AgentScript,
    CallerScript,
    DuringAgent,
    Expect,
    HangUp,
    Reply,
    Say,
    Step,
    Utterance,
)
from tests.calls.heard import letters
from tests.calls.owed import words_heard
from tests.calls.whole import Whole, whole
from tests.virtual_time import run

AGENT = """
default_agent = "brand"

[agents.brand]
bridge = "realtime_speech"
voice = "en-US-AvaMultilingualNeural"
greeting = "Hello, you have reached Harbour Cycles. How can I help you today?"
instructions = "You answer the phone."
barge_in = {{ sensor = "{sensor}", threshold_dbfs = -50.0 }}
"""
LONG = "We open at nine on weekdays and at ten on Saturdays, and we close at six on all days."
SHORT = "Of course, what would you like to know instead of that?"
SCRIPT = AgentScript((Reply(Utterance(LONG), delay_ms=0), Reply(Utterance(SHORT), delay_ms=0)), {})
ECHO = AcsSwitches(echo_db=-24.0, echo_delay_ms=150.0)
"""Far above the threshold that the agent's owner has set, and just too soft for the service."""
ASK = Step(Say(Utterance("When are you open?")), AfterAgent(700))
HANG_UP = Step(HangUp(), AfterAgent(1500))
STOP = Utterance("Stop please.")
NOTICED_S = 0.15
"""60 ms of speech, in frames of 20 ms, and what the words' beginning lacks in loudness."""


async def interruptions(system: Whole, call: SimulatedCall) -> list[bool]:
    await system.settled()
    (record,) = system.records()
    return [turn.interrupted for turn in record.turns if turn.speaker == "agent"]


@pytest.mark.parametrize("sensor", ["rms", "both"])
def test_the_agents_own_echo_does_not_interrupt_it(sensor: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        agents = AGENT.format(sensor=sensor)
        script = CallerScript((ASK, HANG_UP), Expect(ended_by="caller", interruptions=0))
        async with whole(tmp_path, agents_toml=agents, scripts=[SCRIPT], acs=ECHO) as system:
            call = await system.call(script)
            outcome = await call.ended()
            assert outcome.as_scripted, outcome.faults
            assert call.line is not None
            assert call.line.stops == []
            assert letters(LONG) in words_heard(call, system.world.speech.utterances)
            assert await interruptions(system, call) == [False, False]

    run(scenario())


@pytest.mark.parametrize("after_ms", [1200, 2500, 4000])
@pytest.mark.parametrize("sensor", ["rms", "both"])
def test_a_caller_who_speaks_over_the_agent_and_its_echo_is_heard_at_once(
    sensor: str, after_ms: int, tmp_path: Path
) -> None:
    async def scenario() -> None:
        agents = AGENT.format(sensor=sensor)
        script = CallerScript(
            (ASK, Step(Say(STOP), DuringAgent(after_ms)), HANG_UP),
            Expect(ended_by="caller", interruptions=1),
        )
        async with whole(tmp_path, agents_toml=agents, scripts=[SCRIPT], acs=ECHO) as system:
            call = await system.call(script)
            outcome = await call.ended()
            assert outcome.as_scripted, outcome.faults
            assert call.line is not None
            (stopped,) = call.line.stops
            spoke_s = call.line.caller.said[1].started_ms / 1000
            assert 0 < stopped[0] - spoke_s <= NOTICED_S
            assert letters(SHORT) in words_heard(call, system.world.speech.utterances)
            assert await interruptions(system, call) == [False, True, False]

    run(scenario())


def test_where_our_sensor_decides_a_late_word_of_the_services_does_not_silence_the_answer(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        agents = AGENT.format(sensor="rms")
        script = CallerScript((ASK, HANG_UP), Expect(ended_by="caller", interruptions=0))
        realtime = RealtimeSwitches(speech_started_s=2.5)
        async with whole(
            tmp_path, agents_toml=agents, scripts=[SCRIPT], realtime=realtime
        ) as system:
            call = await system.call(script)
            outcome = await call.ended()
            assert outcome.as_scripted, outcome.faults
            assert letters(LONG) in words_heard(call, system.world.speech.utterances)
            assert await interruptions(system, call) == [False, False]

    run(scenario())
