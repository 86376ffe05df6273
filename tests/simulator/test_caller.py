"""The scripted person: what is heard decides what is done, and when."""

from typing import Any

import pytest

from simulator.audio import FRAME_MS, frame_bytes, placeholder
from simulator.caller import ScriptedCaller, Tick
from simulator.script import (
    AfterAgent,
    AfterWait,
    AtTime,
    CallerScript,
    DuringAgent,
    HangUp,
    Listen,
    Press,
    Say,
    Stay,
    Step,
    Utterance,
)

RATE = 16000
LOUD = placeholder("x", RATE).pcm[: frame_bytes(RATE)]
QUESTION = Utterance("What are your hours?")


class _Scene:
    def __init__(self, *steps: Step) -> None:
        self.notes: list[tuple[str, float, dict[str, Any]]] = []
        self.caller = ScriptedCaller(CallerScript(steps), RATE, self._note)
        self.now = 0.0
        self.ticks: list[Tick] = []

    def _note(self, event: str, ms: float, **detail: Any) -> None:
        self.notes.append((event, ms, detail))

    def go(self, ms: float, heard: bytes | None = None, media_ms: float | None = 0.0) -> None:
        for _ in range(round(ms / FRAME_MS)):
            self.now += FRAME_MS
            self.ticks.append(self.caller.tick(self.now, heard, media_ms))

    def when(self, event: str) -> list[float]:
        return [ms for name, ms, _ in self.notes if name == event]


def test_the_caller_speaks_once_the_agent_has_finished_and_paused() -> None:
    s = _Scene(Step(Say(QUESTION), AfterAgent(600)), Step(HangUp(), AfterAgent(600)))
    s.go(1000)
    s.go(2000, LOUD)
    s.go(580)
    assert s.when("caller_speech_started") == []
    s.go(40)
    assert s.when("agent_speech_started") == [1000]
    assert s.when("agent_speech_ended") == [3000]
    (started,) = s.when("caller_speech_started")
    assert started == pytest.approx(3600, abs=40)
    assert s.caller.greeted


def test_what_is_said_leaves_whole_frame_by_frame() -> None:
    s = _Scene(Step(Say(QUESTION), AfterWait(0)), Step(Stay()))
    s.go(4000)
    said = b"".join(tick.frame for tick in s.ticks)
    pcm = QUESTION.pcm(RATE)
    assert said[: len(pcm)] == pcm
    assert not any(said[len(pcm) :])
    assert {len(tick.frame) for tick in s.ticks} == {frame_bytes(RATE)}
    (turn,) = s.caller.said
    assert turn.ended_ms - turn.started_ms == pytest.approx(len(pcm) / 2 / RATE * 1000, abs=20)
    assert s.when("caller_speech_ended") == [turn.ended_ms]


def test_the_answer_counts_only_from_the_end_of_the_question() -> None:
    s = _Scene(Step(Say(QUESTION), AfterAgent()), Step(HangUp(), AfterAgent()))
    s.go(1000, LOUD)
    s.go(5000)
    assert not any(tick.hang_up for tick in s.ticks)
    s.go(400, LOUD)
    s.go(1000)
    assert sum(tick.hang_up for tick in s.ticks) == 1


def test_the_caller_interrupts_after_that_much_of_the_agents_speech() -> None:
    s = _Scene(Step(Say(QUESTION), DuringAgent(1200)), Step(Stay()))
    s.go(500)
    s.go(3000, LOUD)
    (started,) = s.when("caller_speech_started")
    assert started == pytest.approx(1700, abs=40)
    assert s.caller.said[0].interrupting
    s.caller.cut(s.now)
    assert s.caller.ear.turns[0].interrupted
    assert s.notes[-1] == ("agent_speech_ended", s.now, {"interrupted": True})


def test_digits_and_hanging_up_come_at_their_time() -> None:
    s = _Scene(
        Step(Press("1#"), AtTime(1000)),
        Step(Listen(), AfterWait(300)),
        Step(HangUp(), AfterWait(500)),
    )
    s.go(500, media_ms=None)
    s.go(3000, media_ms=400)
    pressed = [number for number, tick in enumerate(s.ticks, 1) if tick.digits]
    gone = [number for number, tick in enumerate(s.ticks, 1) if tick.hang_up]
    assert [number * FRAME_MS for number in pressed] == [1400, 1560]
    assert [number * FRAME_MS for number in gone] == [2360]


@pytest.mark.parametrize(
    ("step", "why"),
    [
        (Step(Say(QUESTION), AfterAgent(), 5), "step 1: the agent did not speak and finish"),
        (Step(Say(QUESTION), DuringAgent(900), 5), "step 1: the agent did not speak for 900 ms"),
        (Step(Stay(), AfterWait(0), 5), "step 1: the other side did not hang up"),
        (Step(Press("1"), AtTime(100), 5), "step 1: the media did not begin"),
    ],
)
def test_a_wait_that_runs_out_is_a_fault_and_the_caller_hangs_up(step: Step, why: str) -> None:
    s = _Scene(step)
    s.go(4900, media_ms=None)
    assert s.caller.faults == []
    s.go(500, media_ms=None)
    assert s.caller.faults[0].startswith(why)
    assert sum(tick.hang_up for tick in s.ticks) == 1
