"""A call as two rows of bars: when the caller was heard, and when the agent. No clock, no network.

The pictures are of a call's WAV file: caller left, agent as the caller heard it right.
"""

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

BARS = " ▁▂▃▄▅▆▇█"
PLAIN_BARS = " .:-=+*#@"
FLOOR_DB = -50.0
"""Below this level of full scale nothing is drawn: line noise."""
TOP_DB = -14.0
"""Loud speech."""
LABEL_WIDTH = 8


def length_s(path: Path) -> float:
    """How many seconds a recording takes."""
    with wave.open(str(path), "rb") as file:
        return file.getnframes() / file.getframerate()


def draw(
    path: Path, *, width: int = 78, plain: bool = False, seconds: float | None = None
) -> list[str]:
    """The lines of the picture, `width` characters wide; `plain` for terminals without Unicode.

    `seconds` is what the width stands for, if more than the call took: two calls on one scale.
    """
    with wave.open(str(path), "rb") as file:
        rate, channels = file.getframerate(), file.getnchannels()
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    tracks = samples.reshape(-1, channels).T.astype(np.float32)
    took = tracks.shape[1] / rate
    scale = max(seconds or 0.0, took, 1e-9)
    columns = max(1, round((width - LABEL_WIDTH) * took / scale))
    rows = [
        f"{name:<{LABEL_WIDTH - 2}}{'|' if plain else '│'} {_bars(track, columns, plain)}"
        for name, track in zip(("caller", "agent"), tracks, strict=False)
    ]
    return [*rows, _axis(scale, width - LABEL_WIDTH)]


def _bars(track: NDArray[np.float32], columns: int, plain: bool) -> str:
    bars = PLAIN_BARS if plain else BARS
    levels = [
        10 * np.log10(float(np.mean((part / 32768) ** 2)) + 1e-12) if len(part) else FLOOR_DB
        for part in np.array_split(track, columns)
    ]
    steps = [(level - FLOOR_DB) / (TOP_DB - FLOOR_DB) * (len(bars) - 1) for level in levels]
    return "".join(bars[min(len(bars) - 1, max(0, round(step)))] for step in steps).rstrip()


def _axis(seconds: float, columns: int) -> str:
    """Marks every so many seconds, as many as fit."""
    step = next((s for s in (1, 2, 5, 10, 30, 60) if seconds / s * 6 <= columns), 300)
    line = [" "] * columns
    for second in range(0, int(seconds) + 1, step):
        at = round(second / seconds * columns)
        label = f"{second} s"
        if at + len(label) <= columns:
            line[at : at + len(label)] = label
    return (" " * LABEL_WIDTH + "".join(line)).rstrip()
