"""The service as a whole; the real client drives it in test_voice_live_sdk.py."""

import asyncio

import aiohttp
import pytest
from azure.ai.voicelive.models import (
    AzureSemanticVad,
)

from simulator.clock import wall_now
from simulator.identity import make_token
from simulator.script import AgentScript, Reply, ToolCall, Utterance
from simulator.voice_live import VoiceLive
from tests.simulator.voice_live_client import AGENT, MODEL, talking
from tests.virtual_time import run

GREETING = "Hello, you have reached Harbour Cycles. How can I help you?"
LONG = Reply(Utterance("word " * 100), to="hours")
TOOL = Reply(Utterance("One moment."), to="order", calls=(ToolCall("get_order", {"id": 7}),))
SHOP = AgentScript((LONG, TOOL, Reply(Utterance("It is on its way."), after="get_order")), {})
VAD = AzureSemanticVad(interrupt_response=True, create_response=True)


def test_the_thirty_first_connection_of_a_minute_is_one_too_many() -> None:
    """S0: 30 new connections a minute (speech services quotas and limits)."""

    async def scenario() -> None:
        async with VoiceLive() as service:
            for _ in range(30):
                async with talking(service):
                    pass
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                async with talking(service):
                    pass
            assert refused.value.status == 429
            await asyncio.sleep(60)
            async with talking(service):
                pass
            assert len(service.sessions) == 31

    run(scenario())


def test_a_session_is_closed_when_it_expires() -> None:
    async def scenario() -> None:
        async with VoiceLive() as service:
            service.switches.session_s = 120
            async with talking(service) as client:
                begun = asyncio.get_running_loop().time()
                assert (await client.next(within_s=200))["error"]["code"] == "session_expired"
                assert asyncio.get_running_loop().time() - begun == pytest.approx(120, abs=1)
                assert (await client.socket.receive()).type is aiohttp.WSMsgType.CLOSE
                assert client.socket.close_code == 1001

    run(scenario())


def test_callers_in_another_process_teach_the_service_and_read_what_it_believes() -> None:
    async def scenario() -> None:
        async with VoiceLive() as service, aiohttp.ClientSession() as http:
            told = {"text": "Hi", "rate": 24000, "pcm": "AAA"}
            async with http.post(service.url + "/simulator/utterances", json=told) as answer:
                assert answer.status == 400
            async with talking(service) as client:
                await client.send("response.create")
                await client.until("response.done")
            async with http.get(service.url + "/simulator/sessions") as answer:
                (report,) = await answer.json()
            assert [item["text"] for item in report["items"]] == ["I did not catch that."]
            assert report["responses"][0]["audio_bytes"] == len(client.audio())

    run(scenario())


def test_switches_can_be_set_from_another_process() -> None:
    async def scenario() -> None:
        async with VoiceLive() as service, aiohttp.ClientSession() as http:
            address = service.url + "/simulator/switches"
            told = {"connections_per_minute": 0, "chunk_bytes": [960]}
            async with http.patch(address, json=told) as answer:
                assert answer.status == 204
            assert service.switches.chunk_bytes == (960,)
            with pytest.raises(aiohttp.WSServerHandshakeError):
                async with talking(service):
                    pass
            async with http.patch(address, json={"colour": "red"}) as answer:
                assert answer.status == 400

    run(scenario())


def test_a_client_that_vanishes_leaves_nothing_running() -> None:
    async def scenario() -> None:
        async with VoiceLive([SHOP]) as service:
            async with talking(service, AGENT | {"Authorization": bearer()}, {}) as client:
                await client.send("response.create")
                await client.until("response.created")
            await asyncio.sleep(1)
            assert client.session.close_code is not None
            names = {task.get_name() for task in asyncio.all_tasks()}
            assert not [name for name in names if name.startswith("voice live")]

    run(scenario())


def test_a_service_that_keeps_no_audio_still_knows_how_much_there_was() -> None:
    async def scenario() -> None:
        async with VoiceLive(keep_audio=False) as service:
            async with talking(service) as client:
                await client.say(Utterance("Hello").pcm(24000))
                await client.until("response.done")
            await asyncio.sleep(1)
            assert client.session.received == b""
            assert client.session.received_bytes >= 900 * 48
            assert [r.audio_bytes for r in client.session.responses] == [len(client.audio())]
            assert client.session.responses[0].audio == b""

    run(scenario())


def bearer() -> str:
    return f"Bearer {make_token('https://ai.azure.com', now=wall_now())}"


def test_unknown_parameters_are_ignored() -> None:
    async def scenario() -> None:
        query = MODEL | {"x-ms-client-sdk": "1", "moon": "full"}
        async with VoiceLive() as service, talking(service, query) as client:
            await client.update(temperature=0.7)

    run(scenario())
