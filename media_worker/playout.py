"""What the caller has heard so far, reckoned from what was sent and when.

Azure Communication Services plays agent audio from a queue and never says how far it has come.
So this clock follows it: audio is heard in the order and at the speed of its samples, the first
sample of an empty queue a fixed delay after it was sent, later ones when those before are over.
Stopping empties the queue at once. Times are seconds of the loop's clock.
"""

from dataclasses import dataclass, field

_TURNS_KEPT = 16


@dataclass(frozen=True, slots=True)
class Cut:
    """A turn that was stopped before its end was heard."""

    turn: str
    heard_ms: int
    sent_ms: int


@dataclass(slots=True)
class _Span:
    """Audio of one turn, heard without a gap."""

    start: float
    samples: int


@dataclass(slots=True)
class _Sent:
    samples: int = 0
    spans: list[_Span] = field(default_factory=list)


class Playout:
    """The playout clock of one call. `rate` in hertz; `delay_s` from sending to hearing."""

    def __init__(self, rate: int, delay_s: float = 0.0) -> None:
        self._rate = rate
        self._delay_s = delay_s
        self._turns: dict[str, _Sent] = {}
        self._newest: _Sent | None = None
        self.ends_at = 0.0
        """When all audio sent until now will have been heard; may lie in the past."""

    def sent(self, turn: str, samples: int, now: float) -> None:
        """`samples` of `turn` were sent at `now`."""
        if (sent := self._turns.get(turn)) is None:
            if len(self._turns) >= _TURNS_KEPT:
                del self._turns[next(iter(self._turns))]
            sent = self._turns[turn] = _Sent()
        start = max(self.ends_at, now + self._delay_s)
        if sent is self._newest and start == self.ends_at:
            sent.spans[-1].samples += samples
        else:
            sent.spans.append(_Span(start, samples))
        sent.samples += samples
        self._newest = sent
        last = sent.spans[-1]
        self.ends_at = last.start + last.samples / self._rate

    def heard_ms(self, turn: str, now: float) -> int:
        """How much of `turn` has been heard at `now`; 0 for a turn that was never sent."""
        sent = self._turns.get(turn)
        return self._ms(self._heard(sent, now)) if sent else 0

    def sent_ms(self, turn: str) -> int:
        """How much of `turn` has been sent."""
        sent = self._turns.get(turn)
        return self._ms(sent.samples) if sent else 0

    def ahead_s(self, now: float) -> float:
        """Seconds of audio that have been sent and not yet heard."""
        return max(0.0, self.ends_at - now)

    def stop(self, now: float) -> list[Cut]:
        """The queue was emptied at `now`: the turns of which a part will never be heard."""
        cuts = []
        for turn, sent in self._turns.items():
            heard = self._heard(sent, now)
            if heard < sent.samples:
                cuts.append(Cut(turn, self._ms(heard), self._ms(sent.samples)))
        for cut in cuts:
            del self._turns[cut.turn]
        self._newest = None
        self.ends_at = min(self.ends_at, now)
        return cuts

    def _heard(self, sent: _Sent, now: float) -> int:
        # A nanosecond's grace: times are sums of floats, and a sample is 40 microseconds.
        return sum(
            min(span.samples, max(0, int((now - span.start + 1e-9) * self._rate)))
            for span in sent.spans
        )

    def _ms(self, samples: int) -> int:
        return samples * 1000 // self._rate
