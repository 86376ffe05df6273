"""The service as a whole: handshakes, what it tells other processes, what it keeps."""

import asyncio

import aiohttp
import pytest

from simulator.script import Utterance
from simulator.script_toml import utterance_of_wav
from simulator.speech_service import RECORDINGS, Speech
from simulator.speech_service_switches import SpeechSwitches
from tests.simulator.speech_socket import connected
from tests.virtual_time import run


async def _status(service: Speech, query: str = "") -> int:
    headers = {"Ocp-Apim-Subscription-Key": service.key}
    url = f"{service.stream_url}{query}"
    async with aiohttp.ClientSession() as http:
        try:
            async with http.ws_connect(url, headers=headers, protocols=["USP"]) as ws:
                assert ws.protocol == "USP"
                return 101
        except aiohttp.WSServerHandshakeError as error:
            return error.status


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_handshakes_can_be_refused_all_of_them_or_the_next_ones(status: int) -> None:
    async def body() -> None:
        async with Speech(SpeechSwitches(refuse_status=status)) as service:
            assert [await _status(service) for _ in range(3)] == [status] * 3
            service.switches.refuse_next = 1
            assert [await _status(service) for _ in range(2)] == [status, 101]
            assert len(service.refusals) == 4
            assert len(service.connections) == 1

    run(body())


def test_a_handshake_can_be_slow() -> None:
    async def body() -> None:
        async with Speech(SpeechSwitches(handshake_s=3.0)) as service:
            assert await _status(service) == 101
            assert asyncio.get_running_loop().time() == pytest.approx(3.0, abs=0.1)

    run(body())


def test_a_custom_voice_is_spoken_by_its_own_deployment_alone() -> None:
    async def body() -> None:
        async with Speech(custom_voices={"d-1": "HarbourNeural"}) as service:
            assert await _status(service, "?deploymentId=d-2") == 404
            for path, closed in (
                ("/cognitiveservices/websocket/v2?deploymentId=d-1", None),
                ("/cognitiveservices/websocket/v2", 1007),
            ):
                async with connected(service, path) as socket:
                    await socket.speak("a", "Hello.", voice="HarbourNeural")
                    await socket.until_end("a")
                    assert socket.close_code == closed
        async with Speech() as service:
            path = "/cognitiveservices/websocket/v2?deploymentId=d-2"
            async with connected(service, path) as socket:
                await socket.speak("a", "Hello.", voice="AnythingNeural")
                assert (await socket.until_end("a")).audio

    run(body())


def test_other_processes_can_set_switches_and_read_what_was_said() -> None:
    async def body() -> None:
        async with Speech() as service, aiohttp.ClientSession() as http:
            async with connected(service) as socket:
                await socket.speak("a", "Hello.")
                await socket.until_end("a")
            async with http.get(f"{service.url}/simulator/utterances") as response:
                (told,) = await response.json()
            assert (told["text"], told["outcome"]) == ("Hello.", "complete")
            url = f"{service.url}/simulator/switches"
            async with http.patch(url, json={"refuse_status": 503}) as response:
                assert response.status == 204
            assert await _status(service) == 503
            async with http.patch(url, json={"refuse": 503}) as response:
                assert response.status == 400

    run(body())


def test_agents_speak_with_their_own_clips_and_never_with_the_callers_voice() -> None:
    caller = utterance_of_wav(RECORDINGS / "caller_hours.wav")

    async def said(text: str, *known: Utterance) -> bytes:
        async with Speech(utterances=known) as service, connected(service) as socket:
            await socket.speak("a", text)
            return (await socket.until_end("a")).audio

    async def body() -> None:
        assert await said(caller.text) != caller.pcm(24000)
        assert await said(caller.text, caller) == caller.pcm(24000)

    run(body())


def test_without_kept_audio_its_length_is_still_known() -> None:
    async def body() -> None:
        async with Speech(keep_audio=False) as service, connected(service) as socket:
            await socket.speak("a", "Hello.")
            heard = await socket.until_end("a")
            (spoken,) = service.utterances
            assert not spoken.audio
            assert spoken.audio_bytes == len(heard.audio)

    run(body())


def test_all_connections_may_be_closed_and_the_service_go_down() -> None:
    async def body() -> None:
        async with Speech() as service:
            async with connected(service) as client:
                await service.hang_up(1011)
                await asyncio.sleep(0.1)
                assert [c.open for c in service.connections] == [False]
                assert client.close_code in (None, 1011)
            assert await _status(service) == 101
            await service.go_down()
            with pytest.raises(aiohttp.ClientConnectorError):
                await _status(service)

    run(body())
