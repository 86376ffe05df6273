"""Prompts and the recognition of digits, by ACS itself."""

import asyncio

import azure.communication.callautomation as sdk
import pytest

from simulator.acs_switches import Refusal
from simulator.audio import spoken_ms
from simulator.script import AfterWait, CallerScript, Press, Step
from tests.simulator.answerer import PATIENT, scene
from tests.virtual_time import run


def test_a_played_text_is_heard_for_as_long_as_it_takes_to_say() -> None:
    async def body() -> None:
        async with scene() as s:
            call = await s.connected(PATIENT)
            assert call.connection is not None
            assert call.line is not None
            text = "Sorry, something went wrong. I am putting you through."
            source = sdk.TextSource(text=text, voice_name="en-US-AvaNeural")
            connection = s.client.get_call_connection(call.connection.id)
            await connection.play_media(source, operation_context="apology")
            await asyncio.sleep(spoken_ms(text) / 1000 - 0.1)
            assert "PlayCompleted" not in s.answerer.types
            await asyncio.sleep(1)
            assert s.answerer.of("PlayCompleted")["operationContext"] == "apology"
            (turn,) = call.line.caller.ear.turns
            assert turn.ended_ms - turn.started_ms == pytest.approx(spoken_ms(text), abs=60)

    run(body())


def test_a_prompt_fails_without_speech_or_by_switch() -> None:
    async def body() -> None:
        async with scene() as s:
            call = await s.ring(PATIENT)
            await s.client.answer_call(s.events[-1][1]["incomingCallContext"], s.callback_url)
            await asyncio.sleep(1)
            assert call.connection is not None
            connection = s.client.get_call_connection(call.connection.id)
            await connection.play_media(sdk.TextSource(text="hi", voice_name="v"))
            await asyncio.sleep(1)
            assert s.answerer.of("PlayFailed")["resultInformation"]["subCode"] == 8567
            s.acs.switches.play_fails = Refusal(400, "8535", "file format is invalid")
            await connection.play_media(sdk.FileSource("https://files.example/x.wav"))
            await asyncio.sleep(1)
            assert s.answerer.callbacks[-1]["data"]["resultInformation"]["subCode"] == 8535

    run(body())


def test_pressed_digits_are_recognised_and_told_one_by_one() -> None:
    async def body() -> None:
        async with scene() as s:
            script = CallerScript((Step(Press("42#"), AfterWait(3000)), PATIENT.steps[0]))
            call = await s.connected(script)
            assert call.connection is not None
            connection = s.client.get_call_connection(call.connection.id)
            caller = sdk.PhoneNumberIdentifier("+14255550123")
            await connection.start_continuous_dtmf_recognition(caller)
            await connection.start_recognizing_media(
                sdk.RecognizeInputType.DTMF,
                caller,
                initial_silence_timeout=20,
                dtmf_max_tones_to_collect=5,
                dtmf_stop_tones=[sdk.DtmfTone.POUND],
            )
            await asyncio.sleep(5)
            completed = s.answerer.of("RecognizeCompleted")
            assert completed["dtmfResult"]["tones"] == ["four", "two", "pound"]
            tones = [
                event["data"]["tone"]
                for event in s.answerer.callbacks
                if event["type"].endswith("ToneReceived")
            ]
            assert tones == ["four", "two", "pound"]

    run(body())
