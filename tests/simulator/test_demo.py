"""The demo as a stranger sees it: real processes, real time."""

import asyncio
import io
import json
import os
import re
import shutil
import tomllib
import wave
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import simulator.demo
from simulator.audio import SPEECH_RMS, read_wav
from simulator.call import CallFailed, CallRequest, place
from simulator.demo import CALLS, main, run
from simulator.demo_screen import Screen
from simulator.ear import HANGOVER_MS
from simulator.processes import ROOT
from simulator.script_toml import load_agents
from simulator.up import AGENTS_SCRIPT, Running

RATE = 24000
WINDOW_MS = 20
STEP_MS = 5
WITHIN_MS = WINDOW_MS + 1
"""The report counts in frames of a window's length; and times are rounded."""
PICTURE = "caller|"
RECEPTION = (
    "agent  Hello, you have reached Harbour Cycles. How can I help you?",
    "caller Hi. When are you open on Saturday?",
    "agent  On Saturdays we are open from nine",
    "caller Great, thank you. Goodbye.  [interrupts]",
    "the agent falls silent",
    "agent  Thank you for calling. Goodbye.  [",
    "the agent hangs up",
)
BAKERY = (
    "agent  Old Mill Bakery, hello. What can I get you?",
    "caller Hi. What kinds of bread do you have?",
    "agent  Today we have rye, sourdough and a walnut loaf. The bread is ready",
    "caller Sorry, how much is the sourdough?  [interrupts]",
    "the agent falls silent",
    "agent  The sourdough is four euros fifty.  [",
    "caller Thanks, bye.",
    "the caller hangs up",
)


class Pipe(io.StringIO):
    encoding = "ascii"


@pytest.mark.long
@pytest.mark.timeout(120)
def test_two_callers_talk_to_two_agents_at_once_and_interrupt_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    out = Pipe()
    assert asyncio.run(run(Screen(out, {}), os.environ, out=tmp_path)) == 0, out.getvalue()
    text = out.getvalue()
    assert text.isascii()
    assert "\x1b" not in text
    timeline = [line for line in text.partition("Times of reply:")[0].splitlines() if " | " in line]
    times = [float(line[11:17]) for line in timeline if line[11:17].strip()]
    assert times == sorted(times)
    for call, story in zip(CALLS, (RECEPTION, BAKERY), strict=True):
        told = "\n".join(line for line in timeline if line.startswith(call.name))
        places = [told.find(words) for words in story]
        assert -1 not in places, told
        assert places == sorted(places)
        turns = check_call(tmp_path / call.name, bridge_of(call.name))
        shown = re.findall(r"\| +([\d.]+) s (?:caller|agent) ", told)
        assert shown == [f"{turn['started_ms'] / 1000:.2f}" for turn in turns]
    assert text.count("interrupted; the agent knows that this was heard:") == 2
    assert text.count(PICTURE) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("bakery.json", "bakery.wav", "reception.json", "reception.wav"),
    ]


def check_call(path: Path, bridge: str) -> list[dict[str, Any]]:
    """Checks a call's report, and that its WAV file holds what that says; returns the turns."""
    report = json.loads(path.with_suffix(".json").read_text())
    assert report["bridge"] == bridge
    replies = [turn["reply_latency_ms"] for turn in report["turns"] if turn["speaker"] == "agent"]
    assert len(replies) == 3
    assert all(latency < 2000 for latency in replies[1:])
    with wave.open(str(path.with_suffix(".wav"))) as file:
        assert file.getframerate() == RATE
        channels = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2).T
    for speaker, samples in zip(("caller", "agent"), channels, strict=True):
        turns = [turn for turn in report["turns"] if turn["speaker"] == speaker]
        heard = stretches(samples)
        assert len(heard) == len(turns)
        for (start, end), turn in zip(heard, turns, strict=True):
            assert start == pytest.approx(turn["started_ms"], abs=WITHIN_MS)
            assert end == pytest.approx(turn["ended_ms"], abs=WITHIN_MS)
            assert is_recorded(samples[int(start * RATE / 1000) : int(end * RATE / 1000)])
    agent = [turn for turn in report["turns"] if turn["speaker"] == "agent"]
    (broken,) = (index for index, turn in enumerate(agent) if turn["interrupted"])
    # 120: the recordings begin with breath, softer than what counts as speech
    silent_from = round((agent[broken]["ended_ms"] + 1) * RATE / 1000)
    silent_to = round((agent[broken + 1]["started_ms"] - 120) * RATE / 1000)
    assert silent_to - silent_from > RATE
    assert not channels[1][silent_from:silent_to].any()
    return list(report["turns"])


