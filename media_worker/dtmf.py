"""Keyed digits, collected into what the caller meant as one input."""

from media_worker.limits import DTMF_DIGITS, DTMF_GAP_S


class Digits:
    """Collects tones until `#` or a pause. Times are seconds of the loop's clock."""

    def __init__(self) -> None:
        self._digits = ""
        self.due_at: float | None = None
        """When the digits so far are complete for want of another; None: there are none."""

    def push(self, tone: str, now: float) -> str | None:
        """One tone. Returns the digits when they are complete: without a closing `#`, unless that
        is the only key pressed."""
        if tone == "#":
            return self._take() or tone
        self._digits += tone
        self.due_at = now + DTMF_GAP_S
        return self._take() if len(self._digits) >= DTMF_DIGITS else None

    def due(self, now: float) -> str | None:
        """The digits, when the pause after the last one has been long enough by `now`."""
        return self._take() if self.due_at is not None and now >= self.due_at else None

    def _take(self) -> str:
        digits, self._digits, self.due_at = self._digits, "", None
        return digits
