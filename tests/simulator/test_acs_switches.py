"""Switches of ACS that no other test turns, as the product meets them."""

import asyncio
from typing import Any

import azure.communication.callautomation as sdk
import jwt
import pytest
from azure.core.exceptions import ResourceNotFoundError

from simulator.acs_switches import AcsSwitches, Fault
from tests.simulator.answerer import PATIENT, scene
from tests.virtual_time import run


def test_the_rate_may_differ_from_what_was_asked_for() -> None:
    async def body() -> None:
        async with scene(AcsSwitches(audio_rate=16000)) as s:
            await s.connected(PATIENT)
            assert s.answerer.packets[0]["audioMetadata"]["sampleRate"] == 16000

    run(body())


def test_audio_may_be_dropped_with_its_socket() -> None:
    async def body(flush: bool) -> float:
        async with scene(AcsSwitches(flush_on_break=flush)) as s:
            call = await s.connected(PATIENT)
            await s.answerer.speak(2000)
            await asyncio.sleep(0.5)
            await s.answerer.sockets[0].close()
            await asyncio.sleep(3)
            assert call.line is not None
            (stretch,) = call.line.playout.stretches(call.line.now_s)
            return stretch.end_s - stretch.start_s

    assert run(body(flush=True)) == pytest.approx(0.5, abs=0.05)
    assert run(body(flush=False)) == pytest.approx(2.0)


def test_a_slow_reader_holds_the_sender_back_and_loses_nothing() -> None:
    async def body() -> None:
        async with scene(AcsSwitches(reader_pause_s=0.1)) as s:
            call = await s.connected(PATIENT)
            sent = b"".join([await s.answerer.speak(40) for _ in range(50)])
            await asyncio.sleep(2)
            assert call.line is not None
            assert len(call.line.playout.received) < len(sent) / 2
            await asyncio.sleep(5)
            assert bytes(call.line.playout.received) == sent

    run(body())


def test_a_call_rings_as_long_as_the_switch_says() -> None:
    async def body() -> None:
        async with scene(AcsSwitches(ring_s=5)) as s:
            call = await s.ring()
            assert (await call.ended()).ended_by == "nobody"
            assert asyncio.get_running_loop().time() == pytest.approx(5)

    run(body())


def test_an_answer_may_say_that_the_call_is_connected_already() -> None:
    async def body() -> None:
        async with scene(AcsSwitches(answered_state="connected")) as s:
            await s.ring(PATIENT)
            assert (await s.answer()).call_connection_state == "connected"

    run(body())


def test_after_a_redirect_the_old_ring_is_gone_or_may_still_be_rejected() -> None:
    async def body() -> None:
        async with scene(numbers=["+15550002222"]) as s:
            call = await s.ring(PATIENT)
            context = s.events[0][1]["incomingCallContext"]
            await s.client.redirect_call(context, sdk.PhoneNumberIdentifier("+15550002222"))
            with pytest.raises(ResourceNotFoundError):
                await s.client.reject_call(context)
            s.acs.switches.after_redirect = None
            await s.client.reject_call(context)
            assert call.outcome is None
            assert (await s.answer()).call_connection_id

    run(body())


def test_a_refused_callback_is_tried_again_after_the_time_given() -> None:
    async def body() -> None:
        async with scene(AcsSwitches(callback_attempts=3, callback_retry_s=2)) as s:
            s.answerer.statuses = [500] * 3
            call = await s.ring(PATIENT)
            await s.client.answer_call(s.events[0][1]["incomingCallContext"], s.callback_url)
            await asyncio.sleep(10)
            tries = [
                e for e in call.timeline.all("callback") if e.detail["type"] == "CallConnected"
            ]
            assert [entry.detail["status"] for entry in tries] == [500, 500, 200]
            assert tries[-1].at - tries[0].at == pytest.approx(4, abs=0.1)

    run(body())


def test_a_callback_that_is_answered_too_late_counts_as_unanswered() -> None:
    async def body() -> None:
        async with scene(AcsSwitches(callback_limit_s=1)) as s:
            call = await s.ring(PATIENT)
            s.answerer.stall_s = 3
            await s.client.answer_call(s.events[0][1]["incomingCallContext"], s.callback_url)
            await asyncio.sleep(5)
            assert {e.detail["status"] for e in call.timeline.all("callback")} == {None}

    run(body())


def test_events_may_come_after_call_disconnected() -> None:
    async def body() -> None:
        async with scene(AcsSwitches(callback_after_end=True)) as s:
            call = await s.connected(PATIENT)
            assert call.connection is not None
            await call.hang_up()
            call.connection.participants_updated()
            await asyncio.sleep(1)
            assert s.answerer.types[-2:] == ["CallDisconnected", "ParticipantsUpdated"]

    run(body())


