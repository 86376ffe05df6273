"""A model's answer while it is being written: it can be cancelled at any moment, and then ends.

Shared by Voice Live and Azure OpenAI Realtime, whose responses live and die alike.
"""

import asyncio
import uuid
from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["in_progress", "completed", "cancelled", "incomplete", "failed"]


def new_id(kind: str) -> str:
    """An id as the services make them: `item_`, `resp_`, … and 20 characters."""
    return f"{kind}_{uuid.uuid4().hex[:20]}"


async def comes_within(event: asyncio.Event, seconds: float) -> bool:
    """Waits for `event`, but not longer than `seconds` (0 or less: not at all)."""
    if event.is_set() or seconds <= 0:
        return event.is_set()
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


@dataclass(kw_only=True)
class Generation:
    """The life of one response; what it consists of is its subclass's matter."""

    id: str = field(default_factory=lambda: new_id("resp"))
    status: Status = "in_progress"
    reason: str | None = None
    """Why it was cancelled: `turn_detected` or `client_cancelled`."""
    calls: list[dict[str, Any]] = field(default_factory=list)
    """Its function calls, complete."""
    output: list[dict[str, Any]] = field(default_factory=list)
    """Its items, as events show them."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    """Its last event is out."""
    _cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def cancelled(self) -> bool:
        """Somebody asked it to stop."""
        return self._cancelled.is_set()

    async def cancel(self, reason: str) -> None:
        """Asks the response to stop and waits until its last event is out."""
        if not self.cancelled:
            self.reason = reason
            self._cancelled.set()
        await self.ended.wait()

    def abandon(self) -> None:
        """The client has gone: nothing more is sent, so do not wait for anything."""
        self._cancelled.set()

    async def wait(self, seconds: float) -> None:
        """Sleeps, unless the response is cancelled meanwhile."""
        await comes_within(self._cancelled, seconds)

    async def stall(self) -> None:
        """Falls silent until the response is cancelled."""
        await self._cancelled.wait()
