"""A bare client of the simulated Realtime service, for tests that look at single events."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from simulator.realtime import PATH, Realtime
from simulator.realtime_session import Session
from tests.simulator.event_client import Event, EventClient

MODEL = {"model": "gpt-realtime-2.1-mini"}
TEXT: dict[str, Any] = {"type": "realtime", "output_modalities": ["text"]}


class Client(EventClient[Session]):
    """One connection; `seen` is every event so far."""

    async def update(self, **session: Any) -> Event:
        """Sets the session to text, and `session`."""
        await self.send("session.update", session={**TEXT, **session})
        return await self.until("session.updated")

    async def hears(self, **audio: Any) -> Event:
        """Updates `session.audio.input`."""
        return await self.update(audio={"input": audio})

    async def refused(self) -> Event:
        """The next error."""
        error: Event = (await self.until("error"))["error"]
        return error

    def text(self) -> str:
        """The words of all deltas seen."""
        kind = "response.output_text.delta"
        return "".join(event["delta"] for event in self.seen if event["type"] == kind)


@asynccontextmanager
async def connected(
    service: Realtime, query: Mapping[str, str] = MODEL, headers: Mapping[str, str] | None = None
) -> AsyncIterator[Client]:
    """A client that has seen session.created."""
    async with aiohttp.ClientSession() as http:
        socket = await http.ws_connect(
            service.url + PATH,
            params=query,
            headers={"api-key": service.key} if headers is None else headers,
            max_msg_size=0,
        )
        client = Client(socket, service.sessions[-1])
        assert (await client.next())["type"] == "session.created"
        yield client
        await socket.close()


@asynccontextmanager
async def talking(service: Realtime, **audio: Any) -> AsyncIterator[Client]:
    """A client whose session answers in text; `audio` is its `session.audio.input`."""
    async with connected(service) as client:
        await client.hears(**audio)
        client.seen.clear()
        yield client
