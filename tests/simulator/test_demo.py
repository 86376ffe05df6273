"""The demo as a stranger sees it: real processes, real time."""

import asyncio
import io
import json
import os
from pathlib import Path

import pytest

from simulator.audio import read_wav
from simulator.demo import Screen, main, run
from simulator.demo_story import Line


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class Pipe(io.StringIO):
    encoding = "ascii"


@pytest.mark.long
@pytest.mark.timeout(120)
def test_a_caller_is_greeted_answered_interrupts_and_is_said_goodbye_to(tmp_path: Path) -> None:
    out = Pipe()
    assert asyncio.run(run(Screen(out, {}), os.environ, out=tmp_path)) == 0, out.getvalue()
    text = " ".join(out.getvalue().split())
    for words in (
        "agent Hello, you have reached Harbour Cycles. How can I help you?",
        "caller Hi. When are you open on Saturday?",
        "agent On Saturdays we are open from nine",
        "caller Sorry, how much is a service? [interrupts]",
        "the agent falls silent",
        "agent A full service is sixty euros, and it takes one day.",
        "caller Great, thank you. Goodbye.",
        "agent Thank you for calling. Goodbye.",
        "the agent hangs up",
    ):
        assert words in text
    assert text.isascii()
    assert "\x1b" not in text
    report = json.loads((tmp_path / "call.json").read_text())
    replies = [turn["reply_latency_ms"] for turn in report["turns"] if turn["speaker"] == "agent"]
    assert len(replies) == 4
    assert all(latency < 2000 for latency in replies[1:])
    assert [turn["interrupted"] for turn in report["turns"]].count(True) == 1
    assert read_wav(tmp_path / "call.wav").duration_ms > 10_000


def test_a_failure_names_the_process_and_shows_what_it_said_last(tmp_path: Path) -> None:
    out = Pipe()
    environ = {**os.environ, "MEDIA_AUTH": "sometimes"}
    assert asyncio.run(run(Screen(out, {}), environ, out=tmp_path)) == 1
    assert "The demo could not run: worker ended with exit code" in out.getvalue()
    assert "MEDIA_AUTH" in out.getvalue()
    assert not list(tmp_path.iterdir())


def test_colour_is_for_terminals_that_want_it() -> None:
    line = Line("words", "agent")
    shown = []
    for out, environ in (
        (Terminal(), {}),
        (Terminal(), {"NO_COLOR": "1"}),
        (Terminal(), {"TERM": "dumb"}),
        (Pipe(), {}),
    ):
        Screen(out, environ).show(line)
        shown.append(out.getvalue())
    assert shown == ["\x1b[32mwords\x1b[0m\n", "words\n", "words\n", "words\n"]


def test_a_terminal_without_unicode_gets_no_character_that_it_lacks() -> None:
    out = Pipe()
    Screen(out, {}).say("caller │ ▅▆")
    assert out.getvalue() == "caller ? ??\n"


def test_the_demo_takes_no_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert main(["--fast"]) == 2
    assert "takes no arguments" in capsys.readouterr().out
