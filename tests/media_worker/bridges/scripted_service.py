"""A scripted Voice Live, and the bridge to it, in virtual time."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

from aiohttp import web

from media_worker.bridges import (
    Bridge,
    BridgeEvent,
    Failed,
    Notice,
)
from media_worker.bridges.connect import VoiceLiveAccess, http_session
from media_worker.bridges.endpoints import Endpoints
from media_worker.bridges.voice_live.bridge import open_voice_live
from switchboard.agents import VoiceLiveAgent

AGENT = VoiceLiveAgent(name="desk", model="gpt-realtime", greeting="Welcome!")


FRAME = base64.b64encode(bytes(960))


Script = Callable[["Server"], Awaitable[None]]


class Server:
    """Plays a script over each connection; `got` is what it received, audio appends aside."""

    def __init__(self, *scripts: Script) -> None:
        self._scripts = list(scripts)
        self.requests: list[web.Request] = []
        self.got: list[dict[str, Any]] = []
        self.audio: list[bytes] = []
        self.status = 101
        self._socket = web.WebSocketResponse()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        if self.status != 101:
            return web.Response(status=self.status)
        self._socket = web.WebSocketResponse(max_msg_size=0)
        await self._socket.prepare(request)
        await self._scripts.pop(0)(self)
        await self._socket.close()
        return self._socket

    async def send(self, kind: str, **fields: object) -> None:
        await self._socket.send_json({"type": kind, "event_id": "e"} | fields)

    async def send_raw(self, text: str) -> None:
        await self._socket.send_str(text)

    async def expect(self, kind: str) -> dict[str, Any]:
        """The next message of this kind; audio on the way to it is kept in `audio`."""
        async with asyncio.timeout(30):
            while True:
                message = await self._socket.receive_json()
                if message["type"] == "input_audio_buffer.append":
                    self.audio.append(message["audio"].encode())
                else:
                    self.got.append(message)
                if message["type"] == kind:
                    assert isinstance(message, dict)
                    return message

    async def open(self, **session: object) -> None:
        await self.send("session.created", session={"id": "s"} | session)
        await self.expect("session.update")
        await self.send("session.updated", session={"id": "s"})

    async def until_closed(self) -> None:
        async for message in self._socket:
            self.got.append(json.loads(message.data))

    async def turn(self, name: str, item: str = "item", text: str = "Good day.") -> None:
        await self.send("response.created", response={"id": name})
        await self.send("conversation.item.created", previous_item_id=None, item={"id": item})
        where = {"response_id": name, "item_id": item, "content_index": 0}
        await self.send("response.audio_transcript.delta", **where, delta=text)
        await self.send("response.audio.delta", **where, delta=FRAME.decode())

    async def done(self, name: str, status: str = "completed") -> None:
        usage = {"total_tokens": 5}
        await self.send("response.done", response={"id": name, "status": status, "usage": usage})


@asynccontextmanager
async def bridged(
    server: Server, agent: VoiceLiveAgent = AGENT, rate: int = 24000
) -> AsyncIterator[Bridge]:
    app = web.Application()
    app.router.add_get("/voice-live/realtime", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]

    async def bearer() -> str:
        return "token"

    try:
        async with http_session() as http:
            endpoints = Endpoints([f"http://127.0.0.1:{port}"])
            access = VoiceLiveAccess(http, endpoints, "2026-07-15", bearer)
            async with open_voice_live(agent, rate, access, "20261123-abc") as bridge:
                yield bridge
    finally:
        await runner.cleanup()


async def heard(
    server: Server,
    agent: VoiceLiveAgent = AGENT,
    until: Callable[[BridgeEvent], bool] = lambda event: isinstance(event, Notice | Failed),
    before: Callable[[Bridge], Awaitable[None]] | None = None,
    on: Callable[[Bridge, BridgeEvent], Awaitable[None]] | None = None,
) -> list[BridgeEvent]:
    """The bridge's events up to the one that `until` names."""
    events: list[BridgeEvent] = []
    async with asyncio.timeout(300), bridged(server, agent) as bridge:
        if before is not None:
            await before(bridge)
        async with aclosing(bridge.events()) as source:
            async for event in source:
                events.append(event)
                if on is not None:
                    await on(bridge, event)
                if until(event):
                    break
    return events
