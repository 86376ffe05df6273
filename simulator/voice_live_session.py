"""One Voice Live session: what the client sends goes in, events come out, the conversation grows.

Voice Live API reference 2026-07-15. What a test may want to know stays readable afterwards:
`received` and its hash, `responses` with their audio, `conversation`, `errors`.
"""

import asyncio
from typing import Any

from aiohttp import web

from simulator.event_session import EventSession
from simulator.generation import new_id
from simulator.voice_live_checks import FieldError
from simulator.voice_live_conversation import Conversation
from simulator.voice_live_door import AgentMode, Mode
from simulator.voice_live_fields import new_session, updated
from simulator.voice_live_hearing import Hearing, SpeechStarted, SpeechStopped
from simulator.voice_live_recognition import Recognition
from simulator.voice_live_replies import Replies
from simulator.voice_live_response import Response
from simulator.voice_live_switches import VoiceLiveSwitches
from simulator.voice_live_turns import Turns


class Session(EventSession):
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
        super().__init__(switches, keep_audio=keep_audio)
        self.mode, self.conversation, self.switches = mode, conversation, switches
        self.thread_id = thread_id
        self.config = new_session(None if isinstance(mode, AgentMode) else mode.model)
        self._turns = Turns(self, replies, recognition)
        self._hearing = self._new_hearing(0.0)
        self.handlers = {
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

    async def run(self, socket: web.WebSocketResponse) -> None:
        await super().run(socket)
        if not self._keep_audio:
            for response in self.responses:
                response.audio.clear()

    def begin(self, group: asyncio.TaskGroup) -> None:
        self._turns.begin(group)

    def end(self) -> None:
        self._turns.abandon()

    def wire(self) -> dict[str, Any]:
        session = {"id": self.id, "object": "realtime.session", "expires_at": self.expires_at}
        if isinstance(self.mode, AgentMode):
            session["agent"] = {
                "type": "agent",
                "name": self.mode.agent,
                "agent_id": f"{self.mode.agent}:{self.mode.version or 'latest'}",
                "thread_id": self.thread_id,
            }
        return session | self.config

    def report(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "received_bytes": self.received_bytes,
            "received_sha256": self.received_sha256,
            "responses": [
                {"id": r.id, "text": r.text, "status": r.status, "audio_bytes": r.audio_bytes}
                for r in self.responses
            ],
            "items": self.conversation.report(),
            "errors": self.errors,
        }

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
        for heard in self._hearing.push(self.take_audio(event)):
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
