"""A bare client of the simulated Voice Live service, for tests that look at single events."""

import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from simulator.voice_live import PATH, VoiceLive
from simulator.voice_live_session import Session
from tests.simulator.event_client import Event, EventClient

MODEL = {"api-version": "2026-07-15", "model": "gpt-realtime-2.1"}
AGENT = {"api-version": "2026-07-15", "agent-name": "front-desk", "agent-project-name": "shop"}


class Client(EventClient[Session]):
    """One connection; `seen` is every event so far."""

    async def update(self, **session: Any) -> Event:
        await self.send("session.update", session=session)
        return await self.until("session.updated")

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
