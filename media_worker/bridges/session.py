"""One conversation with an AI service over all its connections, one after the other.

What is said is the conversation's own affair; here it gets its connections. Caller audio that comes
while there is none is kept and sent first; a connection that drops is replaced, up to a limit.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from aiohttp import ClientError, WSMsgType

from media_worker.acs_media import sample_count
from media_worker.bridges import BridgeEvent, Failed, Notice, Ready, client_events
from media_worker.bridges import server_events as wire
from media_worker.bridges.caller_clock import CallerClock
from media_worker.bridges.connect import ConnectError, Socket, abort, opening, settle
from media_worker.limits import (
    BRIDGE_CLOSE_S,
    KEPT_AUDIO_S,
    RECENT_FRAMES,
    RECONNECTS,
    RECONNECTS_S,
)
from switchboard.clock import wall_now

_FRAMES_KEPT = int(KEPT_AUDIO_S * 50)
"""Frames of 20 ms."""


@dataclass(frozen=True, slots=True)
class Received:
    """What follows from a server event."""

    report: Sequence[BridgeEvent] = field(default_factory=list)
    send: Sequence[bytes] = field(default_factory=list)


class Conversation(Protocol):
    """What is said; it knows no connection."""

    @property
    def clock(self) -> CallerClock:
        """Told of all caller audio that is sent."""
        ...

    def settings(self) -> bytes:
        """The `session.update` that every connection begins with."""
        ...

    def settings_without(self, refused: str) -> bytes | None:
        """The same without the field of this path, which the service refused; None: a call needs
        it, or it is out already."""

    def created(self, session: wire.SessionCreated) -> None:
        """The service told about its session."""

    def opened(self) -> Sequence[bytes]:
        """A connection took our settings; what to send first."""
        ...

    def receive(self, event: wire.ServerEvent) -> Received:
        """Takes in one server event."""
        ...

    def dropped(self) -> Sequence[BridgeEvent]:
        """The connection is gone."""
        ...


class ServiceSession:
    """`events` is read by one task; any task may call the rest. Nothing raises because the service
    is gone: what cannot be sent is dropped, and `events` makes a new connection."""

    def __init__(
        self,
        conversation: Conversation,
        connect: Callable[[], Awaitable[Socket]],
        rate: int,
        *,
        resumed: bool,
    ) -> None:
        """`connect`: raises `ConnectError`; `rate`: of the caller audio, in hertz; `resumed`: see
        `Ready`."""
        self._conversation, self._connect, self._rate = conversation, connect, rate
        self._resumed = resumed
        self._expires_at: float | None = None
        self._done_without: list[str] = []
        """Fields that the service refused, to be reported."""
        self._connection: Socket | None = None
        """The newest connection, alive or not."""
        self._socket: Socket | None = None
        """The connection that caller audio goes to: set once the kept audio has been sent."""
        self._kept: deque[bytes] = deque()
        self._kept_s = 0.0
        self._recent: deque[bytes] = deque()
        """The newest audio that was sent; said again if its connection drops before an answer."""
        self._recent_most = RECENT_FRAMES

    async def send_audio(self, audio: bytes) -> None:
        """Caller audio, base64 text."""
        if (socket := self._socket) is None:
            self._keep(audio)
            return
        self._conversation.clock.sent(audio)
        self._recent.append(audio)
        while len(self._recent) > self._recent_most:
            self._recent.popleft()
        try:
            await socket.send_frame(client_events.append(audio), WSMsgType.TEXT)
        except (ConnectionError, ClientError):
            self._socket = None  # `events` sees the end of the connection and makes a new one
            self._keep(self._recent.pop())

    async def send(self, messages: Sequence[bytes]) -> None:
        """Sends what the conversation wants sent: it asks for nothing while it is not open."""
        if (connection := self._connection) is not None:
            with suppress(ConnectionError, ClientError):  # `events` sees the end of it
                for message in messages:
                    await connection.send_frame(message, WSMsgType.TEXT)

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

    async def events(self) -> AsyncGenerator[BridgeEvent, None]:
        """Connects and reports; ends after `Failed`."""
        now = asyncio.get_running_loop().time
        drops: deque[float] = deque(maxlen=RECONNECTS + 1)
        while True:
            try:
                connection = await self._open()
            except ConnectError as error:
                yield error.failed
                return
            while self._done_without:
                yield Notice("warning", f"setting_refused:{self._done_without.pop()}")
            yield Ready(self._expires_in_s(), self._resumed)
            while (report := await self._next(connection)) is not None:
                for event in report:
                    yield event
            self._socket = None
            abort(connection)
            code = f"closed:{connection.close_code or 'lost'}"
            yield Notice("dropped", code)
            self._say_again(self._conversation.clock.unanswered_ms / 1000)
            for event in self._conversation.dropped():
                yield event
            drops.append(now())
            if len(drops) > RECONNECTS and now() - drops[0] <= RECONNECTS_S:
                yield Failed(code, "the service drops its connections: check its health")
                return
            self._resumed = True

    async def _next(self, connection: Socket) -> Sequence[BridgeEvent] | None:
        """What the next message has to report; None: the connection has ended."""
        message = await connection.receive()  # bounded by the heartbeat
        if message.type is WSMsgType.TEXT:
            received = self._conversation.receive(wire.decode(message.data))
            waits = self._conversation.clock.unanswered_ms > 0
            self._recent_most = _FRAMES_KEPT if waits else RECENT_FRAMES
            if received.send:
                await self.send(received.send)
            return received.report
        return [] if message.type is WSMsgType.BINARY else None

    async def _open(self) -> Socket:
        """A connection that has taken our settings, with the kept caller audio already sent."""
        connection = self._connection = await self._connect()
        async with opening():
            settings = self._conversation.settings()
            created = await settle(connection, settings, self._without)
            if created is not None:
                self._expires_at = created.expires_at
                self._conversation.created(created)
            for message in self._conversation.opened():
                await connection.send_frame(message, WSMsgType.TEXT)
            while self._kept:
                audio = self._oldest_kept()
                self._conversation.clock.sent(audio)
                await connection.send_frame(client_events.append(audio), WSMsgType.TEXT)
        self._socket = connection  # nothing was awaited since the last kept audio
        return connection

    def _without(self, refused: str) -> bytes | None:
        fewer = self._conversation.settings_without(refused)
        if fewer is not None:
            self._done_without.append(refused)
        return fewer

    def _expires_in_s(self) -> float | None:
        return None if self._expires_at is None else self._expires_at - wall_now()

    def _say_again(self, unanswered_s: float) -> None:
        """Puts so much of the newest audio before what was kept since."""
        while self._recent and unanswered_s > 0 and self._kept_s < KEPT_AUDIO_S:
            audio = self._recent.pop()
            seconds = sample_count(audio) / self._rate
            self._kept.appendleft(audio)
            self._kept_s += seconds
            unanswered_s -= seconds
        self._recent.clear()

    def _keep(self, audio: bytes) -> None:
        self._kept.append(audio)
        self._kept_s += sample_count(audio) / self._rate
        while self._kept_s > KEPT_AUDIO_S:
            self._oldest_kept()

    def _oldest_kept(self) -> bytes:
        audio = self._kept.popleft()
        self._kept_s -= sample_count(audio) / self._rate
        return audio
