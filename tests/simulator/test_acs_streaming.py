"""Media sockets that are refused, break, come back or do not, as the product sees them."""

import asyncio
from typing import Any, Literal

import pytest
from azure.core.exceptions import HttpResponseError

from simulator.acs_calls import SimulatedCall
from simulator.acs_switches import AcsSwitches
from simulator.script import AfterWait, CallerScript, Expect, Stay, Step
from tests.simulator.answerer import Scene, scene
from tests.virtual_time import run

PATIENT = CallerScript((Step(Stay(), AfterWait(0), limit_s=3600),), Expect(greeted=False))


async def _state(s: Scene, call: SimulatedCall) -> str | None:
    """What ACS says of the subscription; None: nothing."""
    assert call.connection is not None
    properties = await s.client.get_call_connection(call.connection.id).get_call_properties()
    subscription = properties.media_streaming_subscription
    return None if subscription is None else str(subscription.state)


def _details(s: Scene, kind: str) -> tuple[str, int]:
    data = s.answerer.of(kind)
    update = data["mediaStreamingUpdate"]
    return update["mediaStreamingStatusDetails"], data["resultInformation"]["subCode"]


@pytest.mark.parametrize("unreachable", [True, False])
def test_a_refused_socket_is_reported_and_leaves_the_call_up(unreachable: bool) -> None:
    async def body() -> None:
        async with scene(AcsSwitches(media_unreachable=unreachable)) as s:
            s.answerer.refuse = 1
            call = await s.connected(PATIENT)
            assert _details(s, "MediaStreamingFailed") == ("initialWebSocketConnectionFailed", 8581)
            assert "MediaStreamingStarted" not in s.answerer.types
            assert call.outcome is None
            assert await _state(s, call) == "inactive"

    run(body())


def test_a_refused_socket_is_tried_again_as_often_as_the_switch_says() -> None:
    async def body() -> None:
        async with scene(AcsSwitches(media_attempts=3)) as s:
            s.answerer.refuse = 2
            await s.connected(PATIENT)
            await asyncio.sleep(2)
            assert "MediaStreamingStarted" in s.answerer.types
            assert "MediaStreamingFailed" not in s.answerer.types

    run(body())


@pytest.mark.parametrize("by", ["answerer", "network"])
def test_a_broken_socket_is_reported_once_and_can_be_started_anew(by: str) -> None:
    async def body() -> None:
        async with scene() as s:
            call = await s.connected(PATIENT)
            assert call.connection is not None
            assert call.connection.streaming is not None
            if by == "network":
                await call.connection.streaming.break_off()
            else:
                await s.answerer.sockets[0].close(code=1011)
            await asyncio.sleep(1)
            assert _details(s, "MediaStreamingStopped")[0] == "streamConnectionInterrupted"
            assert await _state(s, call) == "inactive"
            assert call.outcome is None
            await s.client.get_call_connection(call.connection.id).start_media_streaming()
            await asyncio.sleep(1)
            assert s.answerer.types.count("MediaStreamingStarted") == 2
            assert len(s.answerer.handshakes) == 2
            assert await _state(s, call) == "active"
            heard = len(s.answerer.packets)
            await asyncio.sleep(1)
            assert len(s.answerer.packets) == pytest.approx(heard + 50, abs=1)

    run(body())


def test_acs_reconnects_as_often_and_as_late_as_the_switches_say() -> None:
    async def body() -> None:
        async with scene(AcsSwitches(reconnects=1, reconnect_after_s=0.7)) as s:
            call = await s.connected(PATIENT)
            await s.answerer.sockets[0].close()
            await asyncio.sleep(0.65)
            assert len(s.answerer.sockets) == 1
            await asyncio.sleep(0.1)
            assert len(s.answerer.sockets) == 2
            last = s.answerer.callbacks[-1]["data"]["mediaStreamingUpdate"]
            assert last["mediaStreamingStatusDetails"] == "streamConnectionReestablished"
            await s.answerer.sockets[1].close()
            await asyncio.sleep(5)
            assert len(s.answerer.sockets) == 2
            assert await _state(s, call) == "inactive"

    run(body())


