"""Changes the sample rate of live audio, holding nothing back.

A polyphase FIR filter with state: what a frame's end still owes comes with the next frame, so any
cutting of the audio into pieces gives the same samples. It delays the sound by 1.5 ms and no more,
where a streaming resampler made for files holds back 20 to 40 ms. Used only when the call runs at
16 kHz and the service at 24 kHz; at equal rates audio is never touched.
"""

from math import gcd

import numpy as np
from numpy.typing import NDArray

_HALF_S = 0.0015
"""Half of the filter, and so its delay."""

_BAND = 0.9375
"""The filter's -6 dB point as a part of the lower rate's half: 7.5 of 8 kHz."""

_KAISER_BETA = 7.0
"""Leaves 75 dB and more between what may pass and what may not."""


class Resampler:
    """A stream of 16-bit little-endian mono PCM from `source_rate` to `target_rate` (hertz).

    After N samples in, exactly N × target / source have come out, rounded down to whole steps of
    the ratio (24 to 16 kHz: 3 in, 2 out). Raises ValueError for rates whose ratio needs more than
    16 steps, such as 44100 to 24000: those are not telephone audio.
    """

    def __init__(self, source_rate: int, target_rate: int) -> None:
        common = gcd(source_rate, target_rate)
        up, down = target_rate // common, source_rate // common
        if max(up, down) > 16:
            raise ValueError(f"cannot resample {source_rate} Hz to {target_rate} Hz live")
        taps = _lowpass(source_rate, up, down)
        self._past = -(-len(taps) // up)
        self._down = down
        self._matrix = _phases(taps, up, down, self._past)
        self._held = b""
        self._history = np.zeros(self._past, np.float32)

    def push(self, pcm: bytes) -> bytes:
        """The samples that `pcm` completes. Odd bytes and samples wait for the next push."""
        data = self._held + pcm
        rows = len(data) // (2 * self._down)
        self._held = data[rows * 2 * self._down :]
        if rows == 0:
            return b""
        new = np.frombuffer(data, "<i2", rows * self._down)
        known = np.concatenate((self._history, new), dtype=np.float32)
        self._history = known[len(known) - self._past :]
        seen = np.lib.stride_tricks.sliding_window_view(known, self._past + self._down)
        out = seen[:: self._down] @ self._matrix
        np.rint(out, out=out)
        return np.clip(out, -32768, 32767, out=out).astype("<i2").tobytes()


def _lowpass(source_rate: int, up: int, down: int) -> NDArray[np.float64]:
    """A windowed sinc at the rate that both rates divide."""
    rate = source_rate * up
    half = int(_HALF_S * rate)
    cut = _BAND / max(up, down)
    at = np.arange(-half, half + 1)
    taps: NDArray[np.float64] = cut * np.sinc(cut * at) * np.kaiser(len(at), _KAISER_BETA)
    taps *= up / taps.sum()
    return taps


def _phases(taps: NDArray[np.float64], up: int, down: int, past: int) -> NDArray[np.float32]:
    """The taps so arranged that (`past` old and `down` new samples) times this gives `up` samples.

    Output j of a step lies j × down / up samples after its first input; input i (counted from the
    oldest) lies i - past. Their distance, in steps of the common rate, names the tap.
    """
    matrix = np.zeros((past + down, up), np.float32)
    for output in range(up):
        for source in range(past + down):
            tap = output * down - (source - past) * up
            if 0 <= tap < len(taps):
                matrix[source, output] = taps[tap]
    return matrix
