"""What the caller is owed, and what to do about an answer that does not come: excuse it, ask again,
give up.

Only decisions, no timers: the bridge asks at times of its own choosing.
"""

from dataclasses import dataclass
from typing import TypeAlias

from media_worker.limits import ANSWER_AGAIN_S, ANSWER_LATEST_S, ANSWER_STALLED_S, WAITING_S


class Debt:
    """Whether the caller of one call waits for an answer of the model's; `owed`: from the first."""

    def __init__(self, owed: bool) -> None:
        self._owed = owed
        self.failed = False
        """Whether the newest answer came to nothing, so that another one is to be asked for."""
        self._insisted = False

    @property
    def owed(self) -> bool:
        """Whether something is to be heard: an answer, or the next one where one failed."""
        return self._owed or self.failed

    def caller_began(self) -> None:
        """The caller speaks: what was owed is no longer waited for."""
        self._owed = self.failed = self._insisted = False

    def caller_ended(self) -> None:
        """The caller has spoken."""
        self._owed = True

    def heard(self) -> None:
        """The caller hears the model, or will without our doing."""
        self._owed = False

    def called(self) -> None:
        """The model called a function: what it says to the result is asked for by itself."""
        self._owed = self._insisted = False

    def insist(self) -> None:
        """The model is asked again for the answer to the caller's last words."""
        self.failed, self._insisted = False, True

    def comes_to_nothing(self, status: str, *, spoke: bool) -> bool:
        """Judges an answer that nobody cut short by its status, and by whether words were written.
        A model may be silent on purpose, but not when it was asked again."""
        if status == "failed" or (status == "completed" and self._insisted and not spoke):
            self._owed = self.failed = True
        elif status == "completed":
            self._owed = self._owed and spoke  # and not heard yet
        return self.failed


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
        self._failed_s = 0.0

    def passed(
        self, seconds: float, *, waits: bool, playing: bool, answering: bool, failed: bool
    ) -> list[Remedy]:
        """So much time passed. `waits`: the caller is owed a sound of the model's; `playing`:
        something is heard; `answering`: the model is at an answer, and may only be slow; `failed`:
        its newest answer came to nothing."""
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
        self._failed_s = self._failed_s + seconds if failed else 0.0
        if self._failed_s >= ANSWER_AGAIN_S:
            self._failed_s = 0.0
            remedies.append(AskAgain())
        elif not self._asked and self._late_s >= (ANSWER_STALLED_S if answering else WAITING_S):
            self._asked = True
            remedies.append(AskAgain())
        return remedies
