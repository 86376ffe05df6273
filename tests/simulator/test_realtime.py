"""The service as a whole: who is let in, and which script answers."""

import aiohttp
import pytest

from simulator.clock import wall_now
from simulator.identity import make_token
from simulator.realtime import Realtime
from simulator.script import AgentScript, Reply, Utterance
from tests.simulator.realtime_client import MODEL, TEXT, connected
from tests.virtual_time import run


def script(words: str, **names: str) -> AgentScript:
    return AgentScript((Reply(Utterance(words)),), {}, **names)


def test_the_deployment_chooses_the_script() -> None:
    scripts = [
        script("I am a model of Voice Live.", model="front-desk"),
        script("I am the front desk.", deployment="front-desk"),
        script("I am whoever is left."),
    ]

    async def answer(service: Realtime, deployment: str) -> str:
        async with connected(service, {"model": deployment}) as client:
            await client.update()
            await client.send("response.create")
            await client.until("response.done")
            return client.text()

    async def scenario() -> None:
        async with Realtime(scripts) as service:
            assert await answer(service, "front-desk") == "I am the front desk."
            assert await answer(service, "another") == "I am whoever is left."

    run(scenario())


def test_a_refused_handshake_says_why_and_opens_no_session() -> None:
    async def scenario() -> None:
        async with Realtime() as service, aiohttp.ClientSession() as http:
            query = {**MODEL, "api-version": "2025-04-01-preview"}
            address = f"{service.url}/openai/v1/realtime"
            async with http.get(address, params=query, headers={"api-key": service.key}) as answer:
                assert answer.status == 401
                assert "api-version" in (await answer.json())["error"]["message"]
            preview = f"{service.url}/openai/realtime"
            async with http.get(preview, params=query) as answer:
                assert answer.status == 404
            assert len(service.sessions) == 0
            assert len(service.refusals) == 1

    run(scenario())


@pytest.mark.parametrize(("lifetime_s", "status"), [(60, 101), (-60, 401)])
def test_a_token_is_good_until_it_expires(lifetime_s: float, status: int) -> None:
    async def scenario() -> None:
        token = make_token("https://ai.azure.com", now=wall_now(), lifetime_s=lifetime_s)
        async with Realtime() as service, aiohttp.ClientSession() as http:
            told = 101
            try:
                address = f"{service.url}/openai/v1/realtime"
                headers = {"Authorization": f"Bearer {token}"}
                async with http.ws_connect(address, params=MODEL, headers=headers):
                    pass
            except aiohttp.WSServerHandshakeError as refused:
                told = refused.status
            assert told == status

    run(scenario())


def test_a_service_that_keeps_no_audio_still_knows_how_much_there_was() -> None:
    async def scenario() -> None:
        async with Realtime(keep_audio=False) as service, connected(service) as client:
            await client.send("session.update", session=TEXT)
            await client.say(bytes(48_000), then_silent_ms=0)
            await client.send("input_audio_buffer.clear")
            await client.until("input_audio_buffer.cleared")
            assert client.session.received == b""
            assert client.session.received_bytes == 48_000

    run(scenario())
