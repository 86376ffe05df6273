import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from switchboard.agents_file import DOCUMENT
from switchboard.directory import parse_directory
from switchboard.shapes import Either, MapOf, Shape, Table, Tagged, Text

PAGE = (Path(__file__).parents[2] / "docs" / "agents.md").read_text("utf-8")
FILES = [text for text in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL) if "[agents" in text]


def _words(shape: Shape) -> Iterator[str]:
    """Every key and choice that an owner may write."""
    match shape:
        case Text(choices):
            yield from choices
        case MapOf(_, value):
            yield from _words(value)
        case Table(fields):
            for name, known in fields.items():
                yield name
                yield from _words(known.shape)
        case Tagged(_, cases):
            for case in cases.values():
                yield from _words(case)
        case Either(shapes):
            for candidate in shapes:
                yield from _words(candidate)


@pytest.mark.parametrize("word", sorted(set(_words(DOCUMENT)) - {"agents", "numbers"}))
def test_the_page_for_owners_explains_every_key_and_choice(word: str) -> None:
    in_code = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL))
    assert any(re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", code) for code in in_code)


@pytest.mark.parametrize("text", FILES)
def test_the_files_on_the_page_for_owners_are_good(text: str) -> None:
    assert parse_directory(text, source="docs/agents.md").agents


def test_the_page_shows_files() -> None:
    assert len(FILES) == 5
