"""What can be asked of a call connection, by the real client."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import azure.communication.callautomation as sdk
import pytest
from azure.communication.callautomation.aio import CallConnectionClient
from azure.core.exceptions import (
    HttpResponseError,
)

from simulator.acs_switches import AcsSwitches, Destiny
from tests.simulator.answerer import PATIENT, scene
from tests.virtual_time import run

FRIEND = sdk.PhoneNumberIdentifier("+15559998888")


Operation = Callable[[CallConnectionClient], Awaitable[Any]]


OPERATIONS: dict[str, Operation] = {
    "get": lambda c: c.get_call_properties(),
    "play": lambda c: c.play_media(sdk.TextSource(text="hello", voice_name="en-US-AvaNeural")),
    "ssml": lambda c: c.play_media(sdk.SsmlSource(ssml_text="<speak>hello</speak>")),
    "file": lambda c: c.play_media(sdk.FileSource("https://files.example/hello.wav")),
    "recognize": lambda c: c.start_recognizing_media(
        sdk.RecognizeInputType.DTMF, sdk.PhoneNumberIdentifier("+14255550123")
    ),
    "cancel": lambda c: c.cancel_all_media_operations(),
    "stop streaming": lambda c: c.stop_media_streaming(),
    "start streaming": lambda c: c.start_media_streaming(operation_context="again"),
    "start dtmf": lambda c: c.start_continuous_dtmf_recognition(FRIEND, operation_context="x"),
    "stop dtmf": lambda c: c.stop_continuous_dtmf_recognition(FRIEND),
    "send dtmf": lambda c: c.send_dtmf_tones([sdk.DtmfTone.ONE, "pound"], FRIEND),
    "hold": lambda c: c.hold(FRIEND),
    "unhold": lambda c: c.unhold(FRIEND),
    "add": lambda c: c.add_participant(FRIEND, source_caller_id_number=FRIEND),
    "get participant": lambda c: c.get_participant(sdk.PhoneNumberIdentifier("+14255550123")),
    "mute": lambda c: c.mute_participant(sdk.CommunicationUserIdentifier("8:acs:somebody")),
    "remove": lambda c: c.remove_participant(FRIEND),
    "transfer": lambda c: c.transfer_call_to_participant(FRIEND, operation_context="away"),
}


EVENTS = {
    *("CallConnected", "ParticipantsUpdated", "MediaStreamingStarted", "MediaStreamingStopped"),
    *("PlayStarted", "PlayCompleted", "RecognizeCanceled", "ContinuousDtmfRecognitionStopped"),
    *("SendDtmfTonesCompleted", "AddParticipantSucceeded", "RemoveParticipantSucceeded"),
    *("CallTransferAccepted", "CallDisconnected"),
}


def test_the_async_client_drives_every_operation_in_use() -> None:
    async def body() -> None:
        async with scene() as s:
            call = await s.connected(PATIENT)
            assert call.connection is not None
            connection = s.client.get_call_connection(call.connection.id)
            for operation in OPERATIONS.values():
                await operation(connection)
                await asyncio.sleep(1)
            await call.ended()
            await asyncio.sleep(1)
            assert set(s.answerer.types) == EVENTS
            assert {status for _, status in s.acs.rest.log} <= {200, 202, 204}
            assert [e.detail["text"] for e in call.timeline.all("announcement")] == [
                "hello",
                "hello",
                "https://files.example/hello.wav",
            ]

    run(body())


def test_the_participants_are_listed_with_ids_that_the_client_understands() -> None:
    async def body() -> None:
        async with scene() as s:
            call = await s.connected(PATIENT)
            assert call.connection is not None
            connection = s.client.get_call_connection(call.connection.id)
            people = [person.identifier async for person in connection.list_participants()]
            assert [person and person.raw_id for person in people] == [
                "4:+14255550123",
                s.acs.bot,
            ]
            properties = await connection.get_call_properties()
            assert properties.call_connection_state == "connected"
            assert properties.media_streaming_subscription is not None
            assert properties.media_streaming_subscription.state == "active"

    run(body())


def test_operations_are_refused_before_the_call_is_connected() -> None:
    async def body() -> None:
        switches = AcsSwitches(moment_delay_s={"connected": 5})
        async with scene(switches) as s:
            call = await s.ring(PATIENT)
            await s.answer()
            assert call.connection is not None
            connection = s.client.get_call_connection(call.connection.id)
            with pytest.raises(HttpResponseError) as early:
                await connection.play_media(sdk.TextSource(text="hi", voice_name="v"))
            assert early.value.error is not None
            assert early.value.error.code == "8501"
            await asyncio.sleep(6)
            await connection.play_media(sdk.TextSource(text="hi", voice_name="v"))

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
