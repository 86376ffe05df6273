"""Tells from the level of the caller's audio when speech begins and ends.

The detector's only clock is the audio that it is fed: it says the same whenever the audio comes.
Every 10 ms it takes the level of the newest 20 ms between 150 and 4000 Hz, where a telephone
carries speech and where mains hum and most of the hiss are not. Speech has begun when over the
minimum of speech the mean level exceeds the threshold, and most of its blocks come near it (a click
is loud but short). It has ended when no block exceeded the threshold for the hang-over.

Echo. While the agent is heard, its own voice may come back on the line, later and weaker. The
caller must then exceed what is being played, as it comes back, by a margin. How weak it comes back
is learnt from the call; until then all of it is expected.
"""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

from media_worker.bridges import SpeechStarted, SpeechStopped

BLOCK_MS = 10
SILENCE_DBFS = -96.0
"""The level of digital silence: 16 bits hold nothing softer."""

_BAND_HZ = (150.0, 4000.0)

ECHO_MS = 400
"""An echo comes back no later: two jitter buffers, and a mobile network there and back."""
_ECHO_LEARNT_MS = 2000
"""By so much of the newest audio it is judged how weak the echo is."""
_ECHO_UNKNOWN_MS = 500
"""Until so much agent audio was heard, an echo as loud as the agent is expected."""
_ECHO_LAG_MS = 300
"""Audio younger than this teaches nothing yet: it may be the beginning of speech."""
_PLAYING_DBFS = -50.0
"""Softer than this the agent is silent."""

_NEARLY = 0.5
"""Three decibels less. Speech need not exceed the threshold all the time, only come near it."""

_FLOOR_MS = 3000
_FLOOR_KNOWN_MS = 300
_FLOOR_PART = 0.2
"""The noise floor: what a fifth of the newest three seconds stays below. Talk has such gaps."""
_FLOOR_RISE_DB = 6.0


@dataclass(frozen=True, slots=True)
class RmsSettings:
    """What counts as speech. `docs/speaking.md` has the effect of each, measured."""

    threshold_dbfs: float = -31.5
    minimum_speech_ms: int = 60
    hang_over_ms: int = 300
    adaptive: bool = False
    """The threshold rises above the noise on the line; it never falls below `threshold_dbfs`."""
    margin_db: float = 3.0
    """Above the echo that is expected, while the agent is heard."""


