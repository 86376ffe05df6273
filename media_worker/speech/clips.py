"""Fixed words in an agent's voice, rendered once in a process and kept: a greeting that was spoken
before is on the wire in the first milliseconds of the next call."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from media_worker.limits import CLIPS_KEPT_BYTES
from switchboard.speech_voice import SpeechVoice

_USUAL_RATE = 24000
"""Of calls, as AUDIO_RATE of the Functions app is by default."""


@dataclass(frozen=True, slots=True)
class Clip:
    """What was said, in whole samples, with the middle of each word and where it ends in the
    text."""

    pcm: bytes
    words: tuple[tuple[float, int], ...]


class Phrase(NamedTuple):
    """Which words, in which voice, at how many samples a second."""

    voice: SpeechVoice
    rate: int
    text: str


class Clips:
    """The clips of a process, as many as `CLIPS_KEPT_BYTES` hold: those that are wanted first, of
    the others the newest."""

    def __init__(self) -> None:
        self._clips: dict[Phrase, Clip] = {}
        self._bytes = 0
        self._wanted: dict[Phrase, None] = {}
        self._rates: set[int] = set()

    @property
    def rates(self) -> frozenset[int]:
        """The rates of the calls so far: a deployment has one, and says so to the Functions app
        only. Before the first call, the usual one."""
        return frozenset(self._rates or {_USUAL_RATE})

    def get(self, voice: SpeechVoice, rate: int, text: str) -> Clip | None:
        """`text` in this voice for a call, if it has been rendered."""
        self._rates.add(rate)
        return self._clips.get(Phrase(voice, rate, text))

    def holds(self, phrase: Phrase) -> bool:
        """Whether it has been rendered, without a call that asks."""
        return phrase in self._clips

    def put(self, voice: SpeechVoice, rate: int, text: str, clip: Clip) -> None:
        """Keeps a rendering that is complete, if there is room or something less wanted."""
        phrase = Phrase(voice, rate, text)
        if (replaced := self._clips.pop(phrase, None)) is not None:
            self._bytes -= len(replaced.pcm)
        self._clips[phrase] = clip
        self._bytes += len(clip.pcm)
        while self._bytes > CLIPS_KEPT_BYTES:
            self._bytes -= len(self._clips.pop(self._least_wanted()).pcm)

    def want(self, phrases: Iterable[Phrase]) -> None:
        """These are kept before all others from now on, the first of them before the last."""
        self._wanted = dict.fromkeys(phrases)

    def _least_wanted(self) -> Phrase:
        for phrase in self._clips:
            if phrase not in self._wanted:
                return phrase
        return next(phrase for phrase in reversed(self._wanted) if phrase in self._clips)
