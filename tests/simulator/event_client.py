"""A bare client of a simulated AI service, for tests that look at single events."""

import asyncio
import base64
import json
from typing import Any, Generic, TypeVar

import aiohttp

from simulator.audio import frames, silence
from simulator.event_session import EventSession

Event = dict[str, Any]
SomeSession = TypeVar("SomeSession", bound=EventSession)


class EventClient(Generic[SomeSession]):
    """One connection; `seen` is every event so far."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, session: SomeSession) -> None:
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

    async def say(self, pcm: bytes, rate: int = 24000, *, then_silent_ms: float = 600) -> None:
        """Sends audio as a phone call brings it, 20 ms at a time, and silence after it."""
        for frame in frames(pcm + silence(then_silent_ms, rate), rate):
            await self.send("input_audio_buffer.append", audio=base64.b64encode(frame).decode())
            await asyncio.sleep(0.02)

    def kinds(self) -> list[str]:
        """The types seen, each run of equal ones as one."""
        kinds = [event["type"] for event in self.seen]
        return [kind for i, kind in enumerate(kinds) if i == 0 or kinds[i - 1] != kind]
