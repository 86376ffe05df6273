"""What the simulated service understands: it knows some utterances by the sound of them. No I/O.

Real recognition would need a model. Here an utterance is recognised if the samples that truly
arrived hold a known clip: exactly, or (resampled, or on a noisy line) by its loudness over time.
"""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from simulator.script import Utterance

_STEP_MS = 10
_ALIKE = 0.93
"""Correlation of two loudness curves above which they are the same words."""
_NEAR_MS = 80
"""How far the lengths of the same words may differ."""


class Recognition:
    """Utterances to listen for; those added last are tried first."""

    def __init__(self, known: Iterable[Utterance] = ()) -> None:
        self._known: list[Utterance] = []
        for utterance in known:
            self.add(utterance)

    def add(self, utterance: Utterance) -> None:
        if utterance.text and utterance not in self._known:
            self._known.insert(0, utterance)

    def words(self, pcm: bytes, rate: int) -> str | None:
        """The words of an utterance at `rate` hertz; None if it is none that is known."""
        for utterance in self._known:
            if _middle(utterance, rate) in pcm:
                return utterance.text
        heard = _curve(pcm, rate)
        return max(
            (
                (likeness, utterance.text)
                for utterance in self._known
                if utterance.clip is not None
                and (likeness := _likeness(heard, _curve_of(utterance, rate))) > _ALIKE
            ),
            default=(0.0, None),
        )[1]


@lru_cache(maxsize=1024)
def _middle(utterance: Utterance, rate: int) -> bytes:
    """Forty milliseconds from the middle: enough to tell any two utterances apart."""
    pcm = utterance.pcm(rate)
    start = len(pcm) // 4 * 2
    return pcm[start : start + rate // 25 * 2]


@lru_cache(maxsize=1024)
def _curve_of(utterance: Utterance, rate: int) -> npt.NDArray[np.float32]:
    return _curve(utterance.pcm(rate), rate)


def _curve(pcm: bytes, rate: int) -> npt.NDArray[np.float32]:
    """Loudness every 10 ms, from the first loud moment to the last."""
    step = rate * _STEP_MS // 1000
    samples = np.frombuffer(pcm, dtype="<i2", count=len(pcm) // 2).astype(np.float32)
    rows = samples[: len(samples) // step * step].reshape(-1, step)
    loudness = np.sqrt(np.mean(rows * rows, axis=1)) if len(rows) else np.zeros(0, np.float32)
    loud = np.flatnonzero(loudness > 0.1 * loudness.max(initial=1.0))
    trimmed: npt.NDArray[np.float32] = loudness[loud[0] : loud[-1] + 1] if len(loud) else loudness
    return trimmed


def _likeness(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    if min(len(one), len(other)) < 5 or abs(len(one) - len(other)) * _STEP_MS > _NEAR_MS:
        return 0.0
    shorter, longer = sorted((one, other), key=len)
    return max(
        _correlation(shorter, longer[shift : shift + len(shorter)])
        for shift in range(len(longer) - len(shorter) + 1)
    )


def _correlation(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    one, other = one - one.mean(), other - other.mean()
    return float(np.dot(one, other) / (np.sqrt(np.dot(one, one) * np.dot(other, other)) + 1e-6))
