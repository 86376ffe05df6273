"""What both AI resources offer to callers and tests in other processes."""

import asyncio
import base64
from typing import Any

import aiohttp
import pytest

from simulator.ai_resource import recordings
from simulator.realtime import Realtime
from simulator.realtime_switches import RealtimeSwitches
from simulator.script import Utterance
from simulator.voice_live import VoiceLive
from tests.simulator.realtime_client import connected, talking
from tests.virtual_time import run


def test_recordings_are_found_by_their_plain_words() -> None:
    assert recordings()
    assert all(utterance.clip for utterance in recordings().values())


@pytest.mark.parametrize("kind", [VoiceLive, Realtime])
def test_switches_are_set_and_sessions_read_over_http(kind: Any) -> None:
    async def scenario() -> None:
        async with kind() as service, aiohttp.ClientSession() as http:
            switches = f"{service.url}/simulator/switches"
            async with http.patch(switches, json={"first_token_s": 2.0}) as response:
                assert response.status == 204
            assert service.switches.first_token_s == 2.0
            async with http.patch(switches, json={"colour": "blue"}) as response:
                assert "colour" in (await response.json())["error"]
            async with http.get(f"{service.url}/simulator/sessions") as response:
                assert await response.json() == []

    run(scenario())


def test_a_service_learns_over_http_what_it_will_hear() -> None:
    tune = Utterance("A tune with words")

    async def scenario() -> None:
        async with Realtime() as service, aiohttp.ClientSession() as http:
            pcm = base64.b64encode(tune.pcm(24000)).decode()
            told = {"text": "Hello tune", "rate": 24000, "pcm": pcm}
            learn = f"{service.url}/simulator/utterances"
            async with http.post(learn, json=told) as response:
                assert response.status == 204
            async with http.post(learn, json={"text": "Hello"}) as response:
                assert response.status == 400
            async with talking(service) as client:
                await client.say(tune.pcm(24000))
                await client.until("response.done")
                assert client.text() == "You said: Hello tune"
                async with http.get(f"{service.url}/simulator/sessions") as response:
                    (session,) = await response.json()
                assert session["responses"][0]["text"] == client.text()
                assert session["received_bytes"] == client.session.received_bytes

    run(scenario())


def test_the_quota_of_a_minute_is_refused_with_429_and_then_renewed() -> None:
    async def scenario() -> None:
        async with Realtime() as service:
            service.switches.connections_per_minute = 1
            async with talking(service):
                with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                    async with talking(service):
                        pass
                assert refused.value.status == 429
            assert [refusal.status for refusal in service.refusals] == [429]
            await asyncio.sleep(60)
            async with talking(service):
                pass

    run(scenario())


def test_a_handshake_may_take_its_time() -> None:
    async def scenario() -> None:
        service = Realtime(switches=RealtimeSwitches(handshake_s=3.0))
        async with service, connected(service):
            assert asyncio.get_running_loop().time() == pytest.approx(3.0, abs=0.1)

    run(scenario())


def test_a_service_that_went_down_is_not_there_any_more() -> None:
    async def scenario() -> None:
        async with Realtime() as service, connected(service) as client:
            await service.go_down()
            with pytest.raises(TypeError):  # a closing frame is no text
                await client.next()
            with pytest.raises(aiohttp.ClientConnectorError):
                async with connected(service):
                    pass

    run(scenario())
