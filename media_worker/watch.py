"""The call's own deadlines: what must happen although nobody says or sends anything."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from media_worker.bridges import Bridge
from media_worker.exchange import Exchange
from media_worker.leg import Ended, Leg, LetGo
from media_worker.limits import (
    BLOCKED_S,
    LEG_STALLED_S,
    RENEW_AT_LATEST_S,
    RENEW_BEFORE_S,
    WATCH_S,
)
from media_worker.patience import End, Say
from switchboard.end_reason import EndReason

STALLED = 4408
"""Close code for a leg that moves no audio any more; private use (RFC 6455, section 7.4.2)."""


class Over(Exception):
    """The call has ended for us. Whoever finds out raises it in the call's task group."""

    def __init__(self, ending: Ended | LetGo, *, caller_gone: bool = False, why: str = "") -> None:
        super().__init__(ending)
        self.ending = ending
        self.caller_gone = caller_gone
        self.why = why


@dataclass(slots=True)
class Line:
    """The caller's leg, whichever it is now."""

    leg: Leg
    last_message_at: float = 0.0
    lost: bool = False
    """Closed, and what became of the call is being found out."""
    handing_on_since: float | None = None
    """Since when the bridge has been taking one frame; None: it is not."""

    async def send(self, message: bytes) -> None:
        """To the leg of the moment; see `Leg.send`."""
        await self.leg.send(message)


class Watch:
    """Looks after one call, every second and when something is due."""

    def __init__(self, talk: Exchange, bridge: Bridge, line: Line) -> None:
        self._talk = talk
        self._bridge = bridge
        self._line = line
        self._wake = asyncio.Event()
        self.renew_by: float | None = None
        """When the bridge's session expires; None: never, as far as is known."""
        self.unsaved = asyncio.Event()
        """Set when there are turns that the record does not have."""
        self._seen_changes = 0

    def look(self) -> None:
        """Something happened that may be due at once."""
        self._wake.set()

    async def run(self) -> None:
        """Runs for ever, or raises `Over`."""
        now = asyncio.get_running_loop().time
        while True:
            await self._look_at_connections(now())
            await self._look_at_talk(now())
            if self._talk.turns.changes != self._seen_changes:
                self._seen_changes = self._talk.turns.changes
                self.unsaved.set()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._due_at(now())):
                    await self._wake.wait()
            self._wake.clear()

    async def _look_at_connections(self, now: float) -> None:
        talk, line = self._talk, self._line
        if talk.stalled(now):
            raise Over(Ended(EndReason.BRIDGE_FAILED), why="stalled")
        if line.handing_on_since is not None:  # so nothing is read from the leg: not its fault
            line.last_message_at = now
            if now - line.handing_on_since > BLOCKED_S:
                await self._bridge.renew()
        silent = not line.lost and now - line.last_message_at > LEG_STALLED_S
        blocked = (
            talk.playback.sending_since is not None
            and now - talk.playback.sending_since > BLOCKED_S
        )
        if silent or blocked:
            await line.leg.close(STALLED)
        if self.renew_by is not None:
            left_s = self.renew_by - now
            if left_s < RENEW_AT_LATEST_S or (left_s < RENEW_BEFORE_S and talk.pauses(now)):
                self.renew_by = None
                await self._bridge.renew()

    async def _look_at_talk(self, now: float) -> None:
        await self._talk.keys_due(now)
        match self._talk.patience.step(now, self._talk.quiet_since(now)):
            case Say(text):
                await self._talk.say(text)
            case End(reason):
                raise Over(Ended(reason))
            case None:
                pass

    def _due_at(self, now: float) -> float:
        due = self._talk.due(now)
        return min([now + WATCH_S, *(at for at in due if at > now)])
