import io

import pytest

from simulator.demo_screen import Screen
from simulator.demo_story import Line


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class Pipe(io.StringIO):
    encoding = "ascii"


def shown(line: Line, out: io.StringIO, environ: dict[str, str] | None = None) -> str:
    Screen(out, environ or {}).show(line)
    return out.getvalue()


def test_each_call_has_a_colour_of_its_own_and_its_agent_stands_out() -> None:
    first, second = (shown(Line("words", "caller", call), Terminal()) for call in (0, 1))
    assert first == "\x1b[36mwords\x1b[0m\n"
    assert second == "\x1b[33mwords\x1b[0m\n"
    assert shown(Line("words", "agent", 1), Terminal()) == "\x1b[1;33mwords\x1b[0m\n"
    assert shown(Line("words"), Terminal()) == "words\n"


def test_a_fault_is_red_in_every_call() -> None:
    assert {shown(Line("no", "bad", call), Terminal()) for call in (None, 0, 1)} == {
        "\x1b[31mno\x1b[0m\n"
    }


@pytest.mark.parametrize(
    ("out", "environ"),
    [(Terminal(), {"NO_COLOR": "1"}), (Terminal(), {"TERM": "dumb"}), (Pipe(), {})],
)
def test_colour_is_for_terminals_that_want_it(out: io.StringIO, environ: dict[str, str]) -> None:
    assert shown(Line("words", "agent", 1), out, environ) == "words\n"


def test_a_terminal_without_unicode_gets_no_character_that_it_lacks() -> None:
    assert shown(Line("bakery │ it’s ▅"), Pipe()) == "bakery | it's ?\n"


def test_a_wide_terminal_is_not_filled(monkeypatch: pytest.MonkeyPatch) -> None:
    for columns, width in (("60", 60), ("250", 110)):
        monkeypatch.setenv("COLUMNS", columns)
        assert Screen(Pipe(), {}).width == width
