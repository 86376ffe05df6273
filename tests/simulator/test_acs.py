"""Whole calls through simulated ACS, answered by the real client."""

import asyncio
import base64
from typing import Any

import azure.communication.callautomation as sdk
import jwt
import pytest
from aiohttp import ClientSession
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from simulator.acs_switches import AcsSwitches, Refusal
from simulator.clock import wall_now
from simulator.script import (
    AfterWait,
    CallerScript,
    DuringAgent,
    Expect,
    HangUp,
    Press,
    Say,
    Stay,
    Step,
    Utterance,
)
from tests.simulator.answerer import GREETED_AND_GONE, Scene, scene
from tests.virtual_time import run

PATIENT = CallerScript((Step(Stay(), AfterWait(0), limit_s=3600),), Expect(greeted=False))


def test_a_call_is_answered_greeted_and_ends_as_scripted() -> None:
    async def body() -> None:
        async with scene() as s:
            call = await s.ring()
            properties = await s.answer()
            assert properties.call_connection_state == "connecting"
            assert properties.correlation_id == call.correlation_id
            await asyncio.sleep(0.5)
            await s.answerer.speak(1000)
            await asyncio.sleep(5)
            await s.answerer.speak(1000)
            outcome = await call.ended()
            assert outcome.faults == ()
            assert outcome.ended_by == "caller"
            await asyncio.sleep(0.5)
            assert s.answerer.types[-1] == "CallDisconnected"
            assert s.answerer.sockets[0].closed
            assert s.acs.calls == []

    run(body())


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


def test_the_socket_names_its_call_and_carries_a_token_that_pyjwt_accepts_with_our_key_set() -> (
    None
):
    async def body() -> None:
        async with scene() as s, ClientSession() as http:
            call = await s.connected(PATIENT)
            headers = s.answerer.handshakes[0]
            assert call.connection is not None
            assert headers["x-ms-call-connection-id"] == call.connection.id
            assert headers["x-ms-call-correlation-id"] == call.correlation_id
            openid = f"{s.acs.url}/calling/.well-known/acsopenidconfiguration"
            async with http.get(openid) as response:
                config = await response.json()
            async with http.get(config["jwks_uri"]) as response:
                keys = jwt.PyJWKSet.from_dict(await response.json())
            for token, life in [
                (headers["Authorization"].removeprefix("Bearer "), 86400),
                (s.answerer.tokens[0], 300),
            ]:
                key = keys[jwt.get_unverified_header(token)["kid"]]
                claims = jwt.decode(
                    token,
                    key.key,
                    algorithms=["RS256"],
                    audience=s.acs.immutable_id,
                    issuer=config["issuer"],
                    options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
                )
                assert claims["exp"] - claims["nbf"] == life
                assert claims["nbf"] <= wall_now() < claims["exp"]

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


def test_a_second_answer_is_refused_as_the_switch_says() -> None:
    async def body() -> None:
        async with scene() as s:
            await s.ring(PATIENT)
            await s.answer()
            with pytest.raises(ResourceNotFoundError) as refused:
                await s.answer()
            assert refused.value.error is not None
            assert refused.value.error.code == "8522"
            s.acs.switches.second_answer = Refusal(400, "8501")
            with pytest.raises(HttpResponseError) as other:
                await s.answer()
            assert other.value.status_code == 400
            s.acs.switches.second_answer = None
            assert (await s.answer()).call_connection_id
            await asyncio.sleep(1)
            assert len(s.answerer.handshakes) == 1

    run(body())


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


def test_digits_come_on_the_media_socket_in_order() -> None:
    async def body() -> None:
        async with scene() as s:
            await s.connected(CallerScript((Step(Press("12#"), AfterWait(1000)), PATIENT.steps[0])))
            await asyncio.sleep(2)
            digits = [p["dtmfData"]["data"] for p in s.answerer.packets if p["kind"] == "DtmfData"]
            assert digits == ["1", "2", "#"]

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
