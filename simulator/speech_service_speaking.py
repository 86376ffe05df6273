"""How words become sound, word by word: recordings where there are any, else a murmur. No I/O.

A recording is followed for as long as its words are those that are said, so that a text that
arrives in pieces is spoken while it arrives, and a whole recorded sentence sounds as recorded.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise

import numpy as np

from simulator.audio import SAMPLE_BYTES, SPOKEN_MS_PER_CHARACTER, Clip, placeholder
from simulator.script import Utterance
from simulator.speech_service_wire import Boundary, BoundaryType, ticks

PAUSE_RMS = 250.0
PAUSE_MS = 80
PAUSE_REACH_MS = 500
"""A pause in a recording belongs to a punctuation mark that is estimated no further away."""
_FRAME_MS = 10
_TRAILING = re.compile(r"^(.*?)([.,;:!?…\"”’)\]]*)$", re.DOTALL)


@dataclass(frozen=True)
class RecordedWord:
    """A word in a recording: it is spoken from `start_ms` to `end_ms`, the next from `next_ms`."""

    plain: str
    start_ms: float
    end_ms: float
    next_ms: float
    opens: bool
    """It opens a sentence or a clause: speech may begin here."""


@dataclass(frozen=True)
class Recording:
    words: tuple[RecordedWord, ...]
    clip: Clip


@dataclass(frozen=True)
class Spoken:
    """One word's sound, up to the next word; the boundaries count from the turn's first sample."""

    pcm: bytes
    boundaries: tuple[Boundary, ...]


def plain(token: str) -> str:
    """A word as it is compared: "Saturday," and "saturday" are one."""
    return "".join(re.findall(r"\w", token.lower()))


def recorded(utterances: Iterable[Utterance]) -> tuple[Recording, ...]:
    """The recordings among `utterances`, their words found in the sound."""
    return tuple(
        Recording(tuple(_aligned(u.text, u.clip)), u.clip) for u in utterances if u.clip and u.text
    )


class Speaker:
    """Speaks one turn at `rate` hertz. Not to be used for another."""

    def __init__(self, rate: int, recordings: Sequence[Recording]) -> None:
        self.rate, self.samples = rate, 0
        self._recordings = recordings
        self._text = ""
        self._following: list[tuple[Recording, int]] = []
        """Recordings that say what is said, each with the index of its next word."""
        self._open = True

    def push(self, text: str) -> list[Spoken]:
        """What can be spoken with `text` appended: all words that are surely at their end."""
        self._text += text
        cut = max((m.end() for m in re.finditer(r"\s", self._text)), default=0)
        ready, self._text = self._text[:cut], self._text[cut:]
        return self._spoken(ready.split())

    def flush(self) -> list[Spoken]:
        """The rest: nothing more belongs to its last word."""
        ready, self._text = self._text, ""
        return self._spoken(ready.split())

    def _spoken(self, tokens: list[str]) -> list[Spoken]:
        return [self._word(tokens[at:]) for at in range(len(tokens))]

    def _word(self, tokens: list[str]) -> Spoken:
        """Speaks the first of `tokens`; the others are what is known to come."""
        text, word = tokens[0], self._recorded_word(tokens)
        if word is not None:
            recording, found = word
            pcm = _between(recording.clip, self.rate, found.start_ms, found.next_ms)
            voiced = self._samples(found.end_ms) - self._samples(found.start_ms)
        else:
            pcm = _murmur(text, self.rate)
            voiced = len(pcm) // SAMPLE_BYTES
        begin, length = self.samples, len(pcm) // SAMPLE_BYTES
        self.samples += length
        match = _TRAILING.match(text)
        assert match is not None  # the pattern matches every text
        self._open = match[2] != ""
        boundaries = []
        if match[1]:
            boundaries.append(self._boundary(match[1], begin, voiced))
        if match[2]:
            rest = self._boundary(match[2], begin + voiced, length - voiced, "PunctuationBoundary")
            boundaries.append(rest)
        return Spoken(pcm, tuple(boundaries))

    def _boundary(
        self, text: str, begin: int, samples: int, kind: BoundaryType = "WordBoundary"
    ) -> Boundary:
        return Boundary(text, ticks(begin, self.rate), ticks(samples, self.rate), kind)

    def _samples(self, ms: float) -> int:
        return round(ms * self.rate / 1000)

    def _recorded_word(self, tokens: list[str]) -> tuple[Recording, RecordedWord] | None:
        words = [plain(token) for token in tokens]
        going_on = [pair for pair in self._following if _agree(pair, words)]
        if not going_on and self._open:
            going_on = [  # in the middle of a recording only where two words agree
                (recording, at)
                for recording in self._recordings
                for at, word in enumerate(recording.words)
                if word.opens and _agree((recording, at), words) > (at > 0)
            ]
        # The one that agrees longest; of equals a whole sentence, then the longest.
        going_on.sort(
            key=lambda pair: (_agree(pair, words), pair[1] == 0, len(pair[0].words)), reverse=True
        )
        self._following = [(r, at + 1) for r, at in going_on if at + 1 < len(r.words)]
        if not going_on:
            return None
        recording, at = going_on[0]
        return recording, recording.words[at]


def _agree(pair: tuple[Recording, int], words: Sequence[str]) -> int:
    """How many of `words` the recording says from its next word on."""
    recording, at = pair
    count = 0
    for mine, said in zip(recording.words[at:], words, strict=False):
        if mine.plain != said:
            break
        count += 1
    return count


def _aligned(text: str, clip: Clip) -> list[RecordedWord]:
    """Words by their share of characters, between pauses of the sound that punctuation explains."""
    tokens = text.split()
    ends: list[
        tuple[int, float, float]
    ] = []  # of a stretch: words before, its end, the next's start
    pauses = _pauses(clip)
    done, since = 0, 0.0
    for index, token in enumerate(tokens[:-1], 1):
        if token[-1] not in ".,;:!?…":
            continue
        sizes = [len(t) + 1 for t in tokens[done:]]
        share = sum(sizes[: index - done]) / sum(sizes)
        expected = since + (clip.duration_ms - since) * share
        near = [p for p in pauses if p[0] > since and abs(sum(p) / 2 - expected) < PAUSE_REACH_MS]
        if near:
            begin, end = max(near, key=lambda pause: pause[1] - pause[0])
            ends.append((index, begin, end))
            done, since = index, end
    ends.append((len(tokens), clip.duration_ms, clip.duration_ms))
    words: list[RecordedWord] = []
    first, start = 0, 0.0
    for last, end, next_start in ends:
        sizes = [len(t) + 1 for t in tokens[first:last]]
        marks = [start + (end - start) * part / sum(sizes) for part in (0, *accumulate(sizes))]
        for offset, token in enumerate(tokens[first:last]):
            at = first + offset
            following = next_start if at + 1 == last else marks[offset + 1]
            opens = at == 0 or tokens[at - 1][-1] in ".,;:!?…"
            words.append(
                RecordedWord(plain(token), marks[offset], marks[offset + 1], following, opens)
            )
        first, start = last, next_start
    return words


def _pauses(clip: Clip) -> list[tuple[float, float]]:
    """Where nobody speaks for `PAUSE_MS` or longer, in ms, without the two ends of the clip."""
    size = clip.rate * _FRAME_MS // 1000
    samples = np.frombuffer(clip.pcm, dtype="<i2").astype(np.float32)
    rows = samples[: len(samples) // size * size].reshape(-1, size)
    loud = np.flatnonzero(np.sqrt(np.mean(rows**2, axis=1)) > PAUSE_RMS)
    return [
        (float(a + 1) * _FRAME_MS, float(b) * _FRAME_MS)
        for a, b in pairwise(loud)
        if (b - a - 1) * _FRAME_MS >= PAUSE_MS
    ]


def _between(clip: Clip, rate: int, start_ms: float, end_ms: float) -> bytes:
    start, end = (round(ms * rate / 1000) * SAMPLE_BYTES for ms in (start_ms, end_ms))
    return clip.at(rate)[start:end]


@lru_cache(maxsize=4096)
def _murmur(token: str, rate: int) -> bytes:
    samples = rate * SPOKEN_MS_PER_CHARACTER * (len(token) + 1) // 1000
    return placeholder(token + " ", rate).pcm[: samples * SAMPLE_BYTES]
