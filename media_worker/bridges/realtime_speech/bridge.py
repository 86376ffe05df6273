"""The bridge that thinks in text: Azure OpenAI Realtime hears and writes, Azure Speech speaks.

Tasks run beside the call: one speaks (`speaking.py`), one holds the conversation with the model
(`conversation.py` says what), one excuses an answer that is late. What they have to report meets
in one queue, which is what `events()` reads. The voice does not wait for the model: a greeting is
on its way before the model's session is open.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Literal

import pybase64
from aiohttp import ClientError, WSMsgType

from media_worker.acs_media import sample_count
from media_worker.bridges import Bridge, BridgeEvent, Failed, Notice, Ready
from media_worker.bridges import server_events as wire
from media_worker.bridges.client_events import append
from media_worker.bridges.connect import (
    ConnectError,
    RealtimeAccess,
    Socket,
    abort,
    connect_to,
    opening,
    settle,
)
from media_worker.bridges.realtime_speech import protocol
from media_worker.bridges.realtime_speech.conversation import Conversation
from media_worker.bridges.realtime_speech.resampler import Resampler
from media_worker.bridges.realtime_speech.sensor import LevelSensor
from media_worker.limits import (
    BRIDGE_CLOSE_S,
    KEPT_AUDIO_S,
    RECONNECTS,
    RECONNECTS_S,
    WAITING_POLL_S,
    WAITING_S,
)
from media_worker.speech.clips import Clips
from media_worker.speech.rendering import render
from media_worker.speech.speaking import Speaker
from media_worker.speech.synthesizers import Synthesizers
from switchboard.agents import RealtimeSpeechAgent
from switchboard.clock import wall_now
from switchboard.record import TurnRecord


@dataclass(frozen=True)
class RealtimeSpeech:
    """What the calls of a process share: both services, and what was rendered before."""

    realtime: RealtimeAccess
    pool: Synthesizers
    clips: Clips


def open_realtime_speech(
    agent: RealtimeSpeechAgent,
    rate: int,
    shared: RealtimeSpeech,
    earlier: Sequence[TurnRecord] = (),
) -> AbstractAsyncContextManager[Bridge]:
    """The bridge for one call; see `OpenBridge`. `earlier`: the turns in the call's record, when
    another worker carried it before: the model is told, and nobody is greeted again."""
    return _opened(agent, rate, shared, earlier)


@asynccontextmanager
async def _opened(
    agent: RealtimeSpeechAgent,
    rate: int,
    shared: RealtimeSpeech,
    earlier: Sequence[TurnRecord],
) -> AsyncIterator[Bridge]:
    async with asyncio.TaskGroup() as tasks:
        bridge = RealtimeSpeechBridge(agent, rate, shared, earlier, tasks)
        try:
            yield bridge
        finally:
            await bridge.close()


class RealtimeSpeechBridge:
    """See `Bridge`. One task reads `events()`; any task may call the rest."""

    def __init__(
        self,
        agent: RealtimeSpeechAgent,
        rate: int,
        shared: RealtimeSpeech,
        earlier: Sequence[TurnRecord],
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._agent, self._rate, self._shared, self._tasks = agent, rate, shared, tasks
        self._events: asyncio.Queue[BridgeEvent] = asyncio.Queue()
        self._sensor = LevelSensor(agent.barge_in, rate, asyncio.get_running_loop().time)
        self._talk = Conversation(agent, rate, self._events.put_nowait, earlier, self._sensor)
        self._speaker = Speaker(agent, rate, shared.pool, shared.clips, self._talk)
        self._talk.speaker = self._speaker
        self._resampler = None if rate == protocol.RATE else Resampler(rate, protocol.RATE)
        self._running: list[asyncio.Task[None]] = []
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
        if (event := self._sensor.hear(audio)) is not None:
            self._events.put_nowait(event)
        if self._resampler is not None:
            pcm = self._resampler.push(pybase64.b64decode(audio))
            audio = pybase64.b64encode(pcm)
        if (socket := self._socket) is None:
            self._keep(audio)
            return
        self._talk.caller_audio(audio)
        try:
            await socket.send_frame(append(audio), WSMsgType.TEXT)
        except (ConnectionError, ClientError):
            self._socket = None  # `_converse` sees the end of the connection and makes a new one
            self._keep(audio)

    async def interrupt(self, turn: str, heard_ms: int) -> str | None:
        """See `Bridge`."""
        messages, heard = self._talk.interrupt(turn, heard_ms)
        await self._send(messages)
        return heard

    async def cancel(self, turn: str) -> None:
        """See `Bridge`."""
        await self._send(self._talk.cancel(turn))

    async def say(self, text: str) -> None:
        """See `Bridge`."""
        await self._send(self._talk.say(text))

    async def prompt(self, text: str, *, speaker: Literal["caller", "system"]) -> None:
        """See `Bridge`."""
        await self._send(self._talk.prompt(text, speaker))

    async def answer(self, call: str, output: str, *, react: bool) -> None:
        """See `Bridge`."""
        await self._send(self._talk.answer(call, output, react=react))

    async def renew(self) -> None:
        """See `Bridge`."""
        self._socket = None
        if self._connection is not None:
            abort(self._connection)

    async def close(self) -> None:
        """Ends both tasks and the connection, when nobody sends any more."""
        self._socket = None
        for task in self._running:
            task.cancel()
        if (connection := self._connection) is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(BRIDGE_CLOSE_S):
                    await connection.close()
            abort(connection)

    # --- the agent's way --------------------------------------------------------------------------

    async def events(self) -> AsyncGenerator[BridgeEvent, None]:
        """See `Bridge`."""
        self._talk.greet()
        runs = {"speaker": self._speaker.run, "conversation": self._converse}
        if self._agent.waiting:
            runs["waiting"] = self._excuse
        for name, run in runs.items():
            self._running.append(self._tasks.create_task(run(), name=name))
        while True:
            event = await self._events.get()
            yield event
            if isinstance(event, Failed):
                return

    async def _converse(self) -> None:
        """Connects and listens to the model, again and again; reports `Failed` when it is over."""
        now = asyncio.get_running_loop().time
        drops: deque[float] = deque(maxlen=RECONNECTS + 1)
        while True:
            try:
                connection = await self._open()
            except ConnectError as error:
                self._events.put_nowait(error.failed)
                return
            self._events.put_nowait(Ready(self._expires_in_s(), resumed=True))
            while (message := await connection.receive()).type in (
                WSMsgType.TEXT,
                WSMsgType.BINARY,
            ):
                if message.type is WSMsgType.TEXT:
                    await self._send(self._talk.receive(wire.decode(message.data)))
            self._socket = None
            abort(connection)
            code = f"closed:{connection.close_code or 'lost'}"
            self._events.put_nowait(Notice("dropped", code))
            self._talk.dropped()
            drops.append(now())
            if len(drops) > RECONNECTS and now() - drops[0] <= RECONNECTS_S:
                text = "the service drops its connections: check its health"
                self._events.put_nowait(Failed(code, text))
                return

    async def _excuse(self) -> None:
        """Says the waiting phrases, one after the other, while the caller waits for an answer. Only
        from clips: making them would delay the answer."""
        pool, clips, voice = self._shared.pool, self._shared.clips, self._agent.voice
        for text in self._agent.waiting:
            await render(pool, clips, voice, self._rate, text)
        waited_s, said = 0.0, 0
        while True:
            await asyncio.sleep(WAITING_POLL_S)
            waited_s = waited_s + WAITING_POLL_S if self._talk.owes_answer else 0.0
            if not waited_s:
                said = 0
            elif waited_s >= WAITING_S * (said + 1) and said < len(self._agent.waiting):
                text, said = self._agent.waiting[said], said + 1
                if clips.get(voice, self._rate, text) is not None:
                    await self._send(self._talk.say(text))

    async def _send(self, messages: Sequence[bytes]) -> None:
        if (connection := self._connection) is not None:
            with suppress(ConnectionError, ClientError):  # `_converse` sees the end of it
                for message in messages:
                    await connection.send_frame(message, WSMsgType.TEXT)

    # --- connecting -------------------------------------------------------------------------------

    async def _open(self) -> Socket:
        """A connection that has taken our settings and knows what was said, with the kept caller
        audio already sent."""
        access = self._shared.realtime
        address = protocol.url(access.endpoint, self._agent.model)
        connection = self._connection = await connect_to(address, access)
        async with opening():
            created = await settle(connection, protocol.session_update(self._agent))
            if created is not None:
                self._expires_at = created.expires_at
            for message in self._talk.opened():
                await connection.send_frame(message, WSMsgType.TEXT)
            while self._kept:
                audio = self._oldest_kept()
                self._talk.caller_audio(audio)
                await connection.send_frame(append(audio), WSMsgType.TEXT)
        self._socket = connection  # nothing was awaited since the last kept audio
        return connection

    def _expires_in_s(self) -> float | None:
        return None if self._expires_at is None else self._expires_at - wall_now()

    def _keep(self, audio: bytes) -> None:
        self._kept.append(audio)
        self._kept_s += sample_count(audio) / protocol.RATE
        while self._kept_s > KEPT_AUDIO_S:
            self._oldest_kept()

    def _oldest_kept(self) -> bytes:
        audio = self._kept.popleft()
        self._kept_s -= sample_count(audio) / protocol.RATE
        return audio
