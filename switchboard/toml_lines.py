"""Where things stand in a TOML text: `tomllib` gives the values, this gives their lines."""

import re
import tomllib
from bisect import bisect_left

from switchboard.checks import Path

_BLANK = re.compile(r"[ \t]*")
_BETWEEN = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\n]*")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)


def locate(text: str) -> dict[Path, int]:
    """The line, from 1, of every table, key and list entry of `text`, which `tomllib` accepts.

    A table has the line where it is first named. What `tomllib` refuses gives no useful answer.
    """
    scan = _Scan(text)
    scan.document()
    return scan.lines


def line_of(path: Path, lines: dict[Path, int]) -> int:
    """The line of `path`, or of the nearest table around it."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


class _Scan:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Path, int] = {}
        self._breaks = [match.start() for match in re.finditer("\n", text)]
        self._newest: dict[Path, int] = {}
        """Lists of tables ([[name]]): the index of the newest entry."""

    def document(self) -> None:
        prefix: Path = ()
        while self._between() < len(self.text):
            if self.text.startswith("[", self.at):
                prefix = self._header()
            else:
                self._entry(prefix)

    def _header(self) -> Path:
        line = self._line()
        is_list = self.text.startswith("[[", self.at)
        self.at += 2 if is_list else 1
        path: Path = ()
        keys = self._keys()
        for place, key in enumerate(keys, 1):
            path = (*path, key)
            self.lines.setdefault(path, line)
            if is_list and place == len(keys):
                self._newest[path] = self._newest.get(path, -1) + 1
            if path in self._newest:
                path = (*path, self._newest[path])
                self.lines.setdefault(path, line)
        self.at += 2 if is_list else 1
        return path

    def _entry(self, prefix: Path) -> None:
        line = self._line()
        path = prefix
        for key in self._keys():
            path = (*path, key)
            self.lines.setdefault(path, line)
        self.at += 1  # the =
        self._skip(_BLANK)
        self._value(path)

    def _keys(self) -> list[str]:
        """A dotted key, up to what follows it."""
        keys = []
        while True:
            self._skip(_BLANK)
            if self.text[self.at : self.at + 1] in ('"', "'"):
                keys.append(tomllib.loads("key = " + self._skip(_STRING))["key"])
            else:
                keys.append(self._skip(_BARE_KEY))
            self._skip(_BLANK)
            if not self.text.startswith(".", self.at):
                return keys
            self.at += 1

    def _value(self, path: Path) -> None:
        opening = self.text[self.at : self.at + 1]
        if opening == "[":
            self._members(path, "]")
        elif opening == "{":
            self._members(path, "}")
        else:
            self._skip(_STRING if opening in ('"', "'") else _SCALAR)

    def _members(self, path: Path, closing: str) -> None:
        self.at += 1
        index = 0
        while self.at < len(self.text):
            self._between()
            if self.text.startswith(closing, self.at):
                self.at += 1
                return
            if closing == "}":
                self._entry(path)
            else:
                self.lines[*path, index] = self._line()
                self._value((*path, index))
                index += 1
            self._between()
            if self.text.startswith(",", self.at):
                self.at += 1

    def _between(self) -> int:
        self._skip(_BETWEEN)
        return self.at

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None:
            raise ValueError(f"not TOML, at offset {self.at}")
        self.at = match.end()
        return match[0]

    def _line(self) -> int:
        return bisect_left(self._breaks, self.at) + 1
