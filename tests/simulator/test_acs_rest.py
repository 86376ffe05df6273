"""The REST API under the real clients: every operation in use, who may ask, faults, repetition."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import azure.communication.callautomation as sdk
import pytest
from aiohttp import ClientSession
from azure.communication.callautomation.aio import CallAutomationClient, CallConnectionClient
from azure.core.credentials import AccessToken, AzureKeyCredential
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)

from simulator.acs import ACCESS_KEY
from simulator.acs_auth import EntraTokens
from simulator.acs_switches import AcsSwitches, Fault, Refusal
from simulator.clock import machine_now, wall_now
from simulator.identity import make_token
from simulator.script import AfterWait, CallerScript, Expect, Stay, Step
from simulator.tls import make_certificate
from tests.simulator.answerer import Scene, scene
from tests.virtual_time import run

PATIENT = CallerScript((Step(Stay(), AfterWait(0), limit_s=3600),), Expect(greeted=False))
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


def test_the_sync_client_answers_reads_and_hangs_up() -> None:
    def drive(s: Scene) -> None:
        key = AzureKeyCredential(ACCESS_KEY)
        with sdk.CallAutomationClient(s.acs.url, key, retry_total=0) as client:
            answered = client.answer_call(
                s.events[-1][1]["incomingCallContext"],
                s.callback_url,
                media_streaming=s.answerer.media_options(),
            )
            connection = client.get_call_connection(str(answered.call_connection_id))
            limit = time.monotonic() + 5
            while connection.get_call_properties().call_connection_state != "connected":
                assert time.monotonic() < limit
            assert connection.get_participant(sdk.PhoneNumberIdentifier("+14255550123"))
            connection.hang_up(True)

    async def body() -> None:
        async with scene() as s:
            call = await s.ring(CallerScript(PATIENT.steps, Expect(greeted=False)))
            await asyncio.to_thread(drive, s)
            assert (await call.ended()).ended_by == "agent"

    asyncio.run(body())


def test_a_request_without_the_right_key_or_api_version_is_refused() -> None:
    async def body() -> None:
        async with scene() as s, ClientSession() as http:
            await s.ring()
            other = AzureKeyCredential("b3RoZXI=")
            async with CallAutomationClient(s.acs.url, other, use_env_settings=False) as client:
                with pytest.raises(ClientAuthenticationError):
                    await client.get_call_connection("x").get_call_properties()
            async with http.get(f"{s.acs.url}/calling/callConnections/x") as response:
                assert response.status == 401
            old = CallAutomationClient(
                s.acs.url, AzureKeyCredential(ACCESS_KEY), api_version="2022-01-01"
            )
            async with old:
                with pytest.raises(HttpResponseError) as refused:
                    await old.get_call_connection("x").get_call_properties()
            assert refused.value.status_code == 400

    run(body())


class _Credential:
    """A token credential with one token."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.scopes: tuple[str, ...] = ()

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.scopes = scopes
        return AccessToken(self.token, int(machine_now()) + 3600)

    async def close(self) -> None: ...

    async def __aenter__(self) -> "_Credential":
        return self

    async def __aexit__(self, *_: object) -> None: ...


def test_over_https_the_client_is_let_in_by_its_entra_token(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)

    async def get(url: str, token: str) -> Any:
        credential = _Credential(token)
        client = CallAutomationClient(
            url,
            credential,
            connection_verify=str(certificate.ca_file),
            use_env_settings=False,
            retry_total=0,
        )
        async with client:
            try:
                await client.get_call_connection("x").get_call_properties()
            finally:
                assert credential.scopes == ("https://communication.azure.com//.default",)

    async def body() -> None:
        async with scene(who=EntraTokens(), tls=certificate.server_context()) as s:
            good = make_token("https://communication.azure.com/", now=wall_now())
            with pytest.raises(ResourceNotFoundError):
                await get(s.acs.url, good)
            for bad in (
                make_token("https://storage.azure.com/", now=wall_now()),
                make_token("https://communication.azure.com/", now=wall_now() - 1e6),
                make_token("https://communication.azure.com/", now=wall_now(), iss="https://evil"),
                "not.a.token",
            ):
                with pytest.raises(ClientAuthenticationError):
                    await get(s.acs.url, bad)

    run(body())


def _repeat(number: str = "7f4b7b3e-0000-4000-8000-000000000001") -> dict[str, str]:
    return {
        "Repeatability-Request-ID": number,
        "Repeatability-First-Sent": "Wed, 18 Nov 2026 07:06:40 GMT",
    }


def test_a_repeated_request_gets_the_first_response_and_is_not_carried_out_twice() -> None:
    async def body() -> None:
        async with scene() as s:
            await s.ring(PATIENT)
            answers = await asyncio.gather(*(s.answer(headers=_repeat()) for _ in range(20)))
            assert len({answer.call_connection_id for answer in answers}) == 1
            await asyncio.sleep(1)
            assert len(s.answerer.handshakes) == 1
            with pytest.raises(ResourceNotFoundError):
                await s.answer(headers=_repeat("7f4b7b3e-0000-4000-8000-000000000002"))
            s.acs.switches.repeatability = False
            with pytest.raises(ResourceNotFoundError):
                await s.answer(headers=_repeat())

    run(body())


def test_throttling_with_and_without_retry_after_is_what_the_fault_says() -> None:
    async def body() -> None:
        async with scene() as s:
            throttled = Refusal(429, "8516", "Throttled")
            await s.ring(PATIENT)
            s.acs.switches.faults += [Fault("answer", throttled), Fault("answer", throttled, "7")]
            for seconds in (None, "7"):
                with pytest.raises(HttpResponseError) as refused:
                    await s.answer()
                response: Any = refused.value.response
                assert response.headers.get("Retry-After") == seconds
            assert (await s.answer()).call_connection_id

    run(body())


def test_a_lost_reply_leaves_the_answer_done() -> None:
    async def body() -> None:
        async with scene() as s:
            call = await s.ring(PATIENT)
            s.acs.switches.faults.append(Fault("answer", lose_reply=True))
            with pytest.raises((ServiceRequestError, ServiceResponseError)):
                await s.answer(headers=_repeat())
            again = await s.answer(headers=_repeat())
            assert call.connection is not None
            assert again.call_connection_id == call.connection.id

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


def test_addresses_must_be_secure_but_for_this_machine() -> None:
    async def body() -> None:
        async with scene() as s:
            await s.ring()
            context = s.events[-1][1]["incomingCallContext"]
            for uri in ("http://elsewhere.example/x", "no address", ""):
                with pytest.raises(HttpResponseError) as refused:
                    await s.client.answer_call(context, uri)
                assert refused.value.status_code == 400
            media = s.answerer.media_options(transport_url="ws://elsewhere.example/x")
            with pytest.raises(HttpResponseError):
                await s.client.answer_call(context, s.callback_url, media_streaming=media)
            s.acs.switches.insecure_loopback = False
            with pytest.raises(HttpResponseError):
                await s.answer()

    run(body())
