"""The bridge to Azure Voice Live: a WebSocket client of its own around `conversation.py`.

Not the `azure-ai-voicelive` client: that one decodes and parses every message into objects, which
costs ten times the CPU on the audio path and drops fields it does not know.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Literal

from aiohttp import ClientError, WSMsgType

from media_worker.acs_media import sample_count
from media_worker.bridges import Bridge, BridgeEvent, Failed, Notice, Ready, client_events
from media_worker.bridges import server_events as wire
from media_worker.bridges.connect import (
    ConnectError,
    Socket,
    VoiceLiveAccess,
    abort,
    connect,
    opening,
    settle,
)
from media_worker.bridges.voice_live import protocol
from media_worker.bridges.voice_live.conversation import Conversation
from media_worker.limits import (
    BRIDGE_CLOSE_S,
    KEPT_AUDIO_S,
    RECONNECTS,
    RECONNECTS_S,
)
from switchboard.agents import VoiceLiveAgent
from switchboard.clock import wall_now
from switchboard.record import TurnRecord


def open_voice_live(
    agent: VoiceLiveAgent,
    rate: int,
    access: VoiceLiveAccess,
    call_id: str,
    earlier: Sequence[TurnRecord] = (),
) -> AbstractAsyncContextManager[Bridge]:
    """The bridge for one call; see `OpenBridge`. `earlier`: the turns in the call's record, when
    another worker carried it before: the service is told, and does not greet again."""
    return _opened(VoiceLiveBridge(agent, rate, access, call_id, earlier))


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
    ) -> None:
        self._agent = agent
        self._rate = rate
        self._access = access
        self._call_id = call_id
        self._conversation = Conversation(agent, rate, earlier)
        self._resumed = bool(earlier)
        self._agent_conversation: str | None = None
        """In agent mode, the service's name of the conversation, to go on with."""
        self._expires_at: float | None = None
        self._connection: Socket | None = None
        """The newest connection, alive or not."""
        self._socket: Socket | None = None
        """The connection that caller audio goes to: set once the kept audio has been sent."""
        self._kept: deque[bytes] = deque()
        self._kept_s = 0.0

    # --- the caller's way -------------------------------------------------------------------------

    async def send_audio(self, audio: bytes) -> None:
        """See `Bridge`."""
        if (socket := self._socket) is None:
            self._keep(audio)
            return
        self._conversation.caller_audio(audio)
        try:
            await socket.send_frame(client_events.append(audio), WSMsgType.TEXT)
        except (ConnectionError, ClientError):
            self._socket = None  # `events` sees the end of the connection and makes a new one
            self._keep(audio)

    async def interrupt(self, turn: str, heard_ms: int) -> str | None:
        """See `Bridge`."""
        await self._send(self._conversation.interrupt(turn, heard_ms))
        return None

    async def cancel(self, turn: str) -> None:
        """See `Bridge`."""
        await self._send(self._conversation.cancel(turn))

    async def say(self, text: str) -> None:
        """See `Bridge`."""
        await self._send(self._conversation.say(text))

    async def prompt(self, text: str, *, speaker: Literal["caller", "system"]) -> None:
        """See `Bridge`."""
        await self._send(self._conversation.prompt(text, speaker))

    async def answer(self, call: str, output: str, *, react: bool) -> None:
        """See `Bridge`."""
        await self._send(self._conversation.answer(call, output, react=react))

    async def renew(self) -> None:
        """See `Bridge`."""
        # Not closed but aborted: a close waits for what was written to be read, and giving up that
        # wait would cancel, in aiohttp's one future for it, all who are suspended in a send.
        self._socket = None
        if self._connection is not None:
            abort(self._connection)

    async def close(self) -> None:
        """Closes the connection, if there is one, when nobody sends any more."""
        self._socket = None
        if (connection := self._connection) is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(BRIDGE_CLOSE_S):
                    await connection.close()
            abort(connection)

    # --- the agent's way --------------------------------------------------------------------------

    async def events(self) -> AsyncGenerator[BridgeEvent, None]:
        """See `Bridge`."""
        now = asyncio.get_running_loop().time
        drops: deque[float] = deque(maxlen=RECONNECTS + 1)
        while True:
            try:
                connection = await self._open()
            except ConnectError as error:
                yield error.failed
                return
            yield Ready(self._expires_in_s(), self._resumed)
            while (report := await self._next(connection)) is not None:
                for event in report:
                    yield event
            self._socket = None
            abort(connection)
            code = f"closed:{connection.close_code or 'lost'}"
            yield Notice("dropped", code)
            for event in self._conversation.dropped():
                yield event
            drops.append(now())
            if len(drops) > RECONNECTS and now() - drops[0] <= RECONNECTS_S:
                yield Failed(code, "the service drops its connections: check its health")
                return
            self._resumed = True

    async def _next(self, connection: Socket) -> list[BridgeEvent] | None:
        """What the next message has to report; None: the connection has ended."""
        message = await connection.receive()  # bounded by the heartbeat
        if message.type is WSMsgType.TEXT:
            received = self._conversation.receive(wire.decode(message.data))
            if received.send:
                await self._send(received.send)
            return received.report
        return [] if message.type is WSMsgType.BINARY else None

    async def _send(self, messages: list[bytes]) -> None:
        """Sends what the conversation wants sent: it asks for nothing while it is not open."""
        if (connection := self._connection) is not None:
            with suppress(ConnectionError, ClientError):  # `events` sees the end of it
                for message in messages:
                    await connection.send_frame(message, WSMsgType.TEXT)

    # --- connecting -------------------------------------------------------------------------------

    async def _open(self) -> Socket:
        """A connection that has taken our settings, with the kept caller audio already sent."""
        known = self._agent_conversation
        connection = self._connection = await connect(self._agent, self._access, known)
        async with opening():
            update = protocol.session_update(self._agent, self._rate, self._call_id)
            if (created := await settle(connection, update)) is not None:
                self._expires_at = created.expires_at
                self._agent_conversation = created.conversation
            retell = self._resumed and known is None
            for message in self._conversation.opened(retell=retell):
                await connection.send_frame(message, WSMsgType.TEXT)
            while self._kept:
                audio = self._oldest_kept()
                self._conversation.caller_audio(audio)
                await connection.send_frame(client_events.append(audio), WSMsgType.TEXT)
        self._socket = connection  # nothing was awaited since the last kept audio
        return connection

    def _expires_in_s(self) -> float | None:
        return None if self._expires_at is None else self._expires_at - wall_now()

    def _keep(self, audio: bytes) -> None:
        self._kept.append(audio)
        self._kept_s += sample_count(audio) / self._rate
        while self._kept_s > KEPT_AUDIO_S:
            self._oldest_kept()

    def _oldest_kept(self) -> bytes:
        audio = self._kept.popleft()
        self._kept_s -= sample_count(audio) / self._rate
        return audio
