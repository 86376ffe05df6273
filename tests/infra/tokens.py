"""A Bicep file as tokens."""

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["name", "number", "text", "newline", "sign", "end"]

_PATTERN = re.compile(
    r"""
    (?P<space>[ \t]+ | //[^\n]* | /\*.*?\*/)
  | (?P<newline>\n)
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<number>[0-9]+)
  | (?P<multiline>'''.*?''')
  | (?P<quote>')
  | (?P<sign>=> | == | != | =~ | !~ | <= | >= | && | \|\| | \?\? | \.\? | [-+*/%<>!=?:.,(){}\[\]|@])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", "'": "'", "$": "$"}


class BicepError(ValueError):
    """The text is not what Bicep allows; says where."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line
        self.message = message


@dataclass(frozen=True)
class Token:
    """`parts` of a text alternate: constant, source of an interpolation, constant, …"""

    kind: Kind
    value: str
    line: int
    parts: tuple[str, ...] = ()


def tokens(source: str) -> list[Token]:
    """Every token, several newlines in a row as one, `end` last."""
    found: list[Token] = []
    at, line = 0, 1
    while at < len(source):
        match = _PATTERN.match(source, at)
        if match is None:
            raise BicepError(line, f"unexpected {source[at]!r}")
        kind, value, at = match.lastgroup, match.group(), match.end()
        if kind == "quote":
            parts, at = _text(source, at, line)
            found.append(Token("text", parts[0], line, parts))
        elif kind == "multiline":
            text = value[3:-3].removeprefix("\n")
            found.append(Token("text", text, line, (text,)))
        elif kind == "newline":
            if found and found[-1].kind != "newline":
                found.append(Token("newline", "\n", line))
        elif kind in ("name", "number", "sign"):
            found.append(Token(_KINDS[kind], value, line))
        line += value.count("\n")
    return [*found, Token("newline", "\n", line), Token("end", "", line)]


_KINDS: dict[str, Kind] = {"name": "name", "number": "number", "sign": "sign"}


def _text(source: str, at: int, line: int) -> tuple[tuple[str, ...], int]:
    """The pieces of a text that starts at `at`, after its quote, and where it ends."""
    parts, constant = list[str](), ""
    while at < len(source) and source[at] != "\n":
        here = source[at]
        if here == "'":
            return (*parts, constant), at + 1
        if here == "\\":
            if source[at + 1] not in _ESCAPES:
                raise BicepError(line, f"unknown escape \\{source[at + 1]}")
            constant += _ESCAPES[source[at + 1]]
            at += 2
        elif source.startswith("${", at):
            end = _closing_brace(source, at + 2, line)
            parts += [constant, source[at + 2 : end]]
            constant, at = "", end + 1
        else:
            constant += here
            at += 1
    raise BicepError(line, "a text that does not end on its line")


def _closing_brace(source: str, at: int, line: int) -> int:
    """Where the interpolation that starts at `at` ends; texts inside may hold braces too."""
    depth = 0
    while at < len(source) and source[at] != "\n":
        if source[at] == "'":
            _, at = _text(source, at + 1, line)
            continue
        if source[at] == "}" and depth == 0:
            return at
        depth += {"{": 1, "}": -1}.get(source[at], 0)
        at += 1
    raise BicepError(line, "an interpolation that does not end on its line")


class Cursor:
    """A place in a list of tokens."""

    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0

    @property
    def here(self) -> Token:
        """The next token, not taken."""
        return self._tokens[self._at]

    def next(self) -> Token:
        """Takes one token."""
        self._at += 1
        return self._tokens[self._at - 1]

    def take(self, value: str) -> bool:
        """Whether this very word, sign or newline is next; if so it is gone."""
        taken = self.here.value == value and self.here.kind in ("name", "sign", "newline")
        self._at += taken
        return taken

    def need(self, value: str) -> None:
        """Takes this word or sign; `BicepError` if it is not there."""
        if not self.take(value):
            raise BicepError(self.here.line, f"expected {value!r}, not {self.here.value!r}")

    def need_name(self) -> str:
        """Takes a name."""
        if self.here.kind != "name":
            raise BicepError(self.here.line, f"expected a name, not {self.here.value!r}")
        return self.next().value

    def need_text(self) -> str:
        """Takes a text that says all by itself."""
        if self.here.kind != "text" or len(self.here.parts) != 1:
            raise BicepError(self.here.line, "expected a text without interpolation")
        return self.next().value

    def separator(self, closing: str) -> None:
        """Between two items stands a comma or a new line."""
        if not (self.take(",") or self.take("\n")) and self.here.value != closing:
            raise BicepError(self.here.line, f"unexpected {self.here.value!r}")
        self.skip_newlines()

    def skip_newlines(self) -> None:
        """Where new lines mean nothing."""
        while self.take("\n"):
            pass
