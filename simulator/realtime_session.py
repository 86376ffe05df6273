"""One Realtime session (GA): what the client sends goes in, events come out.

OpenAI Realtime API reference (GA). What a test may want to know stays readable afterwards:
`received` and its hash, `responses` with their text, `conversation`, `errors`.
"""

import asyncio
from typing import Any

from simulator.event_session import EventSession
from simulator.generation import new_id
from simulator.realtime_fields import ITEM, RATE, ears, explain, new_session, updated
from simulator.realtime_response import Response
from simulator.realtime_switches import RealtimeSwitches
from simulator.realtime_turns import Turns
from simulator.voice_live_checks import FieldError
from simulator.voice_live_conversation import Conversation
from simulator.voice_live_hearing import Hearing, SpeechStarted, SpeechStopped
from simulator.voice_live_recognition import Recognition
from simulator.voice_live_replies import Replies

SHORTEST_COMMIT_MS = 100
"""A buffer below it cannot be committed."""


class Session(EventSession):
    """A connection and its conversation."""

    def __init__(
        self,
        deployment: str,
        replies: Replies,
        recognition: Recognition,
        switches: RealtimeSwitches,
        *,
        keep_audio: bool = True,
    ) -> None:
        super().__init__(switches, keep_audio=keep_audio)
        self.switches = switches
        self.conversation = Conversation(check=ITEM)
        self.conversation_id = new_id("conv")
        self.config = new_session(deployment)
        self._turns = Turns(self, replies, recognition)
        self._hearing = Hearing(RATE, ears(self._detection))
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
        """Every response, with its text, in the order of their creation."""
        return self._turns.responses

    @property
    def position_ms(self) -> float:
        """How much audio has been received."""
        return self._hearing.position_ms

    def begin(self, group: asyncio.TaskGroup) -> None:
        self._turns.begin(group)

    def end(self) -> None:
        self._turns.abandon()

    def wire(self) -> dict[str, Any]:
        session = {"id": self.id, "object": "realtime.session", "expires_at": self.expires_at}
        return session | self.config

    def explain(self, error: FieldError) -> str:
        return explain(error)

    def report(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "received_bytes": self.received_bytes,
            "received_sha256": self.received_sha256,
            "responses": [{"id": r.id, "text": r.text, "status": r.status} for r in self.responses],
            "items": self.conversation.report(),
            "errors": self.errors,
        }

    @property
    def _detection(self) -> dict[str, Any] | None:
        detection: dict[str, Any] | None = self.config["audio"]["input"]["turn_detection"]
        return detection

    # What the client asks for

    async def _update(self, event: dict[str, Any]) -> None:
        if (code := self.switches.refuse_settings) is not None:
            raise FieldError("session", "refused by a switch", code)
        before, lenient = self._detection, self.switches.unknown_fields == "ignored"
        self.config = updated(self.config, event.get("session"), unknown=lenient)
        if self._detection != before:
            self._hearing = Hearing(RATE, ears(self._detection), self._hearing.position_ms)
        await self.send("session.updated", session=self.wire())
        if self.switches.unknown_events:
            await self.send("session.mood.changed", mood="curious")

    async def _append(self, event: dict[str, Any]) -> None:
        for heard in self._hearing.push(self.take_audio(event)):
            match heard:
                case SpeechStarted(audio_start_ms):
                    await self._turns.speech_started(audio_start_ms)
                case SpeechStopped(audio_end_ms, said):
                    await self._turns.speech_stopped(audio_end_ms, said)

    async def _commit(self, _: dict[str, Any]) -> None:
        said = self._hearing.take()
        length_ms = len(said) / 2 * 1000 / RATE
        if length_ms < SHORTEST_COMMIT_MS:
            raise FieldError(
                "",
                "Error committing input audio buffer: buffer too small. Expected at least "
                f"{SHORTEST_COMMIT_MS}ms of audio, but buffer only has {length_ms:.2f}ms of audio.",
                "input_audio_buffer_commit_empty",
            )
        await self._turns.committed(said, respond=False)

    async def _clear(self, _: dict[str, Any]) -> None:
        self._hearing.take()
        await self.send("input_audio_buffer.cleared")

    async def _create_item(self, event: dict[str, Any]) -> None:
        previous = event.get("previous_item_id")
        item, before = self.conversation.create(event.get("item"), previous, new_id=new_id("item"))
        await self._turns.announce(item, before)

    async def _retrieve_item(self, event: dict[str, Any]) -> None:
        item = self.conversation.retrieve(event.get("item_id"))
        await self.send("conversation.item.retrieved", item=item.wire)

    async def _delete_item(self, event: dict[str, Any]) -> None:
        self.conversation.delete(event.get("item_id"))
        await self.send("conversation.item.deleted", item_id=event["item_id"])

    async def _truncate_item(self, event: dict[str, Any]) -> None:
        """Of audio alone, and this model writes: what the client asks for is always an error."""
        self.conversation.truncate(event, keep=False)
