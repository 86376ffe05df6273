"""A scripted person on the phone: hears 20 ms, says 20 ms. No I/O; the line's clock is given."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, assert_never

from simulator.audio import FRAME_MS, frame_bytes, frames, is_speech
from simulator.ear import Ear
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
)

Note = Callable[..., Any]
"""Told `(event, ms, **detail)` of whatever the caller does and hears."""


TONE_MS = 160
"""From one pressed digit to the next: a quick hand."""


@dataclass
class Said:
    """A turn of the caller's, in milliseconds of the line's clock, from first to last sound."""

    text: str
    started_ms: float
    ended_ms: float
    interrupting: bool


@dataclass(frozen=True)
class Tick:
    """20 ms of the caller: `frame` is always whole; `silent` frames hold nothing."""

    frame: bytes
    silent: bool = True
    digits: str = ""
    hang_up: bool = False


@dataclass
class _Speaking:
    said: Said
    frames: list[bytes]
    loud: list[bool]
    last_loud: int
    position: int = 0


@dataclass
class ScriptedCaller:
    """Follows `script` at `rate` hertz; call `tick` every 20 ms with what was heard meanwhile."""

    script: CallerScript
    rate: int
    note: Note
    ear: Ear = field(default_factory=Ear)
    said: list[Said] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """Where the call did not go as scripted."""
    greeted: bool = False
    """Whether the agent was heard before the caller said anything."""

    def __post_init__(self) -> None:
        self._silence = bytes(frame_bytes(self.rate))
        self._steps = list(self.script.steps)
        self._number = 0
        self._armed_ms = 0.0
        self._speaking: _Speaking | None = None
        self._digits = ""
        self._next_digit_ms = 0.0

    @property
    def steps_left(self) -> tuple[Step, ...]:
        """What has not been done, the step in hand included."""
        return tuple(self._steps)

    def tick(self, now_ms: float, heard: bytes | None, media_ms: float | None) -> Tick:
        """The caller's 20 ms that end at `now_ms`, having heard `heard` (None: nothing).

        `media_ms` is when the media began, for steps that count from there; None: it has not.
        """
        for what, when in self.ear.listen(now_ms, heard):
            self.note(f"agent_speech_{what}", when)
            self.greeted = self.greeted or not self.said
        if self._speaking is not None:
            return self._speak(self._speaking, now_ms)
        if self._digits:
            return self._press(now_ms)
        return self._next(now_ms, media_ms)

    def cut(self, at_ms: float) -> None:
        """The agent's audio was dropped on its way here: nothing of it is heard after `at_ms`."""
        if self.ear.cut(at_ms):
            self.note("agent_speech_ended", at_ms, interrupted=True)

    def _next(self, now_ms: float, media_ms: float | None) -> Tick:
        if not self._steps:
            return Tick(self._silence)
        step = self._steps[0]
        if not self._due(step, now_ms, media_ms):
            return self._wait(step, now_ms, media_ms)
        match step.act:
            case Say(utterance):
                return self._start(step, utterance.text, utterance.pcm(self.rate), now_ms)
            case Press(digits):
                self._digits, self._next_digit_ms = digits, now_ms
                return self._press(now_ms)
            case HangUp():
                self._advance(now_ms)
                return Tick(self._silence, hang_up=True)
            case Listen():
                self._advance(now_ms)
                return Tick(self._silence)
            case Stay():
                return self._wait(step, now_ms, media_ms)
            case _:
                assert_never(step.act)

    def _due(self, step: Step, now_ms: float, media_ms: float | None) -> bool:
        match step.when:
            case AfterAgent(pause_ms):
                last = self.ear.last_sound_ms
                return last is not None and last > self._armed_ms and now_ms - last >= pause_ms
            case AtTime(at_ms):
                return media_ms is not None and now_ms >= media_ms + at_ms
            case AfterWait(wait_ms):
                return now_ms >= self._armed_ms + wait_ms
            case DuringAgent(after_ms):
                turn = self.ear.turn
                return (
                    turn is not None
                    and turn.ended_ms > self._armed_ms
                    and now_ms - turn.started_ms >= after_ms
                )
            case _:
                assert_never(step.when)

    def _wait(self, step: Step, now_ms: float, media_ms: float | None) -> Tick:
        """Silence; and a hang-up, as people do, once the step's limit has passed."""
        limit_ms = step.limit_s * 1000
        match step.when:
            case AtTime(at_ms):
                limit_ms += at_ms
            case AfterWait(wait_ms):
                limit_ms += wait_ms
        if now_ms - self._armed_ms < limit_ms:
            return Tick(self._silence)
        self.faults.append(f"step {self._number + 1}: {_missed(step)} within {limit_ms / 1000:g} s")
        self._steps.clear()
        return Tick(self._silence, hang_up=True)

    def _start(self, step: Step, text: str, pcm: bytes, now_ms: float) -> Tick:
        pieces = list(frames(pcm, self.rate))
        loud = [is_speech(piece) for piece in pieces]
        first = loud.index(True) if True in loud else 0
        last = max((at for at, is_loud in enumerate(loud) if is_loud), default=0)
        began = now_ms - FRAME_MS + first * FRAME_MS
        said = Said(text, began, began, interrupting=isinstance(step.when, DuringAgent))
        self.said.append(said)
        self.note("caller_speech_started", began, text=text)
        self._speaking = _Speaking(said, pieces, loud, last)
        return self._speak(self._speaking, now_ms)

    def _speak(self, speaking: _Speaking, now_ms: float) -> Tick:
        at = speaking.position
        speaking.position += 1
        if speaking.loud[at]:
            speaking.said.ended_ms = now_ms
        if at == speaking.last_loud:
            self.note("caller_speech_ended", now_ms)
        if speaking.position == len(speaking.frames):
            self._speaking = None
            self._advance(now_ms)
        return Tick(speaking.frames[at], silent=not speaking.loud[at])

    def _press(self, now_ms: float) -> Tick:
        if now_ms < self._next_digit_ms:
            return Tick(self._silence)
        digit, self._digits = self._digits[0], self._digits[1:]
        self._next_digit_ms = now_ms + TONE_MS
        self.note("pressed", now_ms, digit=digit)
        if not self._digits:
            self._advance(now_ms)
        return Tick(self._silence, digits=digit)

    def _advance(self, now_ms: float) -> None:
        """The step is done. What the agent says from the end of our last sound on is its answer."""
        self._armed_ms = now_ms
        self._steps.pop(0)
        self._number += 1


def _missed(step: Step) -> str:
    match step.when, step.act:
        case _, Stay():
            return "the other side did not hang up"
        case AfterAgent(), _:
            return "the agent did not speak and finish"
        case DuringAgent(after_ms), _:
            return f"the agent did not speak for {after_ms:g} ms"
        case AtTime(), _:
            return "the media did not begin"
        case _:
            return "its time did not come"
