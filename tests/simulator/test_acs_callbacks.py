"""Callbacks: repeated, late, lost, tried again; transfers and prompts as they are told."""

import asyncio

import azure.communication.callautomation as sdk
import pytest

from simulator.acs_switches import AcsSwitches, Destiny, Refusal
from simulator.audio import spoken_ms
from simulator.script import AfterWait, CallerScript, Expect, Press, Stay, Step
from tests.simulator.answerer import scene
from tests.virtual_time import run

PATIENT = CallerScript((Step(Stay(), AfterWait(0), limit_s=3600),), Expect(greeted=False))


def test_an_event_is_an_array_of_one_cloud_event_about_its_call() -> None:
    async def body() -> None:
        async with scene() as s:
            call = await s.ring(PATIENT)
            await s.answer(operation_context="first call")
            await asyncio.sleep(1)
            event = next(e for e in s.answerer.callbacks if e["type"].endswith(".CallConnected"))
            assert event["specversion"] == "1.0"
            assert call.connection is not None
            assert event["data"]["callConnectionId"] == call.connection.id
            assert event["data"]["correlationId"] == call.correlation_id
            assert event["data"]["operationContext"] == "first call"
            people = s.answerer.of("ParticipantsUpdated")["participants"]
            assert people[0]["identifier"]["rawId"] == "4:+14255550123"

    run(body())


def test_events_come_twice_or_never_or_late_as_the_switches_say() -> None:
    async def body() -> None:
        switches = AcsSwitches(
            callback_copies={"CallConnected": 2, "ParticipantsUpdated": 0},
            callback_delay_s={"CallConnected": 3.0},
        )
        async with scene(switches) as s:
            await s.connected(PATIENT)
            assert s.answerer.types == ["MediaStreamingStarted"]
            await asyncio.sleep(3)
            assert s.answerer.types == ["MediaStreamingStarted", "CallConnected", "CallConnected"]
            assert s.answerer.callbacks[1]["id"] == s.answerer.callbacks[2]["id"]

    run(body())


@pytest.mark.parametrize(("attempts", "arrives"), [(1, False), (3, True)])
def test_a_refused_callback_is_tried_again_only_by_switch(attempts: int, arrives: bool) -> None:
    async def body() -> None:
        async with scene(AcsSwitches(callback_attempts=attempts)) as s:
            s.answerer.statuses = [500, 500, 500, 500, 500]
            await s.connected(PATIENT)
            await asyncio.sleep(5)
            assert ("CallConnected" in s.answerer.types) == arrives

    run(body())


def test_after_call_disconnected_nothing_follows() -> None:
    async def body() -> None:
        async with scene() as s:
            call = await s.connected(PATIENT)
            assert call.connection is not None
            await call.hang_up()
            call.connection.participants_updated()
            await asyncio.sleep(1)
            assert s.answerer.types[-1] == "CallDisconnected"

    run(body())


@pytest.mark.parametrize("destiny", ["busy", "declined", "no_answer"])
def test_a_failed_transfer_leaves_the_caller_with_the_agent(destiny: Destiny) -> None:
    async def body() -> None:
        async with scene(AcsSwitches(destinies={"4:+15559998888": destiny})) as s:
            call = await s.connected(PATIENT)
            assert call.connection is not None
            connection = s.client.get_call_connection(call.connection.id)
            target = sdk.PhoneNumberIdentifier("+15559998888")
            await connection.transfer_call_to_participant(target, operation_context="to a person")
            assert (await connection.get_call_properties()).call_connection_state == "transferring"
            await asyncio.sleep(2)
            failed = s.answerer.of("CallTransferFailed")
            assert failed["operationContext"] == "to a person"
            assert failed["resultInformation"]["code"] >= 480
            assert (await connection.get_call_properties()).call_connection_state == "connected"
            assert call.outcome is None

    run(body())


@pytest.mark.parametrize("destiny", ["accepted", "voicemail"])
def test_an_accepted_transfer_takes_the_caller_away(destiny: Destiny) -> None:
    async def body() -> None:
        async with scene(AcsSwitches(destinies={"4:+15559998888": destiny})) as s:
            call = await s.connected(PATIENT)
            assert call.connection is not None
            connection = s.client.get_call_connection(call.connection.id)
            await connection.transfer_call_to_participant(sdk.PhoneNumberIdentifier("+15559998888"))
            assert (await call.ended()).ended_by == "transfer"
            await asyncio.sleep(1)
            assert s.answerer.types[-2:] == ["CallTransferAccepted", "CallDisconnected"]
            assert call.timeline.all("passed_on")[0].detail == {"to": "4:+15559998888"}

    run(body())


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
