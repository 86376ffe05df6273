"""`python -m simulator call`, where it goes wrong before it begins; and what it tells people."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from simulator.__main__ import main
from simulator.call import CallRequest, Told, summary, told_lines
from simulator.processes import ROOT
from simulator.script import CALLER, ScriptError


def _simulator(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "simulator", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=15,
        check=False,
    )


def test_a_script_with_a_mistake_is_refused_before_anything_is_started(tmp_path: Path) -> None:
    script = tmp_path / "caller.toml"
    script.write_text("[[steps]]\nhang_up = 1\n")
    done = _simulator("call", "--to", "+15550100001", "--script", str(script))
    assert done.returncode == 2
    assert done.stderr == f"{script}: step 1: write hang_up = true\n"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("call", "--to", "reception"), "--to: 'reception' is nobody to call: write a number as"),
        (("call", "--to", "+15550100001", "--from", "+1"), "--from: '+1' is nobody to call"),
        (("call", "--to", "+15550100001", "--wav", "gone.wav"), "gone.wav: No such file"),
        (("call", "--to", "+15550100001", "--wav", "a", "--script", "b"), "not allowed with"),
        (("up", "--agents", "gone.toml"), "gone.toml: No such file"),
    ],
)
def test_what_is_wrongly_asked_is_told_in_a_line(
    arguments: tuple[str, ...],
    complaint: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["simulator", *arguments])
    try:
        code: object = main()
    except SystemExit as left:  # argparse
        code = left.code
    assert code == 2
    assert complaint in capsys.readouterr().err.splitlines()[-1]


def test_a_caller_whose_script_has_an_impossible_number_is_refused(tmp_path: Path) -> None:
    script = tmp_path / "caller.toml"
    script.write_text('from = "me"\n[[steps]]\nhang_up = true\n')
    with pytest.raises(ScriptError, match="from: 'me' is nobody to call"):
        CallRequest("+15550100001", script=script).load()


def test_a_port_file_of_no_running_system_is_told(tmp_path: Path) -> None:
    done = _simulator("call", "--to", "+15550100001", "--up", str(tmp_path / "up.json"))
    assert done.returncode == 1
    assert "tells of no running system" in done.stderr


def test_the_caller_has_a_number_even_where_none_is_given(tmp_path: Path) -> None:
    script = tmp_path / "caller.toml"
    script.write_text('from = "+14255550199"\n[[steps]]\nhang_up = true\n')
    request = CallRequest("+15550100001", script=script)
    assert request.to_json(request.load())["from"] == "+14255550199"
    given = CallRequest("+15550100001", "anonymous", script=script)
    assert given.to_json(given.load())["from"] == "anonymous"
    plain = CallRequest("+15550100001")
    assert plain.to_json(plain.load())["from"] == CALLER


def _told(**changes: Any) -> Told:
    turn = {
        "speaker": "agent",
        "text": "Nine to five.",
        "heard_text": "Nine",
        "started_ms": 1500.0,
        "ended_ms": 2000.0,
        "interrupted": True,
        "reply_latency_ms": 640.4,
    }
    report = {
        "turns": [turn],
        "ended_by": "caller",
        "end_reason": "caller_hung_up",
        "as_scripted": True,
        "faults": [],
    }
    return Told({**report, **changes}, b"RIFF")


def test_people_read_what_was_heard_how_late_and_what_went_wrong() -> None:
    turn, end = told_lines(_told())
    assert turn == "    1.50 s   agent: Nine  (after 640 ms, interrupted)"
    assert end == "ended by caller, end reason caller_hung_up"
    bad = _told(as_scripted=False, faults=["no greeting was heard"])
    assert not bad.good
    assert told_lines(bad)[-1] == "not as scripted: no greeting was heard"
    entry = {"t_ms": 1234.5, "event": "media_connected", "rate": 24000}
    assert summary(entry) == "    1.23 s  media connected  rate=24000"


def test_the_report_is_written_as_files(tmp_path: Path) -> None:
    _told().write(tmp_path / "out")
    assert json.loads((tmp_path / "out" / "call.json").read_text())["ended_by"] == "caller"
    assert (tmp_path / "out" / "call.wav").read_bytes() == b"RIFF"
