"""The queue of sound on its way to the caller's ear: what was heard when, to the sample. No I/O.

ACS takes agent audio in messages of any size, faster than real time, and plays it in order;
StopAudio empties what has not been played (ACS audio-streaming docs; the depth of the queue is not
documented, so it has none here). `delay_ms` stands for the way from ACS to the ear: sound that
finds the queue empty starts that much later.

The queue is a schedule, not a task: each piece knows at which sample of the line it starts.
"""

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np

from simulator.audio import SAMPLE_BYTES


@dataclass(frozen=True)
class Arrival:
    """A message with `samples` of agent audio that came `at_s` on the line's clock."""

    at_s: float
    samples: int


@dataclass(frozen=True)
class Heard:
    """A stretch of sound without a gap, in seconds of the line's clock."""

    start_s: float
    end_s: float


@dataclass
class _Piece:
    start: int
    pcm: bytes

    @property
    def end(self) -> int:
        return self.start + len(self.pcm) // SAMPLE_BYTES


class Playout:
    """One caller's ear at `rate` hertz. Times are seconds since the line was opened."""

    def __init__(self, rate: int, *, delay_ms: float = 0.0) -> None:
        self.rate = rate
        self.arrivals: list[Arrival] = []
        self.received = bytearray()
        """All samples that came, in order, played or not."""
        self.stops: list[tuple[int, int]] = []
        """Each stop: how many messages had come before it, and how many samples it dropped."""
        self._delay = round(rate * delay_ms / 1000)
        self._pieces: list[_Piece] = []
        self._starts: list[int] = []

    def sample(self, at_s: float) -> int:
        """The sample that is at the ear at `at_s`."""
        return round(at_s * self.rate)

    def receive(self, pcm: bytes, at_s: float) -> int:
        """Queues `pcm` (whole samples) that came at `at_s`; returns the sample it starts at."""
        start = max(self.sample(at_s) + self._delay, self.tail)
        self.arrivals.append(Arrival(at_s, len(pcm) // SAMPLE_BYTES))
        self.received += pcm
        if pcm:
            self._pieces.append(_Piece(start, pcm))
            self._starts.append(start)
        return start

    def stop(self, at_s: float) -> int:
        """Drops all that is not yet heard at `at_s`; returns how many samples that were."""
        now, dropped = self.sample(at_s), 0
        while self._pieces and self._pieces[-1].end > now:
            piece = self._pieces.pop()
            self._starts.pop()
            kept = max(0, now - piece.start)
            dropped += piece.end - piece.start - kept
            if kept:
                self._pieces.append(_Piece(piece.start, piece.pcm[: kept * SAMPLE_BYTES]))
                self._starts.append(piece.start)
                break
        self.stops.append((len(self.arrivals), dropped))
        return dropped

    @property
    def tail(self) -> int:
        """The sample after the last one that is queued or was heard; 0 if there is none."""
        return self._pieces[-1].end if self._pieces else 0

    def heard(self, start: int, end: int) -> bytes:
        """The samples at the ear from sample `start` up to `end`, silence where nothing played."""
        out = bytearray((end - start) * SAMPLE_BYTES)
        index = max(0, bisect_left(self._starts, start) - 1)
        while index < len(self._pieces) and self._starts[index] < end:
            piece = self._pieces[index]
            index += 1
            first, last = max(start, piece.start), min(end, piece.end)
            if first < last:
                source = piece.pcm[
                    (first - piece.start) * SAMPLE_BYTES : (last - piece.start) * SAMPLE_BYTES
                ]
                at = (first - start) * SAMPLE_BYTES
                out[at : at + len(source)] = source
        return bytes(out)

    def is_quiet(self, start: int, end: int) -> bool:
        """Whether nothing is played from sample `start` up to `end` (cheaper than `heard`)."""
        index = bisect_left(self._starts, end) - 1
        return index < 0 or self._pieces[index].end <= start

    def stretches(self, until_s: float) -> list[Heard]:
        """What was heard by `until_s`, pieces that followed each other without a gap as one."""
        limit, merged = self.sample(until_s), list[list[int]]()
        for piece in self._pieces:
            end = min(piece.end, limit)
            if piece.start >= end:
                break
            if merged and merged[-1][1] == piece.start:
                merged[-1][1] = end
            else:
                merged.append([piece.start, end])
        return [Heard(start / self.rate, end / self.rate) for start, end in merged]

    def heard_samples(self, until_s: float) -> bytes:
        """All agent samples heard by `until_s`, in order, without the silence between."""
        limit = self.sample(until_s)
        return b"".join(
            piece.pcm[: max(0, limit - piece.start) * SAMPLE_BYTES] for piece in self._pieces
        )


def mixed(one: bytes, other: bytes) -> bytes:
    """Two equally long sounds at once."""
    if not any(other):
        return one
    total = np.frombuffer(one, "<i2").astype(np.int32) + np.frombuffer(other, "<i2")
    return bytes(total.clip(-32768, 32767).astype("<i2").tobytes())
