"""A bare client of the simulated Voice Live service, for tests that look at single events."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from simulator.audio import frames, silence
from simulator.voice_live import PATH, VoiceLive
from simulator.voice_live_session import Session

Event = dict[str, Any]
MODEL = {"api-version": "2026-07-15", "model": "gpt-realtime-2.1"}
AGENT = {"api-version": "2026-07-15", "agent-name": "front-desk", "agent-project-name": "shop"}


class Client:
    """One connection; `seen` is every event so far."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, session: Session) -> None:
        self.socket, self.session = socket, session
        self.seen: list[Event] = []

    async def send(self, kind: str, **fields: Any) -> None:
        await self.socket.send_str(json.dumps({"type": kind, **fields}))

    async def next(self, within_s: float = 30) -> Event:
        async with asyncio.timeout(within_s):
            event: Event = json.loads(await self.socket.receive_str())
        self.seen.append(event)
        return event

    async def until(self, kind: str) -> Event:
        """Reads up to the next event of this type."""
        while (event := await self.next())["type"] != kind:
            pass
        return event

    async def update(self, **session: Any) -> Event:
        await self.send("session.update", session=session)
        return await self.until("session.updated")

    async def say(self, pcm: bytes, rate: int = 24000, *, then_silent_ms: float = 600) -> None:
        """Sends audio as a phone call brings it, 20 ms at a time, and silence after it."""
        for frame in frames(pcm + silence(then_silent_ms, rate), rate):
            await self.send("input_audio_buffer.append", audio=base64.b64encode(frame).decode())
            await asyncio.sleep(0.02)

    def kinds(self) -> list[str]:
        """The types seen, each run of equal ones as one."""
        kinds = [event["type"] for event in self.seen]
        return [kind for i, kind in enumerate(kinds) if i == 0 or kinds[i - 1] != kind]

    def audio(self) -> bytes:
        deltas = (e["delta"] for e in self.seen if e["type"] == "response.audio.delta")
        return b"".join(map(base64.b64decode, deltas))


@asynccontextmanager
async def talking(
    service: VoiceLive, query: Mapping[str, str] = MODEL, headers: Mapping[str, str] | None = None
) -> AsyncIterator[Client]:
    """A connected client that has seen session.created."""
    async with aiohttp.ClientSession() as http:
        socket = await http.ws_connect(
            service.url + PATH,
            params=query,
            headers=headers or {"api-key": service.key},
            max_msg_size=0,
        )
        client = Client(socket, service.sessions[-1])
        assert (await client.next())["type"] == "session.created"
        yield client
        await socket.close()
