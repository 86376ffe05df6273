"""Lines on a terminal: in colour where it is wanted, in ASCII where nothing else can be shown."""

import shutil
from collections.abc import Mapping
from typing import TextIO

from simulator.demo_story import Line, Tone

WIDEST = 110
_TONES: Mapping[Tone, str] = {
    "caller": "",
    "agent": "1",
    "plain": "",
    "faint": "2",
    "loud": "1",
    "bad": "31",
}
_CALLS = ("36", "33")
"""Cyan, yellow: a colour for each call."""
_ASCII = str.maketrans({"│": "|", "…": "...", "’": "'", "–": "-", "€": "EUR"})


class Screen:
    """Prints lines, in colour only on a terminal and without NO_COLOR (https://no-color.org)."""

    def __init__(self, out: TextIO, environ: Mapping[str, str]) -> None:
        self._out = out
        dumb = environ.get("NO_COLOR") or environ.get("TERM") == "dumb"
        self._colours = out.isatty() and not dumb
        self.plain = not (out.encoding or "").lower().startswith("utf")
        """No characters beyond ASCII."""
        self.width = min(WIDEST, shutil.get_terminal_size((100, 24)).columns)

    def show(self, line: Line) -> None:
        text = coloured(line) if self._colours else line.text
        self._out.write(f"{ascii_only(text) if self.plain else text}\n")
        self._out.flush()

    def say(self, text: str = "", tone: Tone = "plain") -> None:
        self.show(Line(text, tone))


def coloured(line: Line) -> str:
    """Its text with the escapes of its tone and its call; a fault is red in every call."""
    call = "" if line.call is None or line.tone == "bad" else _CALLS[line.call % len(_CALLS)]
    codes = ";".join(code for code in (_TONES[line.tone], call) if code)
    return f"\x1b[{codes}m{line.text}\x1b[0m" if codes else line.text


def ascii_only(text: str) -> str:
    """`text` with what a terminal without Unicode lacks replaced: by its like, or by `?`."""
    return text.translate(_ASCII).encode("ascii", "replace").decode()
