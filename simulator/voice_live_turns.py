"""Who speaks when, in a simulated session: the caller's turns, the answers, and interruptions.

Voice Live API reference, "turn_detection": speech interrupts and is answered unless the session
says otherwise; transcription runs beside the response.
"""

import asyncio
from typing import Any

from simulator.generation import new_id
from simulator.voice_live_checks import FieldError, table
from simulator.voice_live_conversation import ITEM, Item
from simulator.voice_live_door import ModelMode
from simulator.voice_live_fields import RESPONSE_FIELDS, rate_of
from simulator.voice_live_recognition import Recognition
from simulator.voice_live_replies import Replies
from simulator.voice_live_response import Outlet, Response
from simulator.voice_live_switches import speaks_natively


class Turns:
    """One session's turns. `out` is the session."""

    def __init__(self, out: Outlet, replies: Replies, recognition: Recognition) -> None:
        self.responses: list[Response] = []
        self._out, self._replies, self._recognition = out, replies, recognition
        self._utterance = new_id("item")
        self._group: asyncio.TaskGroup | None = None

    def begin(self, group: asyncio.TaskGroup) -> None:
        """Responses run in `group` from now on."""
        self._group = group

    @property
    def active(self) -> Response | None:
        """The response that is being produced."""
        last = self.responses[-1] if self.responses else None
        return last if last is not None and not last.ended.is_set() else None

    def abandon(self) -> None:
        if self.active is not None:
            self.active.abandon()

    def keeps_played(self) -> bool:
        """Whether a truncated turn keeps the words that were played."""
        match self._out.switches.truncate:
            case "by_model":
                mode = self._out.mode
                return isinstance(mode, ModelMode) and speaks_natively(mode.model)
            case kind:
                return kind == "keeps_played"

    # The caller

    async def speech_started(self, audio_start_ms: int) -> None:
        self._utterance = new_id("item")
        await self._out.send(
            "input_audio_buffer.speech_started",
            audio_start_ms=audio_start_ms,
            item_id=self._utterance,
        )
        if not self._detection("interrupt_response", True):
            return
        if self.active is not None:
            await self.active.cancel("turn_detected")
        if self._detection("auto_truncate", False):
            await self._truncate_last()

    async def speech_stopped(self, audio_end_ms: int, pcm: bytes) -> None:
        await self._out.send(
            "input_audio_buffer.speech_stopped", audio_end_ms=audio_end_ms, item_id=self._utterance
        )
        await self.committed(pcm, respond=self._detection("create_response", True))
        self._utterance = new_id("item")

    async def committed(self, pcm: bytes, *, respond: bool) -> None:
        """The caller's turn is in: it becomes an item, is transcribed, and perhaps answered."""
        item_id, config = self._utterance, self._out.config
        known = self._recognition.words(pcm, config["input_audio_sampling_rate"])
        words = self._replies.heard(known)
        wire = {
            "id": item_id,
            "object": "realtime.item",
            "type": "message",
            "status": "completed",
            "role": "user",
            "content": [{"type": "input_audio", "transcript": None}],
        }
        item = Item(wire)
        before = self._out.conversation.append(item)
        await self._out.send(
            "input_audio_buffer.committed", previous_item_id=before, item_id=item_id
        )
        await self._out.send("conversation.item.created", previous_item_id=before, item=wire)
        late = respond and self._out.switches.transcription == "after_response"
        if not late:
            await self._transcribe(item, words)
        if respond:
            if self.active is not None:
                await self.active.cancel("turn_detected")
            self._respond({}, words or "", item if late else None)

    # The agent

    async def create(self, event: dict[str, Any]) -> None:
        """response.create. Raises FieldError."""
        request, switches = event.get("response") or {}, self._out.switches
        table(RESPONSE_FIELDS, unknown=switches.unknown_fields == "ignored")(request, "response")
        self._check_greeting(request)
        if self.active is not None:
            if switches.active_response == "refused" or not request.get("cancel_previous", True):
                raise FieldError(
                    "response",
                    "Conversation already has an active response",
                    "conversation_already_has_active_response",
                )
            await self.active.cancel("client_cancelled")
        self._respond(request, None)

    async def cancel(self, event: dict[str, Any]) -> None:
        """response.cancel. Raises FieldError: with no response active, an ordinary race."""
        wanted = event.get("response_id")
        if self.active is None or wanted not in (None, self.active.id):
            raise FieldError(
                "response_id",
                "Cancellation failed: no active response found",
                "response_cancel_not_active",
            )
        await self.active.cancel("client_cancelled")

    def _check_greeting(self, request: dict[str, Any]) -> None:
        message = request.get("pre_generated_assistant_message")
        if message is None:
            return
        path = "response.pre_generated_assistant_message"
        if not isinstance(self._out.mode, ModelMode) and not (
            self._out.switches.greeting_in_agent_mode
        ):
            raise FieldError(path, "not supported with agents", "unsupported_parameter")
        ITEM(message, path)
        content = message.get("content", ())
        if message.get("role") != "assistant" or len(content) != 1 or not content[0]["text"]:
            raise FieldError(path, "an assistant message with exactly one text part")

    def _respond(
        self, request: dict[str, Any], words: str | None, untold: Item | None = None
    ) -> None:
        config = {**self._out.config, **request}
        answer = self._replies.answer(self._out.conversation, request, config["tools"], words)
        response = Response(
            answer,
            rate_of(config["output_audio_format"]),
            voiced="audio" in config["modalities"],
            timestamps="word" in config.get("output_audio_timestamp_types", ()),
            in_conversation=request.get("conversation", "auto") == "auto",
            metadata=request.get("metadata"),
        )
        self.responses.append(response)
        assert self._group is not None, "a session answers only while it runs"
        self._group.create_task(
            self._run(response, untold, words), name=f"voice live {response.id}"
        )

    async def _run(self, response: Response, untold: Item | None, words: str | None) -> None:
        await response.run(self._out)
        if untold is not None:
            await self._transcribe(untold, words)

    async def _transcribe(self, item: Item, words: str | None) -> None:
        if not self._transcribes():
            return
        place = {"item_id": item.id, "content_index": 0}
        kind = "conversation.item.input_audio_transcription"
        if self._out.switches.transcription == "failed":
            error = {"type": "transcription_error", "code": "no_speech", "message": "Not heard."}
            await self._out.send(f"{kind}.failed", error=error, **place)
            return
        item.wire["content"][0]["transcript"] = words or ""
        for word in (words or "").split():
            await self._out.send(f"{kind}.delta", delta=word + " ", **place)
        await self._out.send(f"{kind}.completed", transcript=words or "", **place)

    def _transcribes(self) -> bool:
        """azure-speech is implied where the model itself only reads (Voice Live how-to)."""
        mode = self._out.mode
        reads = not isinstance(mode, ModelMode) or not speaks_natively(mode.model)
        return reads or self._out.config["input_audio_transcription"] is not None

    async def _truncate_last(self) -> None:
        """auto_truncate: cuts the last turn at what was played, had it been played at once."""
        last = self.responses[-1] if self.responses else None
        if last is None or last.item is None or last.first_audio_at is None:
            return
        played = int((asyncio.get_running_loop().time() - last.first_audio_at) * 1000)
        if last.item.heard_ms is not None or played >= (last.item.audio_ms or 0.0):
            return
        event = {"item_id": last.item.id, "content_index": 0, "audio_end_ms": played}
        if self._out.conversation.find(last.item.id) is None:
            return
        item = self._out.conversation.truncate(event, keep=self.keeps_played())
        appended = self._detection("appended_text_after_truncation", "")
        item.wire["content"][0]["transcript"] += appended
        await self._out.send("conversation.item.truncated", **event)

    def _detection(self, name: str, default: Any) -> Any:
        return (self._out.config["turn_detection"] or {}).get(name, default)
