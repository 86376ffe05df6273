"""One Voice Live session: what the client sends goes in, events come out, the conversation grows.

Voice Live API reference 2026-07-15. What a test may want to know stays readable afterwards:
`received` and its hash, `responses` with their audio, `conversation`, `errors`.
"""

import asyncio
import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from aiohttp import WSMsgType, web

from simulator.clock import wall_now
from simulator.voice_live_checks import FieldError
from simulator.voice_live_conversation import Conversation
from simulator.voice_live_door import AgentMode, Mode
from simulator.voice_live_fields import new_session, updated
from simulator.voice_live_hearing import Hearing, SpeechStarted, SpeechStopped
from simulator.voice_live_recognition import Recognition
from simulator.voice_live_replies import Replies
from simulator.voice_live_response import Response, new_id
from simulator.voice_live_switches import VoiceLiveSwitches
from simulator.voice_live_turns import Turns

APPEND_LIMIT = 15 * 1024 * 1024
"""Voice Live API reference: input_audio_buffer.append takes up to 15 MiB."""


class Session:
    """A connection and its conversation."""

    def __init__(
        self,
        mode: Mode,
        conversation: Conversation,
        replies: Replies,
        recognition: Recognition,
        switches: VoiceLiveSwitches,
        *,
        thread_id: str,
        keep_audio: bool,
    ) -> None:
        self.mode, self.conversation, self.switches = mode, conversation, switches
        self.id, self.thread_id = new_id("sess"), thread_id
        self.config = new_session(None if isinstance(mode, AgentMode) else mode.model)
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
        self._keep_audio = keep_audio
        self._turns = Turns(self, replies, recognition)
        self._hearing = self._new_hearing(0.0)
        self._socket: web.WebSocketResponse | None = None
        self._handlers: dict[str, Callable[[dict[str, Any]], Coroutine[Any, Any, None]]] = {
            "session.update": self._update,
            "input_audio_buffer.append": self._append,
            "input_audio_buffer.commit": self._commit,
            "input_audio_buffer.clear": self._clear,
            "conversation.item.create": self._create_item,
            "conversation.item.retrieve": self._retrieve_item,
            "conversation.item.truncate": self._truncate_item,
            "conversation.item.delete": self._delete_item,
            "response.create": self._turns.create,
            "response.cancel": self._turns.cancel,
        }

    @property
    def responses(self) -> list[Response]:
        """Every response, with its audio, in the order of their creation."""
        return self._turns.responses

    @property
    def received_sha256(self) -> str:
        return self.received_hash.hexdigest()

    async def run(self, socket: web.WebSocketResponse) -> None:
        """Serves the session until either side closes the socket or the session expires."""
        self._socket = socket
        await asyncio.sleep(self.switches.open_delay_s)
        await self.send("session.created", session=self.wire())
        async with asyncio.TaskGroup() as group:
            self._turns.begin(group)
            expiry = group.create_task(self._expire(), name="voice live expiry")
            async for message in socket:
                if message.type is WSMsgType.TEXT and not self.switches.silent:
                    await self._receive(message.data)
                elif message.type is WSMsgType.BINARY:
                    await self._fault(None, FieldError("event", "expected a text frame"))
            expiry.cancel()
            self._turns.abandon()
        self.close_code = socket.close_code
        if not self._keep_audio:
            for response in self.responses:
                response.audio.clear()

    async def send(self, kind: str, **fields: Any) -> None:
        """Sends one event; nothing if the client has gone."""
        if self._socket is None or self._socket.closed:
            return
        try:
            await self._socket.send_str(
                json.dumps({"type": kind, "event_id": new_id("ev"), **fields})
            )
        except ConnectionResetError:
            return

    async def close(self, code: int) -> None:
        if self._socket is not None:
            await self._socket.close(code=code)

    def wire(self) -> dict[str, Any]:
        """The session as session.created and session.updated show it."""
        session = {"id": self.id, "object": "realtime.session", "expires_at": self.expires_at}
        if isinstance(self.mode, AgentMode):
            session["agent"] = {
                "type": "agent",
                "name": self.mode.agent,
                "agent_id": f"{self.mode.agent}:{self.mode.version or 'latest'}",
                "thread_id": self.thread_id,
            }
        return session | self.config

    async def _expire(self) -> None:
        await asyncio.sleep(self.switches.session_s)
        minutes = round(self.switches.session_s / 60)
        await self._fault(
            None,
            FieldError("session", f"reached the limit of {minutes} minutes", "session_expired"),
        )
        await self.close(1001)

    async def _receive(self, data: str) -> None:
        event: Any = None
        try:
            event = json.loads(data)
            if not isinstance(event, dict) or not isinstance(event.get("type"), str):
                raise FieldError("type", "is required", "missing_required_parameter")
            if event["type"] != "input_audio_buffer.append":
                self.events.append(event)
            if event["type"] not in self._handlers:
                raise FieldError("type", f"invalid value {event['type']!r}")
            await self._handlers[event["type"]](event)
        except FieldError as error:
            await self._fault(event if isinstance(event, dict) else None, error)
        except (ValueError, RecursionError):
            await self._fault(None, FieldError("event", "not JSON", "invalid_json"))

    async def _fault(self, event: Mapping[str, Any] | None, error: FieldError) -> None:
        told = {
            "type": "invalid_request_error",
            "code": error.code,
            "message": error.message,
            "param": error.param,
            "event_id": (event or {}).get("event_id"),
        }
        self.errors.append(told)
        await self.send("error", error=told)

    # What the client asks for

    async def _update(self, event: dict[str, Any]) -> None:
        before = self.config
        self.config = updated(
            before,
            event.get("session"),
            agent_mode=isinstance(self.mode, AgentMode),
            spoken=any(response.audio_bytes for response in self.responses),
            unknown=self.switches.unknown_fields == "ignored",
        )
        ears = ("turn_detection", "input_audio_sampling_rate")
        if any(self.config[name] != before[name] for name in ears):
            self._hearing = self._new_hearing(self._hearing.position_ms)
        await self.send("session.updated", session=self.wire())
        if self.switches.unknown_events:
            await self.send("session.mood.changed", mood="curious")
        if self.switches.warnings:
            warning = {"message": "A preview feature is in use.", "code": "preview", "param": None}
            await self.send("warning", warning=warning)

    async def _append(self, event: dict[str, Any]) -> None:
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
        for heard in self._hearing.push(pcm):
            match heard:
                case SpeechStarted(audio_start_ms):
                    await self._turns.speech_started(audio_start_ms)
                case SpeechStopped(audio_end_ms, said):
                    await self._turns.speech_stopped(audio_end_ms, said)

    async def _commit(self, _: dict[str, Any]) -> None:
        said = self._hearing.take()
        if not said:
            raise FieldError("audio", "the buffer is empty", "input_audio_buffer_commit_empty")
        await self._turns.committed(said, respond=False)

    async def _clear(self, _: dict[str, Any]) -> None:
        self._hearing.take()
        await self.send("input_audio_buffer.cleared")

    async def _create_item(self, event: dict[str, Any]) -> None:
        previous = event.get("previous_item_id")
        item, before = self.conversation.create(event.get("item"), previous, new_id=new_id("item"))
        await self.send("conversation.item.created", previous_item_id=before, item=item.wire)

    async def _retrieve_item(self, event: dict[str, Any]) -> None:
        item = self.conversation.retrieve(event.get("item_id"))
        await self.send("conversation.item.retrieved", item=item.wire)

    async def _delete_item(self, event: dict[str, Any]) -> None:
        self.conversation.delete(event.get("item_id"))
        await self.send("conversation.item.deleted", item_id=event["item_id"])

    async def _truncate_item(self, event: dict[str, Any]) -> None:
        item = self.conversation.truncate(event, keep=self._turns.keeps_played())
        await self.send(
            "conversation.item.truncated",
            item_id=item.id,
            content_index=0,
            audio_end_ms=item.heard_ms,
        )

    def _new_hearing(self, start_ms: float) -> Hearing:
        rate, detection = self.config["input_audio_sampling_rate"], self.config["turn_detection"]
        return Hearing(rate, detection, start_ms)
