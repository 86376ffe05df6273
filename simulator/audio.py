"""Sound as the simulators hold it: 16-bit little-endian mono PCM in bytes, rates in hertz."""

import hashlib
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np

SAMPLE_BYTES = 2
FRAME_MS = 20
"""One media packet of ACS audio streaming: 20 ms, 640 bytes at 16 kHz, 960 at 24 kHz."""
SPEECH_RMS = 300.0
"""A frame whose RMS is above this (of 32,768) is speech to our simple ears: about -41 dBFS."""
SPOKEN_MS_PER_CHARACTER = 62
"""Ordinary English speech is some 16 characters a second; for words without a clip."""


class AudioError(ValueError):
    """A sound file that cannot be used: says which one, why, and how to mend it."""


@dataclass(frozen=True)
class Clip:
    """A piece of sound: `pcm` at `rate` hertz."""

    pcm: bytes
    rate: int

    @property
    def duration_ms(self) -> float:
        return len(self.pcm) / SAMPLE_BYTES * 1000 / self.rate

    def at(self, rate: int) -> bytes:
        """The samples at `rate` hertz (resampled at most once per clip and rate)."""
        return self.pcm if rate == self.rate else _resampled(self.pcm, self.rate, rate)


def frame_bytes(rate: int) -> int:
    """Bytes in one 20 ms frame at `rate` hertz."""
    return rate * FRAME_MS // 1000 * SAMPLE_BYTES


def frames(pcm: bytes, rate: int) -> Iterator[bytes]:
    """Cuts `pcm` in 20 ms frames; the last is filled up with zeros."""
    size = frame_bytes(rate)
    for start in range(0, len(pcm), size):
        yield pcm[start : start + size].ljust(size, b"\0")


def silence(ms: float, rate: int) -> bytes:
    """`ms` of digital silence."""
    return bytes(round(rate * ms / 1000) * SAMPLE_BYTES)


def rms(pcm: bytes | memoryview) -> float:
    """Root mean square of the samples, 0 to 32,768; 0 for nothing. An odd last byte is ignored."""
    samples = np.frombuffer(pcm, dtype="<i2", count=len(pcm) // SAMPLE_BYTES).astype(np.float32)
    return float(np.sqrt(np.dot(samples, samples) / len(samples))) if len(samples) else 0.0


def louder(pcm: bytes, decibels: float) -> bytes:
    """The same sound, louder; softer, if it is below 0."""
    samples = np.frombuffer(pcm, dtype="<i2") * 10 ** (decibels / 20)
    return bytes(samples.clip(-32768, 32767).astype("<i2").tobytes())


def is_speech(pcm: bytes) -> bool:
    """Whether a frame is loud enough to be somebody speaking."""
    return rms(pcm) > SPEECH_RMS


def spoken_ms(text: str) -> int:
    """How long it takes to say `text`, estimated from its length; at least 300 ms."""
    return max(300, len(text) * SPOKEN_MS_PER_CHARACTER)


def placeholder(text: str, rate: int) -> Clip:
    """A murmur as long as `text` takes to say, for words without a recording: equal for equal text.

    Noise in syllables of some 150 ms, well above `SPEECH_RMS`, ending loud, so that energy
    detectors hear one utterance of exactly `spoken_ms(text)`.
    """
    count = rate * spoken_ms(text) // 1000
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    noise = np.random.default_rng(seed).normal(0.0, 1.0, count)
    smooth = np.convolve(noise, np.ones(8) / 8, mode="same")  # takes the hiss off
    loudness = 0.55 + 0.45 * np.cos(np.arange(count) * (2 * np.pi / (0.15 * rate)))
    return Clip((smooth * loudness * 14000).clip(-32768, 32767).astype("<i2").tobytes(), rate)


def read_wav(path: Path) -> Clip:
    """Reads a 16-bit PCM WAV file; of a stereo file the left channel. Raises AudioError."""
    try:
        with wave.open(str(path), "rb") as file:
            channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
            pcm = file.readframes(file.getnframes())
    except OSError as error:
        raise AudioError(f"{path}: {error.strerror}") from error
    except (EOFError, wave.Error) as error:
        raise AudioError(f"{path}: not a readable WAV file ({error})") from error
    if width != SAMPLE_BYTES:
        raise AudioError(f"{path}: {width * 8}-bit samples; save it as 16-bit PCM WAV")
    if channels > 1:
        pcm = np.frombuffer(pcm, dtype="<i2").reshape(-1, channels)[:, 0].tobytes()
    if not pcm:
        raise AudioError(f"{path}: holds no samples; record something into it")
    return Clip(pcm, rate)


def write_wav(file: Path | BinaryIO, *channels: bytes, rate: int) -> None:
    """Writes one WAV channel per argument, the shorter filled up with silence."""
    length = max((len(channel) for channel in channels), default=0)
    rows = [np.frombuffer(channel.ljust(length, b"\0"), dtype="<i2") for channel in channels]
    with wave.open(str(file) if isinstance(file, Path) else file, "wb") as wav:
        wav.setnchannels(len(channels))
        wav.setsampwidth(SAMPLE_BYTES)
        wav.setframerate(rate)
        wav.writeframes(np.stack(rows, axis=1).tobytes() if rows else b"")


@lru_cache(maxsize=64)
def _resampled(pcm: bytes, rate: int, wanted: int) -> bytes:
    return resample(pcm, rate, wanted)


_TAPS = 32
"""Samples of input that one sample of output is made of: ample for speech."""


def resample(pcm: bytes, rate: int, wanted: int) -> bytes:
    """The same sound at `wanted` hertz, by windowed-sinc interpolation of the whole piece."""
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32)
    cutoff = min(1.0, wanted / rate)
    positions = np.arange(len(samples) * wanted // rate) * (rate / wanted)
    half = int(_TAPS / 2 / cutoff)
    padded = np.pad(samples, half)
    out = np.zeros(len(positions), dtype=np.float64)
    whole = np.floor(positions).astype(np.int64)
    for tap in range(1 - half, half + 1):
        distance = whole + tap - positions
        window = np.cos(np.pi * np.clip(distance / half, -1, 1) / 2) ** 2
        out += padded[np.clip(whole + tap + half, 0, len(padded) - 1)] * (
            np.sinc(distance * cutoff) * window * cutoff
        )
    return np.rint(out).clip(-32768, 32767).astype("<i2").tobytes()