def bridge_of(agent: str) -> str:
    return str(tomllib.loads((ROOT / "agents.toml").read_text())["agents"][agent]["bridge"])


def stretches(samples: NDArray[np.int16]) -> list[tuple[float, float]]:
    """Where somebody speaks, in ms; pauses within a turn are part of it."""
    energy = np.cumsum(np.r_[0.0, samples.astype(np.float64) ** 2])
    window, step = RATE * WINDOW_MS // 1000, RATE * STEP_MS // 1000
    found: list[tuple[float, float]] = []
    for at in range(0, len(samples) - window, step):
        if energy[at + window] - energy[at] > SPEECH_RMS**2 * window:
            start, end = at * 1000 / RATE, (at + window) * 1000 / RATE
            joins = bool(found) and start - found[-1][1] < HANGOVER_MS
            found = [*found[:-1], (found[-1][0], end)] if joins else [*found, (start, end)]
    return found


def is_recorded(part: NDArray[np.int16]) -> bool:
    """Whether half a second out of its middle is, sample for sample, in one of our recordings."""
    middle = part[len(part) // 2 :][: RATE // 2].tobytes()
    clips = (read_wav(path) for path in (ROOT / "simulator" / "speech").rglob("*.wav"))
    return any(middle in clip.pcm for clip in clips)


def test_the_demo_calls_one_number_of_each_bridge_as_agents_toml_has_them() -> None:
    agents: dict[str, Any] = tomllib.loads((ROOT / "agents.toml").read_text())
    numbers = {number.replace(" ", ""): agent for number, agent in agents["numbers"].items()}
    assert [numbers[call.number] for call in CALLS] == [call.name for call in CALLS]
    services = {"voice_live": "voice_live", "realtime_speech": "realtime"}
    assert [services[bridge_of(call.name)] for call in CALLS] == [call.service for call in CALLS]
    assert {bridge_of(call.name) for call in CALLS} == set(services)
    for call in CALLS:
        assert call.request.load().expect.interruptions == 1


def test_whatever_a_caller_asks_every_agent_answers_with_recorded_speech() -> None:
    for agent in load_agents(AGENTS_SCRIPT):
        assert all(reply.utterance.clip for reply in agent.replies)
        assert any(reply.to == "" for reply in agent.replies)


@pytest.mark.long
@pytest.mark.timeout(120)
def test_a_call_that_goes_wrong_is_named_and_the_product_has_the_last_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bakery_caller.toml").write_text(
        "[[steps]]\nhang_up = true\npause_ms = 100\n[expect]\ninterruptions = 1\n"
    )
    monkeypatch.setattr(simulator.demo, "SCRIPTS", tmp_path)
    monkeypatch.setattr(simulator.demo, "place", nobody_is_at(CALLS[0].number))
    out = Pipe()
    assert asyncio.run(run(Screen(out, {}), os.environ, out=tmp_path)) == 1
    text = out.getvalue()
    assert "reception: the call failed: no line" in text
    assert "bakery: not as scripted: 0 interruptions, expected 1" in text
    assert "The last lines of functions said:" in text
    assert "The last lines of worker said:" in text
    logs = re.findall(r"^  \(from (.*)\)$", text, re.MULTILINE)
    assert len(logs) == 2
    assert all(Path(log).is_file() for log in logs)
    shutil.rmtree(Path(logs[0]).parent)


def nobody_is_at(number: str) -> Callable[[Running, CallRequest], AsyncIterator[Any]]:
    """`place`, but for one number."""

    async def or_nobody(running: Running, request: CallRequest) -> AsyncIterator[Any]:
        if request.to == number:
            raise CallFailed("no line")
        async for entry in place(running, request):
            yield entry

    return or_nobody


def test_a_failure_names_the_process_and_shows_what_it_said_last(tmp_path: Path) -> None:
    out = Pipe()
    environ = {**os.environ, "MEDIA_AUTH": "sometimes"}
    assert asyncio.run(run(Screen(out, {}), environ, out=tmp_path)) == 1
    assert "The demo could not run: worker ended with exit code" in out.getvalue()
    assert "MEDIA_AUTH" in out.getvalue()
    assert not list(tmp_path.iterdir())


def test_the_demo_takes_no_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert main(["--fast"]) == 2
    assert "takes no arguments" in capsys.readouterr().out
