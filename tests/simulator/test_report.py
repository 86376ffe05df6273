"""A call told afterwards: turns by what was heard, words from the product's record."""

import asyncio
from typing import Any

import pytest

from simulator.report import channels, describe, with_record
from simulator.script import (
    AfterAgent,
    AfterWait,
    CallerScript,
    DuringAgent,
    Expect,
    HangUp,
    Say,
    Step,
    Utterance,
)
from tests.simulator.answerer import Scene, scene
from tests.virtual_time import run

SCRIPT = CallerScript(
    (
        Step(Say(Utterance("What are your opening hours?")), AfterAgent()),
        Step(Say(Utterance("Only on Sunday, please.")), DuringAgent(600)),
        Step(HangUp(), AfterWait(1000)),
    ),
    Expect(interruptions=1, ended_by="caller"),
)


async def _conversation(s: Scene) -> dict[str, Any]:
    call = await s.ring(SCRIPT)
    await asyncio.sleep(1)
    await s.answer()
    await asyncio.sleep(0.5)
    await s.answerer.speak(1000)
    await asyncio.sleep(1 + 0.7 + 1.736 + 0.5)
    await s.answerer.speak(9000)
    await asyncio.sleep(1.0)
    await s.answerer.stop_audio()
    await call.ended()
    report = describe(call)
    left, right, rate = channels(call)
    assert rate == 24000
    assert len(left) == len(right) == pytest.approx(report["timeline"][-1]["t_ms"] * 48, abs=2000)
    greeting = int(report["greeting_first_sample_ms"] * 24) * 2
    assert not any(right[: greeting - 4])
    assert any(right[greeting : greeting + 960])
    return report


def test_the_report_has_the_turns_as_the_caller_heard_them() -> None:
    async def body() -> None:
        async with scene() as s:
            report = await _conversation(s)
        assert (report["to"], report["from"]) == ("+15550001111", "+14255550123")
        assert report["faults"] == []
        assert report["media_connected_ms"] == pytest.approx(1020, abs=15)
        assert report["greeting_first_sample_ms"] == pytest.approx(1500, abs=20)
        speakers = [turn["speaker"] for turn in report["turns"]]
        assert speakers == ["agent", "caller", "agent", "caller"]
        greeting, question, answer, interruption = report["turns"]
        assert question["text"] == "What are your opening hours?"
        assert question["started_ms"] == pytest.approx(greeting["ended_ms"] + 700, abs=40)
        waited = answer["started_ms"] - question["ended_ms"]
        assert answer["reply_latency_ms"] == pytest.approx(waited, abs=0.11)
        assert answer["interrupted"]
        assert interruption["started_ms"] < answer["ended_ms"]
        events = [entry["event"] for entry in report["timeline"]]
        assert events[:2] == ["ringing", "answered"]
        assert [entry["t_ms"] for entry in report["timeline"]] == sorted(
            entry["t_ms"] for entry in report["timeline"]
        )

    run(body())


def _turn(speaker: str, start: float, end: float, **more: Any) -> dict[str, Any]:
    told = {"speaker": speaker, "text": None, "heard_text": None, "interrupted": False}
    return {**told, "reply_latency_ms": None, "started_ms": start, "ended_ms": end, **more}


def test_words_come_from_the_record_and_times_stay() -> None:
    heard = {
        "media_connected_ms": 1000.0,
        "turns": [
            _turn("agent", 1100, 2000),
            _turn("agent", 2700, 3500),
            _turn("caller", 4000, 5000, text="Hours?"),
            _turn("agent", 5600, 6600, interrupted=True),
            _turn("agent", 9000, 9500),
        ],
    }
    record = {
        "bridge": "voice_live",
        "end_reason": "caller_hung_up",
        "turns": [
            _turn("agent", 90, 2550, text="Hello. How can I help?"),
            _turn("caller", 2900, 4100, text="ours"),
            _turn("agent", 4500, 9000, text="We open at nine.", heard_text="We open"),
        ],
    }
    told = with_record(heard, record)
    assert (told["bridge"], told["end_reason"]) == ("voice_live", "caller_hung_up")
    first, question, answer, unknown = told["turns"]
    assert (first["started_ms"], first["ended_ms"]) == (1100, 3500)
    assert first["heard_text"] == "Hello. How can I help?"
    assert (question["text"], question["heard_text"]) == ("Hours?", "ours")
    assert (answer["text"], answer["heard_text"]) == ("We open at nine.", "We open")
    assert (answer["started_ms"], answer["interrupted"]) == (5600, True)
    assert unknown["text"] is None


def test_a_call_that_nobody_answered_is_told_too() -> None:
    async def body() -> None:
        async with scene() as s:
            call = await s.ring()
            await call.ended()
            report = describe(call)
            assert (report["call_id"], report["answered"], report["turns"]) == (None, False, [])
            assert report["faults"] == ["not answered"]
            assert channels(call)[:2] == (b"", b"")

    run(body())
