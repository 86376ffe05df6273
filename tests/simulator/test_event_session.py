"""What both services do with events, whatever these mean. Source: the Realtime API reference."""

import asyncio
import base64
import json
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType, web

from simulator.event_session import EventSession, SessionSwitches
from simulator.serving import serve
from tests.virtual_time import run


class Echo(EventSession):
    """Says what it was sent."""

    def __init__(self, switches: SessionSwitches | None = None) -> None:
        super().__init__(switches or SessionSwitches(), keep_audio=True)
        self.handlers = {"say": self._say, "hear": self._hear}

    def wire(self) -> dict[str, Any]:
        return {"id": self.id, "expires_at": self.expires_at}

    def begin(self, group: asyncio.TaskGroup) -> None: ...

    def end(self) -> None: ...

    def report(self) -> dict[str, Any]:
        return {}

    async def _say(self, event: dict[str, Any]) -> None:
        await self.send("said", words=event["words"])

    async def _hear(self, event: dict[str, Any]) -> None:
        await self.send("heard", bytes=len(self.take_audio(event)))


async def exchange(session: Echo, *messages: str | bytes) -> list[dict[str, Any]]:
    """Sends these and reads until the session closes, or says as much as it was sent."""

    async def door(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await session.run(socket)
        return socket

    app = web.Application()
    app.router.add_get("/", door)
    async with serve(app) as url, aiohttp.ClientSession() as http:
        socket = await http.ws_connect(url)
        told = [await socket.receive_json()]
        for message in messages:
            if isinstance(message, bytes):
                await socket.send_bytes(message)
            else:
                await socket.send_str(message)
            told.append(await socket.receive_json())
        if not messages:
            async for frame in socket:
                assert frame.type is WSMsgType.TEXT
                told.append(json.loads(frame.data))
        await socket.close()
        await asyncio.sleep(1)
    return told


def test_each_event_goes_to_its_handler_and_every_answer_has_an_id() -> None:
    session = Echo()
    told = run(exchange(session, '{"type": "say", "words": "Hi"}'))
    assert [event["type"] for event in told] == ["session.created", "said"]
    assert len({event["event_id"] for event in told}) == 2
    assert session.events == [{"type": "say", "words": "Hi"}]
    assert session.close_code == 1000


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("{", "invalid_json"),
        ("3", "missing_required_parameter"),
        ('{"type": "dance", "event_id": "e"}', "invalid_value"),
        (b"\x00", "invalid_value"),
        ('{"type": "hear", "audio": "?"}', "invalid_value"),
        ('{"type": "hear", "audio": "AAAA"}', "invalid_value"),
    ],
)
def test_a_wrong_event_is_an_error_and_the_session_goes_on(message: str | bytes, code: str) -> None:
    session = Echo()
    told = run(exchange(session, message, '{"type": "say", "words": "Still here"}'))
    assert told[1]["error"]["code"] == code
    assert told[2]["words"] == "Still here"
    assert session.errors == [told[1]["error"]]


def test_audio_is_written_down_sample_by_sample() -> None:
    session, pcm = Echo(), bytes(range(200))
    sent = json.dumps({"type": "hear", "audio": base64.b64encode(pcm).decode()})
    told = run(exchange(session, sent, sent))
    assert told[1]["bytes"] == 200
    assert bytes(session.received) == pcm * 2
    assert session.received_bytes == 400


def test_a_session_says_when_it_expires_and_then_closes() -> None:
    async def scenario() -> None:
        session = Echo(SessionSwitches(session_s=1800))
        told = await exchange(session)
        assert [event["type"] for event in told] == ["session.created", "error"]
        assert told[1]["error"]["code"] == "session_expired"
        assert "30 minutes" in told[1]["error"]["message"]
        assert session.close_code == 1001

    run(scenario())


def test_a_slow_session_opens_late() -> None:
    async def scenario() -> None:
        switches = SessionSwitches(open_delay_s=2.0)
        await exchange(Echo(switches), '{"type": "say", "words": "Hi"}')
        assert asyncio.get_running_loop().time() >= 2.0

    run(scenario())


def test_a_slow_network_brings_every_event_late_and_in_order() -> None:
    async def scenario() -> None:
        now = asyncio.get_running_loop().time
        session = Echo(SessionSwitches(latency_s=1.5))
        told = await exchange(
            session, *(json.dumps({"type": "say", "words": word}) for word in ("one", "two"))
        )
        assert [event.get("words") for event in told[1:]] == ["one", "two"]
        assert now() >= 4.5  # the session's own event came late, too

    run(scenario())
