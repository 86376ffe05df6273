"""A session of JSON events over a WebSocket: what Voice Live and Azure OpenAI Realtime share.

Events carry `type` and `event_id`; a wrong one is answered by an `error` event and the session
goes on; audio comes as base64 of PCM16; after a fixed time the session expires (Realtime API
reference, Voice Live API reference).
"""

import asyncio
import base64
import binascii
import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from aiohttp import WSMsgType, web

from simulator.clock import wall_now
from simulator.generation import new_id
from simulator.voice_live_checks import FieldError

APPEND_LIMIT = 15 * 1024 * 1024
"""Both references: input_audio_buffer.append takes up to 15 MiB."""

Handlers = dict[str, Callable[[dict[str, Any]], Coroutine[Any, Any, None]]]


@dataclass
class SessionSwitches:
    """What both services can be told to do. Each session looks when the thing would happen."""

    connections_per_minute: int = 30
    """New sessions in any minute; beyond it 429."""
    refuse_status: int | None = None
    """Every handshake is refused with this status: 401, 403, 404, 429, 500, 503."""
    handshake_s: float = 0.0
    """How long a handshake takes."""
    open_delay_s: float = 0.0
    """From the handshake to `session.created`."""
    latency_s: float = 0.0
    """Every event comes so much later, while what the client says comes at once: a network that
    is slow one way. What the service believes does not wait for it."""
    session_s: float = 3600.0
    """To `expires_at`; then the service says `session_expired` and closes."""
    first_token_s: float = 0.0
    """Added to each reply's own delay: a slow model."""
    late_deltas: int = 0
    """Deltas that still arrive after a response was cancelled, before its response.done."""
    unknown_events: bool = False
    """Sends an event of a type that no client knows, after session.updated and in responses."""
    unknown_fields: Literal["refused", "ignored"] = "refused"
    """Session fields that the reference does not name."""
    close_code: int = 1011
    """How the socket is closed when a switch closes it in mid-response."""
    silent: bool = False
    """Nothing is ever said after `session.created`."""


class EventSession(ABC):
    """A connection: subclasses say what it understands (`handlers`) and what it is (`wire`)."""

    def __init__(self, switches: SessionSwitches, *, keep_audio: bool) -> None:
        self.id = new_id("sess")
        self.received = bytearray()
        """Every sample the client appended, if the simulator keeps audio."""
        self.received_bytes = 0
        self.received_hash = hashlib.sha256()
        self.events: list[dict[str, Any]] = []
        """What the client sent, but for audio."""
        self.errors: list[dict[str, Any]] = []
        """Every error event: a client that behaves has none."""
        self.close_code: int | None = None
        """How the socket was closed, once it is."""
        self.expires_at = int(wall_now() + switches.session_s)
        self.handlers: Handlers = {}
        self._life = switches
        self._keep_audio = keep_audio
        self._socket: web.WebSocketResponse | None = None
        self._under_way: asyncio.Queue[tuple[float, str]] = asyncio.Queue()
        """Events that have not come yet, with the loop time at which they do."""

    @property
    def received_sha256(self) -> str:
        return self.received_hash.hexdigest()

    @abstractmethod
    def wire(self) -> dict[str, Any]:
        """The session as session.created and session.updated show it."""

    @abstractmethod
    def begin(self, group: asyncio.TaskGroup) -> None:
        """The session is open: whatever it does runs in `group`."""

    @abstractmethod
    def end(self) -> None:
        """The client has gone: whatever still runs must end."""

    @abstractmethod
    def report(self) -> dict[str, Any]:
        """What the session received and believes, for people and other processes."""

    def explain(self, error: FieldError) -> str:
        """The message of an error event."""
        return error.message

    async def run(self, socket: web.WebSocketResponse) -> None:
        """Serves the session until either side closes the socket or the session expires."""
        self._socket = socket
        await asyncio.sleep(self._life.open_delay_s)
        await self.send("session.created", session=self.wire())
        async with asyncio.TaskGroup() as group:
            self.begin(group)
            expiry = group.create_task(self._expire(), name="session expiry")
            courier = group.create_task(self._carry(), name="slow network")
            async for message in socket:
                if message.type is WSMsgType.TEXT and not self._life.silent:
                    await self._receive(message.data)
                elif message.type is WSMsgType.BINARY:
                    await self.fault(None, FieldError("event", "expected a text frame"))
            expiry.cancel()
            courier.cancel()
            self.end()
        self.close_code = self.close_code or socket.close_code

    async def send(self, kind: str, **fields: Any) -> None:
        """Sends one event; nothing if the client has gone."""
        event = json.dumps({"type": kind, "event_id": new_id("event"), **fields})
        if self._life.latency_s:
            due_at = asyncio.get_running_loop().time() + self._life.latency_s
            self._under_way.put_nowait((due_at, event))
        else:
            await self._deliver(event)

    async def _carry(self) -> None:
        while True:
            due_at, event = await self._under_way.get()
            await asyncio.sleep(max(0.0, due_at - asyncio.get_running_loop().time()))
            await self._deliver(event)

    async def _deliver(self, event: str) -> None:
        if self._socket is None or self._socket.closed:
            return
        try:
            await self._socket.send_str(event)
        except ConnectionResetError:
            return

    async def close(self, code: int) -> None:
        """The service hangs up."""
        if self._socket is not None:
            self.close_code = code
            await self._socket.close(code=code)

    async def fault(self, event: Mapping[str, Any] | None, error: FieldError) -> None:
        """Sends an `error` event about `event`."""
        told = {
            "type": "invalid_request_error",
            "code": error.code,
            "message": self.explain(error),
            "param": error.param or None,
            "event_id": (event or {}).get("event_id"),
        }
        self.errors.append(told)
        await self.send("error", error=told)

    def take_audio(self, event: Mapping[str, Any]) -> bytes:
        """The PCM of an input_audio_buffer.append, written down. Raises FieldError."""
        try:
            pcm = base64.b64decode(event.get("audio", ""), validate=True)
        except (binascii.Error, TypeError, ValueError) as error:
            raise FieldError("audio", "not base64") from error
        if not pcm or len(pcm) % 2 or len(pcm) > APPEND_LIMIT:
            raise FieldError("audio", f"{len(pcm)} bytes are not PCM16 of up to 15 MiB")
        self.received_bytes += len(pcm)
        self.received_hash.update(pcm)
        if self._keep_audio:
            self.received += pcm
        return pcm

    async def _expire(self) -> None:
        await asyncio.sleep(self._life.session_s)
        await self.expire()

    async def expire(self) -> None:
        """The session's time is up."""
        minutes = round(self._life.session_s / 60)
        words = f"Your session hit the maximum duration of {minutes} minutes."
        await self.fault(None, FieldError("session", words, "session_expired"))
        await self.close(1001)

    async def _receive(self, data: str) -> None:
        event: Any = None
        try:
            event = json.loads(data)
            if not isinstance(event, dict) or not isinstance(event.get("type"), str):
                raise FieldError("type", "is required", "missing_required_parameter")
            if event["type"] != "input_audio_buffer.append":
                self.events.append(event)
            if event["type"] not in self.handlers:
                raise FieldError("type", f"invalid value {event['type']!r}")
            await self.handlers[event["type"]](event)
        except FieldError as error:
            await self.fault(event if isinstance(event, dict) else None, error)
        except (ValueError, RecursionError):
            await self.fault(None, FieldError("event", "not JSON", "invalid_json"))
