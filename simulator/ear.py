"""Hears when the other side speaks, by loudness alone. No I/O; the caller's clock is given."""

from dataclasses import dataclass

from simulator.audio import FRAME_MS, is_speech

HANGOVER_MS = 500.0
"""A pause this long ends a turn; shorter ones are the pauses within and between sentences."""


@dataclass
class HeardTurn:
    """The other side's turn as heard, in milliseconds of the line's clock."""

    started_ms: float
    ended_ms: float
    interrupted: bool = False
    """It broke off in the middle, with more on its way."""


class Ear:
    """Feed it every 20 ms of what is heard; it knows whether somebody speaks, and since when."""

    def __init__(self) -> None:
        self.turns: list[HeardTurn] = []
        self._open = False
        self._cut_ms = 0.0

    @property
    def turn(self) -> HeardTurn | None:
        """The turn that is going on, if any."""
        return self.turns[-1] if self._open else None

    @property
    def last_sound_ms(self) -> float | None:
        """When speech was last heard; None: never."""
        return self.turns[-1].ended_ms if self.turns else None

    def listen(self, now_ms: float, frame: bytes | None) -> list[tuple[str, float]]:
        """Takes the 20 ms that end at `now_ms` (None: nothing was played).

        Returns what became known: `started` or `ended`, each with its time.
        """
        if now_ms - FRAME_MS < self._cut_ms:
            return []  # still what was said before the cut
        if frame is not None and is_speech(frame):
            if self._open:
                self.turns[-1].ended_ms = now_ms
                return []
            self._open = True
            self.turns.append(HeardTurn(now_ms - FRAME_MS, now_ms))
            return [("started", now_ms - FRAME_MS)]
        if self._open and now_ms - self.turns[-1].ended_ms >= HANGOVER_MS:
            self._open = False
            return [("ended", self.turns[-1].ended_ms)]
        return []

    def cut(self, at_ms: float) -> bool:
        """All that was to be heard after `at_ms` was dropped. False if nobody was speaking."""
        self._cut_ms = at_ms
        if not self._open:
            return False
        self._open = False
        self.turns[-1].ended_ms = at_ms
        self.turns[-1].interrupted = True
        return True
