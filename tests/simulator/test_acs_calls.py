"""Calls from the first ring to their end, whoever ends them."""

import asyncio

import azure.communication.callautomation as sdk
import pytest
from azure.core.exceptions import ResourceNotFoundError

from simulator.script import (
    CallerScript,
    Expect,
)
from tests.simulator.answerer import GREETED_AND_GONE, PATIENT, Scene, scene
from tests.virtual_time import run


def test_a_call_that_nobody_answers_rings_for_30_seconds() -> None:
    async def body() -> None:
        async with scene() as s:
            began = asyncio.get_running_loop().time()
            call = await s.ring()
            outcome = await call.ended()
            assert asyncio.get_running_loop().time() - began == pytest.approx(30)
            assert (outcome.ended_by, outcome.answered) == ("nobody", False)
            assert outcome.faults == ("not answered",)
            with pytest.raises(ResourceNotFoundError):
                await s.answer()

    run(body())


def test_a_call_passed_on_rings_again_with_the_same_correlation_id() -> None:
    async def body() -> None:
        async with scene(numbers=["+15550002222"]) as s:
            call = await s.ring(PATIENT)
            first = s.events[-1][1]
            await s.client.redirect_call(
                first["incomingCallContext"], sdk.PhoneNumberIdentifier("+15550002222")
            )
            second = s.events[-1][1]
            assert second["correlationId"] == first["correlationId"]
            assert second["to"]["rawId"] == "4:+15550002222"
            assert second["incomingCallContext"] != first["incomingCallContext"]
            await s.answer()
            await asyncio.sleep(1)
            assert call.timeline.all("answered")[0].detail == {"to": "4:+15550002222"}

    run(body())


def test_an_answered_call_transferred_to_our_other_number_is_answered_there() -> None:
    async def body() -> None:
        async with scene(numbers=["+15550002222"]) as s:
            call = await s.connected(PATIENT)
            assert call.connection is not None
            first = call.connection
            await s.client.get_call_connection(first.id).transfer_call_to_participant(
                sdk.PhoneNumberIdentifier("+15550002222")
            )
            await asyncio.sleep(2)
            assert first.state == "disconnected"
            assert "CallTransferAccepted" in s.answerer.types
            await s.answer()
            await asyncio.sleep(1)
            assert call.connection is not first
            await s.answerer.speak(1000)
            await asyncio.sleep(2)
            assert len(call.line.caller.ear.turns) == 1 if call.line else False

    run(body())


def test_a_rejected_caller_hears_the_busy_tone() -> None:
    async def body() -> None:
        async with scene() as s:
            call = await s.ring(CallerScript(PATIENT.steps, Expect(answered=False)))
            await s.client.reject_call(
                s.events[-1][1]["incomingCallContext"], call_reject_reason=sdk.CallRejectReason.BUSY
            )
            outcome = await call.ended()
            assert (outcome.ended_by, outcome.faults) == ("rejected", ())

    run(body())


async def _hung_up(s: Scene, *, everyone: bool) -> None:
    call = await s.connected(CallerScript(PATIENT.steps, Expect(ended_by="agent", greeted=False)))
    assert call.connection is not None
    await s.client.get_call_connection(call.connection.id).hang_up(everyone)
    outcome = await call.ended()
    assert (outcome.ended_by, outcome.faults) == ("agent", ())
    await asyncio.sleep(0.5)
    assert s.answerer.of("CallDisconnected")["resultInformation"]["subCode"] == 7000
    with pytest.raises(ResourceNotFoundError):
        await s.client.get_call_connection(call.connection.id).get_call_properties()


def test_hanging_up_ends_the_call_for_all_or_for_the_answerer_alone() -> None:
    async def body(everyone: bool) -> None:
        async with scene() as s:
            await _hung_up(s, everyone=everyone)

    run(body(everyone=True))
    run(body(everyone=False))


def test_a_caller_who_waits_in_vain_hangs_up_and_says_why() -> None:
    async def body() -> None:
        async with scene() as s:
            call = await s.connected(GREETED_AND_GONE)
            outcome = await call.ended()
            assert outcome.ended_by == "caller"
            assert outcome.faults[0] == "step 1: the agent did not speak and finish within 20 s"
            assert "no greeting was heard" in outcome.faults

    run(body())
