import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switchboard.checks import Path
from switchboard.toml_lines import line_of, locate

KEYS = ("a", "b-1", "_c", "1979", "two words", "dot.ted", "ü", 'quo"te', "", "[x]", "#", "=")
STRINGS = (
    ('"plain"', "plain"),
    (r'"quoted \" and [brackets] # not a comment"', 'quoted " and [brackets] # not a comment'),
    (r"'C:\no\escape'", r"C:\no\escape"),
    ('""', ""),
    ("''", ""),
    ('"""one line"""', "one line"),
    ('"""\nfirst\n[not.a.table]\nkey = "no key"\n"""', 'first\n[not.a.table]\nkey = "no key"\n'),
    ('"""a""b"""', 'a""b'),
    ('"""ends in a quote\n""""', 'ends in a quote\n"'),
    ('"""ends in two\n"""""', 'ends in two\n""'),
    ('"""joined \\\n   up"""', "joined up"),
    ('"""escaped \\""" quotes"""', 'escaped """ quotes'),
    ("'''\nraw \\ text\n''it''\n'''", "raw \\ text\n''it''\n"),
    ("'''x''''", "x'"),
)
SCALARS = (
    ("1", 1),
    ("-0.5e3", -500.0),
    ("true", True),
    ("0xff", 255),
    ("1979-05-27 07:32:00", None),
    ("1979-05-27T07:32:00Z", None),
    ("07:32:00.5", None),
)


class _Writer:
    """Writes TOML and notes, independently of the reader under test, where it put what."""

    def __init__(self, draw: st.DrawFn, newline: str) -> None:
        self.draw = draw
        self.newline = newline
        self.text = ""
        self.line = 1
        self.lines: dict[Path, int] = {}

    def put(self, text: str) -> None:
        self.line += text.count("\n")
        self.text += text.replace("\n", self.newline)

    def note(self, path: Path) -> None:
        self.lines.setdefault(path, self.line)

    def space(self, *, lines: bool = False) -> None:
        blank = ("", " ", "\t ", *(("\n", " # ] } not the end\n ", "\n\n") if lines else ()))
        self.put(self.draw(st.sampled_from(blank)))

    def key(self, key: str) -> None:
        bare = key and key.isascii() and key.replace("-", "").replace("_", "").isalnum()
        escaped = key.replace("\\", r"\\").replace('"', r"\"")
        forms = [f'"{escaped}"', '"' + "".join(f"\\u{ord(c):04x}" for c in key) + '"']
        forms += [key] if bare else []
        forms += [f"'{key}'"] if "'" not in key else []
        self.put(self.draw(st.sampled_from(forms)))

    def dotted(self, prefix: Path, keys: list[str]) -> Path:
        path = prefix
        for place, key in enumerate(keys):
            if place:
                self.space()
                self.put(".")
                self.space()
            path = (*path, key)
            self.note(path)
            self.key(key)
        return path

    def value(self, path: Path, depth: int = 0) -> None:
        kinds = ["string", "string", "scalar", *(["list", "inline"] if depth < 3 else [])]
        kind = self.draw(st.sampled_from(kinds))
        if kind == "string":
            self.put(self.draw(st.sampled_from(STRINGS))[0])
        elif kind == "scalar":
            self.put(self.draw(st.sampled_from(SCALARS))[0])
        elif kind == "list":
            self.array(path, depth)
        else:
            self.inline(path, depth)

    def array(self, path: Path, depth: int) -> None:
        count = self.draw(st.integers(0, 3))
        self.put("[")
        for index in range(count):
            self.space(lines=True)
            self.note((*path, index))
            self.value((*path, index), depth + 1)
            self.space(lines=True)
            if index < count - 1 or self.draw(st.booleans()):
                self.put(",")
        self.space(lines=True)
        self.put("]")

    def inline(self, path: Path, depth: int) -> None:
        keys = self.draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=3))
        self.put("{")
        for place, key in enumerate(keys):
            self.put("," if place else "")
            self.space()
            self.entry(path, [key], depth + 1)
            self.space()
        self.put("}")

    def entry(self, prefix: Path, keys: list[str], depth: int = 0) -> None:
        path = self.dotted(prefix, keys)
        self.space()
        self.put("=")
        self.space()
        self.value(path, depth)

    def entries(self, prefix: Path) -> None:
        for key in self.draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=3)):
            self.space(lines=True)
            more = self.draw(st.lists(st.sampled_from(KEYS), max_size=1))
            self.entry(prefix, [key, *more])
            self.space()
            self.put(self.draw(st.sampled_from(["\n", " # [comment]\n"])))


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, dict[Path, int]]:
    writer = _Writer(draw, draw(st.sampled_from(["\n", "\r\n"])))
    writer.entries(())
    for index in range(draw(st.integers(0, 3))):
        writer.space(lines=True)
        writer.put("[")
        writer.space()
        path = writer.dotted((), [f"table{index}", *draw(st.lists(st.sampled_from(KEYS)))[:2]])
        writer.space()
        writer.put("]\n")
        writer.entries(path)
    for index in range(draw(st.integers(0, 3))):
        writer.put("[[")
        writer.note(("many",))
        writer.key("many")
        writer.put("]]")
        writer.note(("many", index))
        writer.put("\n")
        writer.entries(("many", index))
        if draw(st.booleans()):
            writer.put("[many.")
            writer.note(("many", index, "inner table"))
            writer.put('"inner table"]\n')
            writer.entries(("many", index, "inner table"))
    return writer.text, writer.lines


def _paths(value: Any, path: Path = ()) -> set[Path]:
    found = {path} if path else set()
    if isinstance(value, dict):
        for key, item in value.items():
            found |= _paths(item, (*path, key))
    if isinstance(value, list):
        for index, item in enumerate(value):
            found |= _paths(item, (*path, index))
    return found


@settings(max_examples=120)
@given(documents())
def test_everything_in_a_document_is_found_on_its_line(
    document: tuple[str, dict[Path, int]],
) -> None:
    text, lines = document
    assert locate(text) == lines
    assert set(lines) == _paths(tomllib.loads(text))


@pytest.mark.parametrize(("written", "meant"), [*STRINGS, *SCALARS])
def test_a_value_ends_where_tomllib_ends_it(written: str, meant: object) -> None:
    text = f"before = {written}\n\nafter = {{ x = {written}, y = [{written}, 1] }}\n"
    loaded = tomllib.loads(text)
    assert meant is None or loaded["before"] == meant
    after = 3 + written.count("\n")
    assert locate(text)["after",] == after
    assert set(locate(text)) == _paths(loaded)


def test_a_missing_key_is_shown_at_the_table_around_it() -> None:
    lines = locate("\n[agents.a]\nvoice = { type = 'x' }\n")
    assert line_of(("agents", "a", "model"), lines) == 2
    assert line_of(("agents", "a", "voice", "name"), lines) == 3
    assert line_of(("region",), lines) == 1
