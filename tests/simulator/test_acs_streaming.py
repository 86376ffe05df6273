"""Media sockets that are refused, break, come back or do not, as the product sees them."""

import asyncio
import base64
from typing import Any, Literal

import azure.communication.callautomation as sdk
import pytest
from azure.core.exceptions import HttpResponseError

from simulator.acs_calls import SimulatedCall
from simulator.acs_switches import AcsSwitches
from simulator.script import AfterWait, CallerScript, Press, Say, Stay, Step, Utterance
from tests.simulator.answerer import PATIENT, Scene, scene
from tests.virtual_time import run


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


def test_every_sample_of_the_caller_arrives_at_16_khz_too() -> None:
    async def body() -> None:
        async with scene() as s:
            script = CallerScript(
                (Step(Say(Utterance("hello there")), AfterWait(1000)), Step(Stay()))
            )
            call = await s.ring(script)
            options = s.answerer.media_options(audio_format=sdk.AudioFormat.PCM16_K_MONO)
            await s.client.answer_call(
                s.events[-1][1]["incomingCallContext"], s.callback_url, media_streaming=options
            )
            await asyncio.sleep(4)
            assert call.line is not None
            assert call.line.rate == 16000
            sent = b"".join(
                base64.b64decode(packet["audioData"]["data"])
                for packet in s.answerer.packets
                if packet["kind"] == "AudioData"
            )
            assert bytes(call.line.spoken).endswith(sent)
            assert Utterance("hello there").pcm(16000) in sent
            silent = [p["audioData"]["silent"] for p in s.answerer.packets[1:]]
            assert set(silent) == {True, False}

    run(body())


def test_stop_audio_in_any_spelling_silences_the_agent_at_once() -> None:
    async def body(message: dict[str, Any]) -> None:
        async with scene() as s:
            call = await s.connected(PATIENT)
            line = call.line
            assert line is not None
            await s.answerer.speak(2000)
            await asyncio.sleep(0.7)
            await s.answerer.sockets[0].send_json(message)
            stopped = line.now_s
            await asyncio.sleep(1)
            (stretch,) = line.playout.stretches(line.now_s)
            assert stretch.end_s == pytest.approx(stopped, abs=1e-3)
            assert line.stops[0][1] == pytest.approx(1.3 * 24000, abs=30)

    spellings: tuple[dict[str, Any], ...] = (
        {"Kind": "StopAudio", "AudioData": None, "StopAudio": {}},
        {"kind": "StopAudio", "stopAudio": {}},
        {"kind": "stopAudio", "audioData": None, "stopAudio": {}},
    )
    for message in spellings:
        run(body(message))


def test_digits_come_on_the_media_socket_in_order() -> None:
    async def body() -> None:
        async with scene() as s:
            await s.connected(CallerScript((Step(Press("12#"), AfterWait(1000)), PATIENT.steps[0])))
            await asyncio.sleep(2)
            digits = [p["dtmfData"]["data"] for p in s.answerer.packets if p["kind"] == "DtmfData"]
            assert digits == ["1", "2", "#"]

    run(body())


def test_faulty_packets_are_noted_and_do_not_end_the_call() -> None:
    async def body() -> None:
        async with scene() as s:
            call = await s.connected(PATIENT)
            socket = s.answerer.sockets[0]
            await socket.send_str("no json")
            await socket.send_bytes(b"\0\1")
            await socket.send_json({"Kind": "AudioData", "AudioData": {"Data": "AA=="}})
            await socket.send_json({"kind": "audioData", "audioData": {"data": "!!"}})
            await socket.send_json({"Kind": "Transcription"})
            await asyncio.sleep(0.5)
            faults = [entry.detail["why"] for entry in call.timeline.all("media_fault")]
            assert faults == ["not JSON", "binary message", "half a sample", "audio is not base64"]
            assert call.outcome is None

    run(body())
