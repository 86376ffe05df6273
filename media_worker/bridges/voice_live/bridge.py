"""The bridge to Azure Voice Live: a WebSocket client of its own around `conversation.py`.

Not the `azure-ai-voicelive` client: that one decodes and parses every message into objects, which
costs ten times the CPU on the audio path and drops fields it does not know.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Literal

from media_worker.bridges import Bridge, BridgeEvent
from media_worker.bridges.connect import Socket, VoiceLiveAccess, connect
from media_worker.bridges.session import ServiceSession
from media_worker.bridges.voice_live import protocol
from media_worker.bridges.voice_live.conversation import Conversation
from media_worker.tools import Tool
from switchboard.agents import VoiceLiveAgent
from switchboard.record import TurnRecord


def open_voice_live(
    agent: VoiceLiveAgent,
    rate: int,
    access: VoiceLiveAccess,
    call_id: str,
    earlier: Sequence[TurnRecord] = (),
    tools: Sequence[Tool] = (),
) -> AbstractAsyncContextManager[Bridge]:
    """The bridge for one call; see `OpenBridge`. `earlier`: the turns in the call's record, when
    another worker carried it before: the service is told, and does not greet again. `tools`: what
    the model may call."""
    return _opened(VoiceLiveBridge(agent, rate, access, call_id, earlier, tools))


@asynccontextmanager
async def _opened(bridge: "VoiceLiveBridge") -> AsyncIterator[Bridge]:
    try:
        yield bridge
    finally:
        await bridge.close()


class VoiceLiveBridge:
    """See `Bridge`. One task reads `events()`; any task may call the rest."""

    def __init__(
        self,
        agent: VoiceLiveAgent,
        rate: int,
        access: VoiceLiveAccess,
        call_id: str,
        earlier: Sequence[TurnRecord] = (),
        tools: Sequence[Tool] = (),
    ) -> None:
        self._agent, self._access = agent, access
        self._conversation = Conversation(agent, rate, call_id, earlier, tools)
        resumed = bool(earlier)
        self._session = ServiceSession(self._conversation, self._connect, rate, resumed=resumed)
        self.send_audio, self.renew = self._session.send_audio, self._session.renew
        self.close = self._session.close

    async def _connect(self) -> Socket:
        # An agent is at home in one resource, the first; so are its conversations.
        only = self._access.endpoints.urls[0] if self._agent.model is None else None
        return await connect(self._access, self._address, only)

    def _address(self, endpoint: str) -> str:
        conversation = self._conversation.service_name
        return protocol.url(endpoint, self._access.api_version, self._agent, conversation)

    async def interrupt(self, turn: str, heard_ms: int) -> str | None:
        """See `Bridge`."""
        await self._session.send(self._conversation.interrupt(turn, heard_ms))
        return None

    async def cancel(self, turn: str) -> None:
        """See `Bridge`."""
        await self._session.send(self._conversation.cancel(turn))

    async def say(self, text: str) -> None:
        """See `Bridge`."""
        await self._session.send(self._conversation.say(text))

    async def prompt(self, text: str, *, speaker: Literal["caller", "system"]) -> None:
        """See `Bridge`."""
        await self._session.send(self._conversation.prompt(text, speaker))

    async def answer(self, call: str, output: str, *, react: bool) -> None:
        """See `Bridge`."""
        await self._session.send(self._conversation.answer(call, output, react=react))

    def apology(self) -> bytes | None:
        """See `Bridge`: the voice is the service's."""
        return None

    def events(self) -> AsyncGenerator[BridgeEvent, None]:
        """See `Bridge`."""
        return self._session.events()
