"""The whole system on one machine: its port file, its environment, its failures."""

import asyncio
import json
import os
import subprocess
import sys
import wave
from pathlib import Path

import pytest

from simulator.environment import Endpoints
from simulator.processes import ROOT, Processes, SystemFailed, free_port
from simulator.up import Running, _merged, find_running

ENDPOINTS = Endpoints(
    acs_url="http://127.0.0.1:1",
    acs_issuer="http://127.0.0.1:1",
    acs_jwks_url="http://127.0.0.1:1/calling/keys",
    immutable_id="5b1c1d2e-7c3f-4a55-9e0a-2f6f3c1d4e5f",
    resource_id="/subscriptions/x",
    blob_endpoint="http://127.0.0.1:2/devstoreaccount1",
    queue_endpoint="http://127.0.0.1:3/devstoreaccount1",
    identity_endpoint="http://127.0.0.1:4/msi/token",
    identity_header="h",
    voice_live_url="http://127.0.0.1:5",
    access_key="a2V5",
    connection_string="UseDevelopmentStorage=true",
    voice_live_key="k",
    speech_url="http://127.0.0.1:7",
    speech_stream_url="ws://127.0.0.1:7/cognitiveservices/websocket/v2",
    speech_key="s",
    realtime_url="http://127.0.0.1:6",
    realtime_key="r",
)


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


def test_with_keys_the_product_gets_keys_and_with_https_it_gets_an_identity() -> None:
    keys = ENDPOINTS.worker_env(port=8080)
    assert keys["CREDENTIAL"] == "none"
    assert keys["ACS_ACCESS_KEY"] == "a2V5"
    assert keys["VOICE_LIVE_KEY"] == "k"
    assert (keys["REALTIME_ENDPOINT"], keys["REALTIME_KEY"]) == ("http://127.0.0.1:6", "r")
    told = Endpoints.from_json(
        {
            **ENDPOINTS.to_json(),
            "access_key": None,
            "connection_string": None,
            "voice_live_key": None,
            "realtime_key": None,
            "speech_key": None,
            "ca_file": "/x/ca.pem",
        }
    )
    assert (keys["SPEECH_KEY"], keys["SPEECH_AUTH"]) == ("s", "key")
    assert keys["SPEECH_STREAM_ENDPOINT"] == "ws://127.0.0.1:7/cognitiveservices/websocket/v2"
    assert not {"SPEECH_KEY", "SPEECH_AUTH"} & told.worker_env(port=8080).keys()
    tokens = told.functions_env(
        callback_url="http://f/api", media_url="ws://m", agents_file=Path("a.toml"), rate=16000
    )
    assert tokens["CREDENTIAL"] == "managed_identity"
    assert tokens["TLS_CA_FILE"] == "/x/ca.pem"
    assert tokens["AUDIO_RATE"] == "16000"
    assert "REALTIME_KEY" not in told.worker_env(port=8080)
    assert not {"ACS_ACCESS_KEY", "STORAGE_CONNECTION_STRING"} & tokens.keys()


def test_what_is_set_outside_stands_but_for_what_must_not_be_changed() -> None:
    computed = {"VOICE_LIVE_ENDPOINT": "http://simulated", "PORT": "1", "HOST": "127.0.0.1"}
    environ = {"VOICE_LIVE_ENDPOINT": "https://real", "PORT": "80", "PATH": "/bin"}
    assert _merged(computed, environ, keep=("PORT",)) == {
        "VOICE_LIVE_ENDPOINT": "https://real",
        "PORT": "1",
        "HOST": "127.0.0.1",
        "PATH": "/bin",
    }


def test_a_process_that_dies_is_told_with_its_last_words(tmp_path: Path) -> None:
    async def body() -> None:
        processes = Processes(tmp_path)
        code = "import sys; print('the reason', file=sys.stderr); sys.exit(3)"
        await processes.start("worker", ["-c", code], os.environ)
        try:
            await processes.listening("worker", free_port())
        finally:
            await processes.stop()

    with pytest.raises(SystemFailed, match=r"worker ended with exit code 3\n  the reason"):
        asyncio.run(body())


def test_all_processes_are_ended_even_those_that_do_not_listen(tmp_path: Path) -> None:
    async def body() -> list[int | None]:
        processes = Processes(tmp_path)
        await processes.start("one", ["-c", "import time; time.sleep(60)"], os.environ)
        await processes.start("two", ["-c", "import time; time.sleep(60)"], os.environ)
        await processes.stop()
        await processes.stop()
        return [process.returncode for process in processes.running.values()]

    assert asyncio.run(body()) == [-15, -15]


@pytest.mark.long
@pytest.mark.timeout(120)
@pytest.mark.parametrize("rate", [16000, 24000])
def test_one_command_places_a_call_through_the_real_product(rate: int, tmp_path: Path) -> None:
    wav = ROOT / "simulator" / "speech" / "caller_goodbye.wav"
    command = ["-m", "simulator", "call", "--to", "+15550100001", "--wav", str(wav)]
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
    assert report["bridge"] == "voice_live"
    assert report["end_reason"]
    assert [turn["speaker"] for turn in report["turns"]] == ["agent", "caller", "agent"]
    assert all(turn["heard_text"] for turn in report["turns"])
    assert report["greeting_first_sample_ms"] < 2000
    with wave.open(str(tmp_path / "call.wav")) as recording:
        assert (recording.getnchannels(), recording.getframerate()) == (2, rate)
