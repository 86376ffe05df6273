"""The caller's end of a call: its pace, its ear, its mouth."""

import asyncio
import base64

import pytest

from simulator.acs_switches import AcsSwitches
from simulator.audio import frame_bytes, rms
from simulator.script import (
    AfterWait,
    CallerScript,
    DuringAgent,
    Expect,
    HangUp,
    Say,
    Step,
    Utterance,
)
from tests.simulator.answerer import PATIENT, scene
from tests.virtual_time import run


def test_the_media_begins_with_its_metadata_and_goes_on_every_20_ms_without_drift() -> None:
    async def body() -> None:
        async with scene() as s:
            call = await s.connected(PATIENT)
            await asyncio.sleep(600)
            first, frames = s.answerer.packets[0], s.answerer.packets[1:]
            assert first["kind"] == "AudioMetadata"
            assert first["audioMetadata"]["sampleRate"] == 24000
            assert first["audioMetadata"]["length"] == 960
            assert {packet["kind"] for packet in frames} == {"AudioData"}
            assert len(base64.b64decode(frames[0]["audioData"]["data"])) == 960
            assert call.line is not None
            began = s.answerer.at[1]
            for number, at in enumerate(s.answerer.at[1:]):
                assert at == pytest.approx(began + number * 0.02, abs=1e-6)
            assert len(frames) >= 600 * 50

    run(body())


def test_an_interrupted_agent_is_heard_until_the_stop_and_the_interruption_is_told() -> None:
    async def body() -> None:
        async with scene() as s:
            script = CallerScript(
                (
                    Step(Say(Utterance("sorry, one moment please")), DuringAgent(900)),
                    Step(HangUp(), AfterWait(100)),
                ),
                Expect(interruptions=1, ended_by="caller"),
            )
            call = await s.connected(script)
            await s.answerer.speak(10_000)
            await asyncio.sleep(1.3)
            await s.answerer.stop_audio()
            outcome = await call.ended()
            assert outcome.faults == ()
            line = call.line
            assert line is not None
            (turn,) = line.caller.ear.turns
            assert turn.interrupted
            assert line.caller.said[0].started_ms - turn.started_ms == pytest.approx(900, abs=40)

    run(body())


def test_the_playout_delay_is_what_the_switch_says() -> None:
    async def body(delay_ms: float) -> None:
        async with scene(AcsSwitches(playout_delay_ms=delay_ms)) as s:
            call = await s.connected(PATIENT)
            line = call.line
            assert line is not None
            sent = line.now_s
            pcm = await s.answerer.speak(500)
            await asyncio.sleep(2)
            (stretch,) = line.playout.stretches(line.now_s)
            assert stretch.start_s == pytest.approx(sent + delay_ms / 1000, abs=1e-3)
            assert line.playout.heard_samples(line.now_s) == pcm

    for delay_ms in (0, 60, 200):
        run(body(delay_ms))


def test_the_agent_comes_back_in_the_callers_audio_later_and_weaker() -> None:
    async def body() -> None:
        switches = AcsSwitches(echo_db=-20.0, echo_delay_ms=100.0)
        async with scene(switches) as s:
            call = await s.connected(PATIENT)
            await asyncio.sleep(1)
            await s.answerer.speak(1000)
            await asyncio.sleep(2)
            assert call.line is not None
            (heard,) = call.line.playout.stretches(3.0)
            agent, caller = call.line.heard(3.0), bytes(call.line.spoken)
            size = frame_bytes(24000)
            assert rms(caller[: int(heard.start_s * 50 + 4) * size]) == 0.0
            assert rms(caller) == pytest.approx(rms(agent) / 10, rel=0.1)

    run(body())
