"""Services as `up` starts them, and calls placed over HTTP."""

import asyncio
import io
import json
import wave
from pathlib import Path
from typing import Any

import azure.communication.callautomation as sdk
import pytest
from aiohttp import ClientSession, web
from azure.communication.callautomation.aio import CallAutomationClient
from azure.core.credentials import AzureKeyCredential

from simulator.acs import ACCESS_KEY
from simulator.services import RemoteAcs, opened, serve_until
from simulator.serving import serve
from tests.simulator.answerer import Answerer
from tests.virtual_time import run

SPEECH = Path(__file__).parents[2] / "simulator" / "speech"


def test_a_call_is_placed_over_http_and_told_line_by_line_to_its_report() -> None:
    async def body() -> None:
        events: list[dict[str, Any]] = []

        async def publish(_: str, data: dict[str, Any]) -> None:
            events.append(data)

        answerer = Answerer()
        app = web.Application()
        app.router.add_post("/{tail:calls/.*}", answerer.callback)
        app.router.add_get("/{tail:media/.*}", answerer.media)
        async with serve(app) as url, RemoteAcs(publish) as acs, ClientSession() as http:
            answerer.url = url
            wanted = {
                "to": "+15550001111",
                "from": "anonymous",
                "wav": str(SPEECH / "caller_hours.wav"),
            }
            async with http.post(f"{acs.url}/simulator/calls", json=wanted) as response:
                first = json.loads(await response.content.readline())
                assert (first["event"], first["to"]) == ("ringing", "4:+15550001111")
                key = AzureKeyCredential(ACCESS_KEY)
                async with CallAutomationClient(acs.url, key, use_env_settings=False) as client:
                    await client.answer_call(
                        events[0]["incomingCallContext"],
                        f"{url}/calls/20261123-abc?token=token",
                        media_streaming=answerer.media_options(
                            audio_format=sdk.AudioFormat.PCM16_K_MONO
                        ),
                    )
                await asyncio.sleep(0.5)
                for _ in range(2):
                    await answerer.speak(800, rate=16000)
                    await asyncio.sleep(6)
                lines = [json.loads(line) async for line in response.content]
            report = lines[-1]["report"]
            assert report["as_scripted"]
            assert report["call_id"] == "20261123-abc"
            assert report["from"] == "anonymous"
            assert [line["event"] for line in lines[:-1] if "event" in line][-1] == "callback"
            recording = f"{acs.url}/simulator/calls/{lines[-1]['recording']}"
            async with http.get(recording) as response:
                with wave.open(io.BytesIO(await response.read())) as wav:
                    assert (wav.getnchannels(), wav.getframerate()) == (2, 16000)
            async with http.get(f"{acs.url}/simulator/calls/other.wav") as response:
                assert response.status == 404
            wanted["wav"] = "/nowhere.wav"
            async with http.post(f"{acs.url}/simulator/calls", json=wanted) as response:
                assert response.status == 400
                assert "/nowhere.wav" in (await response.json())["error"]

    run(body())


def test_event_grid_is_told_over_http_what_to_deliver_and_where() -> None:
    async def body() -> None:
        delivered: list[Any] = []

        async def hook(request: web.Request) -> web.Response:
            (event,) = await request.json()
            if "validationCode" in event["data"]:
                answer = {"validationResponse": event["data"]["validationCode"]}
                return web.json_response(answer)
            delivered.append(event)
            return web.Response(status=202)

        app = web.Application()
        app.router.add_post("/hook", hook)
        async with serve(app) as url, opened("event_grid", {}) as facts, ClientSession() as http:
            wanted = {"endpoint": f"{url}/hook"}
            async with http.put(f"{facts['url']}/subscriptions/a", json=wanted) as response:
                assert response.status == 201
            async with http.put(
                f"{facts['url']}/subscriptions/b", json={"endpoint": f"{url}/other"}
            ) as response:
                assert response.status == 400
            event = {"subject": "/caller/x", "data": {"correlationId": "c"}}
            async with http.post(f"{facts['url']}/events", json=event) as response:
                assert response.status == 202
            await asyncio.sleep(1)
            assert [one["data"] for one in delivered] == [{"correlationId": "c"}]

    run(body())


@pytest.mark.parametrize("name", ["identity", "storage", "voice_live", "realtime", "speech"])
def test_a_service_tells_where_it_is_once_it_is_up(name: str, tmp_path: Path) -> None:
    async def body() -> None:
        stopped, ready = asyncio.Event(), tmp_path / "ready"
        async with asyncio.TaskGroup() as group:
            group.create_task(serve_until(name, {"ready": str(ready)}, stopped))
            while not ready.exists():
                await asyncio.sleep(0.1)
            facts = json.loads(ready.read_text())
            assert any("http://127.0.0.1:" in str(value) for value in facts.values())
            stopped.set()

    run(body())


def test_an_unknown_service_is_refused() -> None:
    async def body() -> None:
        async with opened("telegraph", {}):
            pass

    with pytest.raises(ValueError, match="telegraph is none of identity"):
        run(body())
