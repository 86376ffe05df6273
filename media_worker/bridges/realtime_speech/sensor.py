"""The ear of our own: the level of the caller's audio, beside that of what is being played."""

from collections import deque
from collections.abc import Callable

import pybase64

from media_worker.bridges import SpeechStarted, SpeechStopped
from media_worker.bridges.realtime_speech import rms
from switchboard.speech_voice import BargeIn

_BLOCK_S = 0.1
"""How finely the level of what is played is known."""


class LevelSensor:
    """One call's; idle where the agent trusts the service's. `now`: the loop's clock."""

    def __init__(self, barge_in: BargeIn, rate: int, now: Callable[[], float]) -> None:
        self.decides = barge_in.sensor == "rms"
        """Whether the service's own sensor does not count."""
        self._rate, self._now = rate, now
        self._detector: rms.RmsDetector | None = None
        if barge_in.sensor != "service":
            settings = rms.RmsSettings(
                threshold_dbfs=barge_in.threshold_dbfs,
                minimum_speech_ms=barge_in.minimum_speech_ms,
                hang_over_ms=barge_in.hang_over_ms,
                adaptive=barge_in.adaptive_noise_floor,
            )
            self._detector = rms.RmsDetector(settings, rate)
        self._playing: deque[tuple[float, float]] = deque()
        """When each block will have been played, and its level."""
        self._ends_at = 0.0
        """When all will have been played."""

    def hear(self, audio: bytes) -> SpeechStarted | SpeechStopped | None:
        """Caller audio, base64 text; what follows from it."""
        if self._detector is None:
            return None
        now = self._now()
        while self._playing and self._playing[0][0] <= now:
            self._playing.popleft()
        playing_dbfs = self._playing[0][1] if self._playing else None
        return self._detector.push(pybase64.b64decode(audio), playing_dbfs)

    @property
    def playing(self) -> bool:
        """Whether something that was played is still being heard."""
        return self._ends_at > self._now()

    def played(self, pcm: bytes) -> None:
        """Audio goes to the caller, who hears it behind what was sent before."""
        ends_at = max(self._now(), self._ends_at)
        self._ends_at = ends_at + len(pcm) / 2 / self._rate
        if self._detector is None:
            return
        size = int(_BLOCK_S * self._rate) * 2
        for at in range(0, len(pcm), size):
            block = pcm[at : at + size]
            ends_at += len(block) / 2 / self._rate
            self._playing.append((ends_at, rms.dbfs(block)))

    def silenced(self) -> None:
        """What was to be played is not."""
        self._playing.clear()
        self._ends_at = 0.0
