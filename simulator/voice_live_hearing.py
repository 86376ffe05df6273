"""The service's ears: finds utterances in the caller's audio, by the samples alone. No I/O.

Times are positions in the audio received, as in the API reference: `audio_start_ms` includes the
prefix padding, `audio_end_ms` the silence that ended the utterance.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.audio import SPEECH_RMS, rms

WINDOW_MS = 20


@dataclass(frozen=True)
class SpeechStarted:
    audio_start_ms: int


@dataclass(frozen=True)
class SpeechStopped:
    audio_end_ms: int
    pcm: bytes
    """The utterance, with prefix padding and the closing silence."""


Heard = SpeechStarted | SpeechStopped


class Hearing:
    """Fed with PCM16 at `rate`, tells where speech starts and stops.

    `detection` is the session's `turn_detection` (None: push to talk, only collects). `start_ms`
    is the position of the first sample, when the settings change in mid-session.
    """

    def __init__(
        self, rate: int, detection: Mapping[str, Any] | None, start_ms: float = 0.0
    ) -> None:
        told = detection or {}
        semantic = str(told.get("type", "")).startswith("azure_semantic_vad")
        self.rate = rate
        self._detects = detection is not None
        self._loud = SPEECH_RMS * float(told.get("threshold", 0.5)) / 0.5
        self._needs_ms = float(told.get("speech_duration_ms", 80 if semantic else 200))
        self._prefix_ms = float(told.get("prefix_padding_ms", 420 if semantic else 400))
        self._hang_over_ms = float(told.get("silence_duration_ms", 500))
        self._origin_ms = start_ms
        self._read = 0  # bytes judged so far
        self._buffer = bytearray()  # kept audio; its first byte is at `_kept_from`
        self._kept_from = 0
        self._loud_ms = 0.0
        self._quiet_ms = 0.0
        self._first_loud = 0
        self.speaking = False

    @property
    def position_ms(self) -> float:
        """How much audio has been received."""
        return self._origin_ms + self._ms(self._kept_from + len(self._buffer))

    def push(self, pcm: bytes) -> Iterator[Heard]:
        """Takes audio in pieces of any even length."""
        self._buffer += pcm
        if not self._detects:
            return
        window = self.rate * WINDOW_MS // 1000 * 2
        while self._kept_from + len(self._buffer) - self._read >= window:
            start = self._read - self._kept_from
            loud = rms(memoryview(self._buffer)[start : start + window]) > self._loud
            self._read += window
            if (heard := self._judge(loud, window)) is not None:
                yield heard

    def take(self) -> bytes:
        """Empties the buffer and returns what was in it (commit and clear)."""
        taken = bytes(self._buffer)
        self._kept_from += len(self._buffer)
        self._read = self._kept_from
        self._buffer.clear()
        self.speaking, self._loud_ms, self._quiet_ms = False, 0.0, 0.0
        return taken

    def _judge(self, loud: bool, window: int) -> Heard | None:
        if self.speaking:
            self._quiet_ms = 0.0 if loud else self._quiet_ms + WINDOW_MS
            if self._quiet_ms < self._hang_over_ms:
                return None
            self.speaking, self._loud_ms, self._quiet_ms = False, 0.0, 0.0
            said = bytes(self._buffer[: self._read - self._kept_from])
            self._forget(self._read)
            return SpeechStopped(round(self._origin_ms + self._ms(self._read)), said)
        if loud and self._loud_ms == 0:
            self._first_loud = self._read - window
        self._loud_ms = self._loud_ms + WINDOW_MS if loud else max(0.0, self._loud_ms - WINDOW_MS)
        since = self._first_loud if self._loud_ms else self._read
        prefix = int(self.rate * self._prefix_ms / 1000) * 2
        self._forget(since - prefix)
        if self._loud_ms == 0 or self._loud_ms < self._needs_ms:
            return None
        self.speaking = True
        return SpeechStarted(round(self._origin_ms + self._ms(self._kept_from)))

    def _forget(self, until: int) -> None:
        if until > self._kept_from:
            del self._buffer[: until - self._kept_from]
            self._kept_from = until

    def _ms(self, count: int) -> float:
        return count / 2 * 1000 / self.rate
