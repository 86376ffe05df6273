"""The REST API under the real clients: every operation in use, who may ask, faults, repetition."""

import asyncio
import time
from typing import Any

import azure.communication.callautomation as sdk
import pytest
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import (
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)

from simulator.acs import ACCESS_KEY
from simulator.acs_switches import Fault, Refusal
from simulator.script import CallerScript, Expect
from tests.simulator.answerer import PATIENT, Scene, scene
from tests.virtual_time import run


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