@pytest.mark.parametrize(
    ("kind", "told"), [("absent", (None, None)), ("stale", ("active", "active"))]
)
def test_the_subscription_may_be_absent_or_stale(
    kind: Literal["absent", "stale"], told: tuple[str | None, str | None]
) -> None:
    async def body() -> None:
        async with scene(AcsSwitches(subscription=kind)) as s:
            call = await s.connected(PATIENT)
            before = await _state(s, call)
            await s.answerer.sockets[0].close()
            await asyncio.sleep(1)
            assert (before, await _state(s, call)) == told

    run(body())


def test_starting_again_may_be_refused_while_active_and_may_fail_after_a_stop() -> None:
    async def body() -> None:
        async with scene(AcsSwitches(restart_works=False)) as s:
            call = await s.connected(PATIENT)
            assert call.connection is not None
            connection = s.client.get_call_connection(call.connection.id)
            with pytest.raises(HttpResponseError) as refused:
                await connection.start_media_streaming()
            assert refused.value.status_code == 400
            await connection.stop_media_streaming(operation_context="handing over")
            await asyncio.sleep(1)
            assert s.answerer.of("MediaStreamingStopped")["operationContext"] == "handing over"
            assert s.answerer.sockets[0].close_code == 1000
            await connection.start_media_streaming()
            await asyncio.sleep(1)
            assert _details(s, "MediaStreamingFailed")[1] == 8581
            assert len(s.answerer.sockets) == 1

    run(body())


def test_a_second_socket_replaces_the_first_where_starting_twice_is_allowed() -> None:
    async def body() -> None:
        async with scene(AcsSwitches(start_while_active=None)) as s:
            call = await s.connected(PATIENT)
            assert call.connection is not None
            await s.client.get_call_connection(call.connection.id).start_media_streaming()
            await asyncio.sleep(1)
            assert [socket.closed for socket in s.answerer.sockets] == [True, False]
            assert "MediaStreamingStopped" not in s.answerer.types

    run(body())


@pytest.mark.parametrize(
    "order",
    [
        ("socket", "response", "connected", "participants", "streaming"),
        ("connected", "participants", "response", "socket", "streaming"),
        ("participants", "connected", "socket", "streaming", "response"),
    ],
)
def test_what_follows_an_answer_comes_in_any_order(order: Any) -> None:
    async def body() -> None:
        names = {"connected": "CallConnected", "participants": "ParticipantsUpdated"}
        async with scene(AcsSwitches(answer_order=order)) as s:
            await s.ring(PATIENT)
            await s.answer()
            before = order[: order.index("response")]
            assert bool(s.answerer.handshakes) == ("socket" in before)
            await asyncio.sleep(1)
            came = [kind for kind in s.answerer.types if kind in names.values()]
            assert came == [names[moment] for moment in order if moment in names]
            assert len(s.answerer.handshakes) == 1

    run(body())


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


def test_the_rate_may_differ_from_what_was_asked_for() -> None:
    async def body() -> None:
        async with scene(AcsSwitches(audio_rate=16000)) as s:
            await s.connected(PATIENT)
            assert s.answerer.packets[0]["audioMetadata"]["sampleRate"] == 16000

    run(body())


def test_a_stalled_network_says_nothing_and_afterwards_brings_everything_at_once() -> None:
    async def body() -> None:
        async with scene() as s:
            call = await s.connected(PATIENT)
            assert call.connection is not None
            assert call.connection.streaming is not None
            call.connection.streaming.stall()
            before = len(s.answerer.packets)
            await asyncio.sleep(3)
            assert len(s.answerer.packets) == before
            assert not s.answerer.sockets[0].closed
            await call.connection.streaming.resume()
            await asyncio.sleep(0.01)
            assert len(s.answerer.packets) == pytest.approx(before + 150, abs=1)

    run(body())
