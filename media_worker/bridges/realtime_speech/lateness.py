"""What to do about an answer that does not come: excuse it, ask again, give up.

Only decisions, no timers: the bridge asks at times of its own choosing.
"""

from dataclasses import dataclass
from typing import TypeAlias

from media_worker.limits import ANSWER_LATEST_S, ANSWER_STALLED_S, WAITING_S


@dataclass(frozen=True, slots=True)
class Excuse:
    """Say the waiting phrase of this number, from 0."""

    phrase: int


@dataclass(frozen=True, slots=True)
class AskAgain:
    """Ask the model for another answer, in place of one that it may be at."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """No answer will come."""


Remedy: TypeAlias = Excuse | AskAgain | GiveUp


class Lateness:
    """Of one call. `phrases`: how many waiting phrases there are."""

    def __init__(self, phrases: int) -> None:
        self._phrases = phrases
        self._late_s = 0.0
        """Since the caller began to wait, our own phrases included."""
        self._silent_s = 0.0
        self._excused = 0
        self._asked = False

    def passed(
        self, seconds: float, *, waits: bool, playing: bool, answering: bool
    ) -> list[Remedy]:
        """So much time passed. `waits`: the caller is owed a sound of the model's; `playing`:
        something is heard; `answering`: the model is at an answer, and may only be slow."""
        self._silent_s = 0.0 if playing else self._silent_s + seconds
        if not waits:
            self._late_s, self._excused, self._asked = 0.0, 0, False
            self._silent_s = 0.0
            return []
        if playing and not self._late_s:  # what was said before is still being heard
            return []
        self._late_s += seconds
        if self._late_s >= ANSWER_LATEST_S:
            return [GiveUp()]
        remedies: list[Remedy] = []
        if self._silent_s >= WAITING_S and self._excused < self._phrases:
            remedies.append(Excuse(self._excused))
            self._excused += 1
            self._silent_s = 0.0
        if not self._asked and self._late_s >= (ANSWER_STALLED_S if answering else WAITING_S):
            self._asked = True
            remedies.append(AskAgain())
        return remedies
