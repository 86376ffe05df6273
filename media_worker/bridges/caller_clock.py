"""When a service heard the caller speak, reckoned from the audio that it was sent.

A service tells the time of speech by its own count of the connection's audio, with the padding that
it puts before speech, or the silence that it waited for behind it (API references of Voice Live and
Realtime: `audio_start_ms`, `prefix_padding_ms`, `audio_end_ms`, `silence_duration_ms`).
"""

from collections.abc import Mapping

from media_worker.acs_media import sample_count

_BEFORE_MS = 500.0
"""A service tells of speech some time after it began, and may not say when that was."""
_SILENCE_MS = 500.0
"""Default of `silence_duration_ms` in every detector that has it."""


class CallerClock:
    """Follows one connection after the other. `rate` in hertz; `detection`: the session's
    `turn_detection`; `padding_ms`: the service's default of `prefix_padding_ms`."""

    def __init__(self, rate: int, detection: Mapping[str, object], padding_ms: float) -> None:
        self._samples_per_ms = rate / 1000
        self._padding_ms = _number(detection, "prefix_padding_ms", padding_ms)
        self._silence_ms = _number(detection, "silence_duration_ms", _SILENCE_MS)
        self._samples = 0
        self._began_ms: float | None = None
        """Where the words began that nobody has answered."""

    def sent(self, audio: bytes) -> None:
        """Caller audio (base64 text) was sent."""
        self._samples += sample_count(audio)

    def restart(self) -> None:
        """The next audio is the first of a new connection."""
        self._samples = 0
        self._began_ms = None

    @property
    def unanswered_ms(self) -> float:
        """How much of the newest audio holds words of the caller that nobody has answered, with
        a little before them; 0: none."""
        return 0.0 if self._began_ms is None else self._sent_ms - self._began_ms + _BEFORE_MS

    def answered(self) -> None:
        """An answer is being made."""
        self._began_ms = None

    def started_ago_ms(self, at_ms: float | None) -> float:
        """The caller speaks: how long ago that began which the service places at `at_ms`; 0: it
        does not say."""
        self._began_ms = min(self._sent_ms, self._sent_ms if at_ms is None else at_ms)
        return self._ago_ms(at_ms, self._padding_ms)

    def stopped_ago_ms(self, at_ms: float | None) -> float:
        """How long ago speech ended that the service places at `at_ms`; 0: it does not say."""
        return self._ago_ms(at_ms, -self._silence_ms)

    def _ago_ms(self, at_ms: float | None, correction_ms: float) -> float:
        if at_ms is None:
            return 0.0
        return max(0.0, self._sent_ms - at_ms - correction_ms)

    @property
    def _sent_ms(self) -> float:
        return self._samples / self._samples_per_ms


def _number(detection: Mapping[str, object], name: str, default: float) -> float:
    value = detection.get(name)
    return float(value) if isinstance(value, int | float) else default