def test_a_socket_is_opened_again_after_the_time_given_and_without_metadata_if_so_switched() -> (
    None
):
    async def body() -> None:
        switches = AcsSwitches(media_attempts=2, media_retry_s=1.5, metadata="missing")
        async with scene(switches) as s:
            s.answerer.refuse = 1
            call = await s.ring(PATIENT)
            await s.answer()
            await asyncio.sleep(3)
            refused, opened = (
                call.timeline.first("media_refused"),
                call.timeline.first("media_connected"),
            )
            assert refused is not None
            assert opened is not None
            assert opened.at - refused.at == pytest.approx(1.5, abs=0.05)
            assert {packet["kind"] for packet in s.answerer.packets} == {"AudioData"}

    run(body())


def test_a_socket_that_opens_too_late_is_not_waited_for() -> None:
    async def body() -> None:
        async with scene(AcsSwitches(media_open_limit_s=2)) as s:
            s.answerer.stall_s = 4
            call = await s.ring(PATIENT)
            await s.answer()
            await asyncio.sleep(3)
            assert call.timeline.all("media_refused")
            assert not call.timeline.all("media_connected")

    run(body())


def test_a_socket_that_takes_nothing_is_given_up() -> None:
    async def body() -> None:
        async with scene(AcsSwitches(media_send_limit_s=1)) as s:
            s.answerer.deaf = True
            call = await s.connected(PATIENT)
            async with asyncio.timeout(600):  # until the buffers of the network are full
                while not call.timeline.all("media_stuck"):
                    await asyncio.sleep(1)
            await asyncio.sleep(1)
            assert "MediaStreamingStopped" in s.answerer.types

    run(body())


@pytest.mark.parametrize("kind", ["MediaStreamingFailed", ""])
def test_a_broken_socket_is_reported_as_failed_or_not_at_all(kind: Any) -> None:
    async def body() -> None:
        async with scene(AcsSwitches(break_event=kind)) as s:
            await s.connected(PATIENT)
            before = list(s.answerer.types)
            await s.answerer.sockets[0].close()
            await asyncio.sleep(1)
            assert s.answerer.types[len(before) :] == ([kind] if kind else [])

    run(body())


def test_the_sockets_token_lives_and_its_close_code_is_as_the_switches_say() -> None:
    async def body() -> None:
        async with scene(AcsSwitches(token_life_s=60, close_code=1001)) as s:
            call = await s.connected(PATIENT)
            token = s.answerer.handshakes[0]["Authorization"].removeprefix("Bearer ")
            claims = jwt.decode(token, options={"verify_signature": False})
            assert claims["exp"] - claims["nbf"] == 60
            await call.hang_up()
            await asyncio.sleep(0.5)
            assert s.answerer.sockets[0].close_code == 1001

    run(body())


def test_stop_audio_may_take_a_while_to_be_heard() -> None:
    async def body() -> None:
        async with scene(AcsSwitches(stop_audio_delay_ms=150)) as s:
            call = await s.connected(PATIENT)
            await s.answerer.speak(3000)
            await asyncio.sleep(1)
            await s.answerer.stop_audio()
            await asyncio.sleep(1)
            assert call.line is not None
            (stretch,) = call.line.playout.stretches(call.line.now_s)
            assert stretch.end_s - stretch.start_s == pytest.approx(1.15, abs=0.001)

    run(body())


def test_a_transfer_is_decided_after_the_time_that_dialling_takes() -> None:
    async def body() -> None:
        async with scene(AcsSwitches(dialling_s=4)) as s:
            call = await s.connected(PATIENT)
            assert call.connection is not None
            connection = s.client.get_call_connection(call.connection.id)
            await connection.transfer_call_to_participant(sdk.PhoneNumberIdentifier("+15559998888"))
            await asyncio.sleep(3.9)
            assert not call.timeline.all("transfer")
            await asyncio.sleep(0.2)
            assert call.timeline.all("transfer")

    run(body())


def test_a_fault_may_delay_an_operation_or_its_reply_alone() -> None:
    async def body() -> None:
        async with scene() as s:
            s.acs.switches.faults += [Fault("answer", delay_s=2, reply_delay_s=3)]
            call = await s.ring(PATIENT)
            await s.answer()
            answered = call.timeline.first("answered")
            assert answered is not None
            assert answered.at == pytest.approx(2, abs=0.01)
            assert asyncio.get_running_loop().time() == pytest.approx(5, abs=0.05)

    run(body())
