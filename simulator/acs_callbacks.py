"""Call Automation's webhooks: CloudEvents posted to the callback URI, each with a fresh JWT."""

import asyncio
import json
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from simulator.acs_switches import AcsSwitches
from simulator.acs_wire import cloud_event
from simulator.clock import wall_now
from simulator.keys import SigningKey
from simulator.timeline import Timeline

TOKEN_LIFE_S = 300
"""A callback's JWT is valid for 5 minutes (ACS secure-webhook-endpoint docs)."""


@dataclass(frozen=True)
class Issuer:
    """Signs ACS's tokens for its peers: `issuer` claim, audience the immutable resource id."""

    key: SigningKey
    issuer: str
    audience: str

    def token(self, life_s: float, **claims: Any) -> str:
        """A JWT valid from now for `life_s` seconds; `claims` replace the usual ones."""
        now = int(wall_now())
        usual = {
            "iss": self.issuer,
            "aud": self.audience,
            "iat": now,
            "nbf": now,
            "exp": int(now + life_s),
        }
        return self.key.sign({**usual, **claims})


@dataclass
class Callbacks:
    """Posts one connection's events; `start` runs each delivery beside the call."""

    http: aiohttp.ClientSession
    issuer: Issuer
    switches: AcsSwitches
    timeline: Timeline
    start: Callable[[Coroutine[Any, Any, None]], object]
    closed: bool = field(default=False)
    """After CallDisconnected nothing more is sent."""

    def post(self, uri: str, connection_id: str, kind: str, data: dict[str, Any]) -> None:
        """Sends an event as often and as late as the switches say. Returns at once."""
        if self.closed and not self.switches.callback_after_end:
            return
        if kind == "CallDisconnected":
            self.closed = True
        event = cloud_event(kind, str(uuid.uuid4()), connection_id, wall_now(), data)
        for _ in range(self.switches.callback_copies.get(kind, 1)):
            self.start(self._deliver(uri, kind, json.dumps([event]).encode()))

    async def _deliver(self, uri: str, kind: str, body: bytes) -> None:
        switches = self.switches
        await asyncio.sleep(switches.callback_delay_s.get(kind, 0.0))
        for attempt in range(switches.callback_attempts):
            if attempt:
                await asyncio.sleep(switches.callback_retry_s)
            status = await self._attempt(uri, body)
            self.timeline.add("callback", type=kind, status=status)
            if status is not None and 200 <= status < 300:
                return

    async def _attempt(self, uri: str, body: bytes) -> int | None:
        """The response's status; None if there was none in time."""
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {self.issuer.token(TOKEN_LIFE_S)}",
        }
        try:
            async with asyncio.timeout(self.switches.callback_limit_s):
                async with self.http.post(uri, data=body, headers=headers) as response:
                    await response.read()
                    return response.status
        except (TimeoutError, aiohttp.ClientError, OSError):
            return None
