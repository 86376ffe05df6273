"""The whole system on one machine: its port file, its environment, its failures."""

import json
import os
import subprocess
import sys
import wave
from pathlib import Path

import pytest

from simulator.audio import read_wav
from simulator.processes import ROOT, put_file
from simulator.up import Running, find_running, withdraw
from tests.simulator.endpoints import ENDPOINTS

SPEECH = ROOT / "simulator" / "speech"


def _running(pid: int) -> Running:
    return Running(ENDPOINTS, "http://f", "ws://m", "http://e", 24000, True, "/tmp", pid)


def test_a_running_system_is_found_by_its_port_file_and_a_dead_one_is_not(tmp_path: Path) -> None:
    file = tmp_path / "up.json"
    assert find_running(file) is None
    file.write_text(json.dumps(_running(os.getpid()).to_json()))
    assert find_running(file) == _running(os.getpid())
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    file.write_text(json.dumps(_running(ended.pid).to_json()))
    assert find_running(file) is None
    file.write_text("{}")
    assert find_running(file) is None


def test_a_command_can_be_run_with_the_settings_of_the_running_system(tmp_path: Path) -> None:
    file = tmp_path / "up.json"
    ask = [sys.executable, "-m", "simulator", "env", "--up", str(file)]
    nothing = subprocess.run(ask, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (nothing.returncode, nothing.stdout) == (1, "")
    assert "start one with `python -m simulator up`" in nothing.stderr
    file.write_text(json.dumps(_running(os.getpid()).to_json()))
    printed = subprocess.run(ask, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "CALLBACK_URL=http://f/api\n" in printed
    assert "MEDIA_URL=ws://m\n" in printed
    assert "VOICE_LIVE_ENDPOINT=http://127.0.0.1:5\n" in printed
    show = [sys.executable, "-c", "import os; print(os.environ['CALLBACK_URL'])"]
    told = subprocess.run([*ask, *show], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout == "http://f/api\n"


def test_a_port_file_that_tells_of_another_system_by_now_is_left_alone(tmp_path: Path) -> None:
    mine, others = tmp_path / "mine.json", tmp_path / "others.json"
    put_file(mine, json.dumps(_running(os.getpid()).to_json()))
    put_file(others, json.dumps(_running(os.getppid()).to_json()))
    for file in (mine, others, tmp_path / "gone.json"):
        withdraw(file)
    assert list(tmp_path.iterdir()) == [others]


@pytest.mark.long
@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("number", "rate", "greeting", "bridge"),
    [
        ("+15550100001", 16000, "agent_greeting", "voice_live"),
        ("+15550100002", 24000, "agent_workshop", "voice_live"),
        ("+15550100003", 24000, "bakery_greeting", "realtime_speech"),
    ],
)
def test_one_command_places_a_call_to_an_agent_of_either_bridge_or_of_foundry(
    number: str, rate: int, greeting: str, bridge: str, tmp_path: Path
) -> None:
    wav = SPEECH / "caller_goodbye.wav"
    command = ["-m", "simulator", "call", "--to", number, "--wav", str(wav)]
    options = ["--rate", str(rate), "--out", str(tmp_path), "--json"]
    done = subprocess.run(
        [sys.executable, *command, *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "call.json").read_text())
    assert json.loads(done.stdout) == report
    assert report["rate"] == rate
    assert report["bridge"] == bridge
    assert report["end_reason"]
    assert [turn["speaker"] for turn in report["turns"]] == ["agent", "caller", "agent"]
    greeted = report["turns"][0]
    spoken_ms = read_wav(SPEECH / f"{greeting}.wav").duration_ms  # heard as recorded
    assert greeted["ended_ms"] - greeted["started_ms"] == pytest.approx(spoken_ms, abs=120)
    if number != "+15550100002":  # its words are not kept
        assert all(turn["heard_text"] for turn in report["turns"])
    assert report["greeting_first_sample_ms"] < 2000
    with wave.open(str(tmp_path / "call.wav")) as recording:
        assert (recording.getnchannels(), recording.getframerate()) == (2, rate)