def dbfs(pcm: bytes) -> float:
    """The level of 16-bit little-endian mono PCM; 0 is the loudest square wave."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    return _decibels(float(np.mean(samples * samples)) / 32768.0**2 if len(samples) else 0.0)


class RmsDetector:
    """The detector of one call, for 16-bit little-endian mono PCM at `rate` (hertz)."""

    def __init__(self, settings: RmsSettings, rate: int) -> None:
        self._settings = settings
        self._step = rate * BLOCK_MS // 1000
        self._ms_per_byte = 500.0 / rate
        self._held = bytes(2 * self._step)
        window = np.hanning(2 * self._step)
        low, high = (int(hertz * 2 * self._step / rate) for hertz in _BAND_HZ)
        self._window = (window / 32768.0).astype(np.float32)
        self._bins = slice(low, high + 1)
        self._scale = 2.0 / (2 * self._step * float(np.sum(window * window)))
        self._newest: deque[float] = deque(maxlen=max(1, settings.minimum_speech_ms // BLOCK_MS))
        self._floor = _NoiseFloor() if settings.adaptive else None
        self._echo = _Echo()
        self._quiet_ms: int | None = None  # while the caller speaks: since the last loud block

    def push(
        self, pcm: bytes, playing_dbfs: float | None = None
    ) -> SpeechStarted | SpeechStopped | None:
        """More of the caller's audio, usually 20 ms; `playing_dbfs` is the level of what the caller
        is hearing meanwhile, None when nothing. Answers at most once: what follows an event within
        the same audio is looked at with the next."""
        self._held += pcm
        event: SpeechStarted | SpeechStopped | None = None
        while event is None and len(self._held) >= 4 * self._step:
            samples = np.frombuffer(self._held, "<i2", 2 * self._step)
            self._held = self._held[2 * self._step :]
            spectrum = np.fft.rfft(samples * self._window)[self._bins]
            power = float(np.sum(spectrum.real**2 + spectrum.imag**2)) * self._scale
            event = self._block(power, playing_dbfs)
        return event

    def _block(
        self, power: float, playing_dbfs: float | None
    ) -> SpeechStarted | SpeechStopped | None:
        level = _decibels(power)
        threshold = self._threshold(level, playing_dbfs)
        self._newest.append(power)
        if self._quiet_ms is None:
            if not self._begun(10.0 ** (threshold / 10)):
                return None
            self._quiet_ms = 0
            self._echo.forget_newest()
            return SpeechStarted("", self._unseen_ms() + len(self._newest) * BLOCK_MS)
        self._quiet_ms = 0 if level > threshold else self._quiet_ms + BLOCK_MS
        if self._quiet_ms < self._settings.hang_over_ms:
            return None
        stopped = SpeechStopped("", self._unseen_ms() + self._quiet_ms)
        self._quiet_ms = None
        self._newest.clear()
        return stopped

    def _threshold(self, level: float, playing_dbfs: float | None) -> float:
        threshold = self._settings.threshold_dbfs
        if self._floor is not None:
            threshold = max(threshold, self._floor.push(level) + _FLOOR_RISE_DB)
        echo = self._echo.push(level, playing_dbfs, learn=self._quiet_ms is None)
        return max(threshold, echo + self._settings.margin_db)

    def _begun(self, power: float) -> bool:
        newest = self._newest
        if len(newest) != newest.maxlen or math.fsum(newest) <= power * len(newest):
            return False
        return 2 * sum(one > power * _NEARLY for one in newest) > len(newest)

    def _unseen_ms(self) -> float:
        return (len(self._held) - 2 * self._step) * self._ms_per_byte


class _NoiseFloor:
    """The level of the noise on the line, in dBFS."""

    def __init__(self) -> None:
        self._levels: deque[float] = deque(maxlen=_FLOOR_MS // BLOCK_MS)
        self._count = 0
        self._floor = SILENCE_DBFS

    def push(self, level: float) -> float:
        """The floor after one more block."""
        self._levels.append(level)
        self._count += 1
        if len(self._levels) >= _FLOOR_KNOWN_MS // BLOCK_MS and self._count % 10 == 0:
            self._floor = sorted(self._levels)[int(_FLOOR_PART * len(self._levels))]
        return self._floor


class _Echo:
    """How loud the agent's own voice may come back, in dBFS."""

    def __init__(self) -> None:
        self._played: deque[float] = deque(maxlen=ECHO_MS // BLOCK_MS)
        self._newest: deque[float] = deque()
        self._learnt: deque[float] = deque(maxlen=_ECHO_LEARNT_MS // BLOCK_MS)

    def push(self, level: float, playing_dbfs: float | None, *, learn: bool) -> float:
        """The echo to expect in this block of the caller's `level`."""
        self._played.append(SILENCE_DBFS if playing_dbfs is None else playing_dbfs)
        played = max(self._played)
        if played <= _PLAYING_DBFS:
            self._newest.clear()
            return SILENCE_DBFS
        if learn:
            self._newest.append(level - played)
            if len(self._newest) > _ECHO_LAG_MS // BLOCK_MS:
                self._learnt.append(self._newest.popleft())
        unknown = len(self._learnt) < _ECHO_UNKNOWN_MS // BLOCK_MS
        return played + (max(0.0, *self._learnt, 0.0) if unknown else max(self._learnt))

    def forget_newest(self) -> None:
        """The newest audio was speech: it says nothing about the echo."""
        self._newest.clear()


def _decibels(power: float) -> float:
    return max(SILENCE_DBFS, 10.0 * math.log10(power + 1e-12))
