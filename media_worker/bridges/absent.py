"""The bridge of an agent whose services this deployment has not: it fails at once, and says why."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

from media_worker.bridges import Bridge, BridgeEvent, Failed


@asynccontextmanager
async def open_absent(mend: str) -> AsyncIterator[Bridge]:
    """See `OpenBridge`; `mend`: what to do about it."""
    yield AbsentBridge(mend)


class AbsentBridge:
    """See `Bridge`. Takes everything and does nothing."""

    def __init__(self, mend: str) -> None:
        self._mend = mend

    async def send_audio(self, audio: bytes) -> None:
        """Nobody listens."""

    async def interrupt(self, turn: str, heard_ms: int) -> str | None:
        """Nobody speaks."""
        return None

    async def cancel(self, turn: str) -> None:
        """Nobody speaks."""

    async def say(self, text: str) -> None:
        """Nobody speaks."""

    async def prompt(self, text: str, *, speaker: Literal["caller", "system"]) -> None:
        """Nobody listens."""

    async def answer(self, call: str, output: str, *, react: bool) -> None:
        """Nobody asked."""

    async def renew(self) -> None:
        """There is nothing to renew."""

    def apology(self) -> bytes | None:
        """Nobody speaks."""
        return None

    async def events(self) -> AsyncGenerator[BridgeEvent, None]:
        """Fails."""
        yield Failed("not_configured", self._mend)
