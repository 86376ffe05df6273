"""Who speaks when, in a simulated Realtime session: the caller's turns, answers, interruptions.

OpenAI Realtime API reference (GA): `turn_detection`, `response.create`, `response.cancel`.
"""

import asyncio
from typing import Any, Protocol

from simulator.generation import comes_within, new_id
from simulator.realtime_fields import ITEM, RATE, RESPONSE_FIELDS
from simulator.realtime_response import Outlet, Response
from simulator.voice_live_checks import FieldError, table
from simulator.voice_live_conversation import Conversation, Item
from simulator.voice_live_recognition import Recognition
from simulator.voice_live_replies import Replies

_TRANSCRIPTION = "conversation.item.input_audio_transcription"


class Ear(Outlet, Protocol):
    """A session, as its turns see it."""

    config: dict[str, Any]

    @property
    def position_ms(self) -> float: ...

    async def fault(self, event: dict[str, Any] | None, error: FieldError) -> None: ...


class Turns:
    """One session's turns. `out` is the session."""

    def __init__(self, out: Ear, replies: Replies, recognition: Recognition) -> None:
        self.responses: list[Response] = []
        self._out, self._replies, self._recognition = out, replies, recognition
        self._utterance = new_id("item")
        self._speaking = False
        self._stirred = asyncio.Event()
        """Something happened that ends a silence."""
        self._gone = asyncio.Event()
        self._group: asyncio.TaskGroup | None = None

    def begin(self, group: asyncio.TaskGroup) -> None:
        """Responses run in `group` from now on."""
        self._group = group

    def abandon(self) -> None:
        self._gone.set()
        self._stirred.set()
        for response in self._unfinished():
            response.abandon()

    @property
    def active(self) -> Response | None:
        """The response that is being written into the conversation."""
        running = (r for r in self._unfinished() if r.conversation_id is not None)
        return next(running, None)

    def _unfinished(self) -> list[Response]:
        return [response for response in self.responses if not response.ended.is_set()]

    # The caller

    async def speech_started(self, audio_start_ms: int) -> None:
        self._utterance, self._speaking = new_id("item"), True
        self._stirred.set()
        await self._tell_started(audio_start_ms, self._utterance)
        if self._detection("interrupt_response") and self.active is not None:
            await self.active.cancel("turn_detected")

    async def _tell_started(self, audio_start_ms: int, item_id: str) -> None:
        told = {"audio_start_ms": audio_start_ms, "item_id": item_id}
        late_s = self._out.switches.speech_started_s

        async def tell() -> None:
            if not await comes_within(self._gone, late_s):
                await self._out.send("input_audio_buffer.speech_started", **told)

        if not late_s:
            await tell()
        else:
            assert self._group is not None, "a session hears only while it runs"
            self._group.create_task(tell(), name="late speech_started")

    async def speech_stopped(self, audio_end_ms: int, pcm: bytes) -> None:
        self._speaking = False
        await self._out.send(
            "input_audio_buffer.speech_stopped", audio_end_ms=audio_end_ms, item_id=self._utterance
        )
        await self.committed(pcm, respond=bool(self._detection("create_response")))

    async def committed(self, pcm: bytes, *, respond: bool) -> None:
        """The caller's turn is in: it becomes an item, is transcribed, and perhaps answered."""
        words = self._replies.heard(self._recognition.words(pcm, RATE))
        item = await self._commit(self._utterance)
        self._utterance = new_id("item")
        assert self._group is not None, "a session hears only while it runs"
        seconds = len(pcm) / 2 / RATE
        self._group.create_task(self._transcribe(item, words or "", seconds), name="transcription")
        if respond:
            await self._answer(words or "")

    async def _commit(self, item_id: str) -> Item:
        content = [{"type": "input_audio", "transcript": None}]
        wire = {"id": item_id, "object": "realtime.item", "type": "message", "status": "completed"}
        item = Item({**wire, "role": "user", "content": content})
        before = self._out.conversation.append(item)
        await self._out.send(
            "input_audio_buffer.committed", previous_item_id=before, item_id=item_id
        )
        await self.announce(item, before)
        return item

    async def announce(self, item: Item, before: str | None) -> None:
        """An item that is complete from the start: added and done."""
        for kind in ("conversation.item.added", "conversation.item.done"):
            await self._out.send(kind, previous_item_id=before, item=item.wire)

    # The agent

    async def create(self, event: dict[str, Any]) -> None:
        """response.create. Raises FieldError."""
        request = event.get("response") or {}
        lenient = self._out.switches.unknown_fields == "ignored"
        table(RESPONSE_FIELDS, unknown=lenient)(request, "response")
        self._respond(request, None)

    async def cancel(self, event: dict[str, Any]) -> None:
        """response.cancel. Raises FieldError: with no response active, an ordinary race."""
        wanted, active = event.get("response_id"), self.active
        if wanted is not None:
            active = next((r for r in self._unfinished() if r.id == wanted), None)
        if active is None:
            raise FieldError(
                "",
                "Cancellation failed: no active response found",
                "response_cancel_not_active",
            )
        await active.cancel("client_cancelled")

    async def _answer(self, words: str) -> None:
        """Answers a turn of the caller; nobody asked for it, so an error is told and no more."""
        try:
            self._respond({}, words)
        except FieldError as error:
            await self._out.fault(None, error)

    def _respond(self, request: dict[str, Any], words: str | None) -> None:
        switch = self._out.switches.respond
        if switch == "no":
            return
        if switch != "yes":
            raise FieldError("", "refused by a switch", switch)
        config = {**self._out.config, **request}
        if config["output_modalities"] != ["text"]:
            told = "the simulator writes only: set session.output_modalities to ['text']"
            raise FieldError("output_modalities", told, "not_simulated")
        joins = request.get("conversation", "auto") == "auto"
        if joins and self.active is not None:
            raise FieldError(
                "",
                f"Conversation already has an active response in progress: {self.active.id}. "
                "Wait until the response is finished before creating a new one.",
                "conversation_already_has_active_response",
            )
        context = self._context(request)
        response = Response(
            self._replies.answer(context, request, config["tools"], words),
            conversation_id=self._out.conversation_id if joins else None,
            most_tokens=config["max_output_tokens"],
            metadata=request.get("metadata"),
        )
        self.responses.append(response)
        if joins:
            self._stirred.set()
        assert self._group is not None, "a session answers only while it runs"
        self._group.create_task(self._run(response), name=f"realtime {response.id}")

    def _context(self, request: dict[str, Any]) -> Conversation:
        """What the model reads: the conversation, or the `input` of the request in its place."""
        if "input" not in request:
            return self._out.conversation
        context = Conversation(check=ITEM)
        for wire in request["input"]:
            if wire.get("type") == "item_reference":
                context.append(self._out.conversation.retrieve(wire.get("id")))
            else:
                context.create(wire, None, new_id=new_id("item"))
        return context

    async def _run(self, response: Response) -> None:
        await response.run(self._out)
        if response.status == "completed" and response.conversation_id is not None:
            await self._prompt_after_silence()

    async def _prompt_after_silence(self) -> None:
        """idle_timeout_ms: from the end of a response without speech the model speaks again."""
        limit_ms = self._detection("idle_timeout_ms")
        if not limit_ms or self._speaking or self.active is not None:
            return
        start_ms = round(self._out.position_ms)
        self._stirred.clear()
        if self._gone.is_set() or await comes_within(self._stirred, limit_ms / 1000):
            return
        item_id = new_id("item")
        await self._out.send(
            "input_audio_buffer.timeout_triggered",
            audio_start_ms=start_ms,
            audio_end_ms=round(self._out.position_ms),
            item_id=item_id,
        )
        await self._commit(item_id)
        await self._answer("")

    async def _transcribe(self, item: Item, words: str, seconds: float) -> None:
        config = self._out.config["audio"]["input"]["transcription"]
        switches = self._out.switches
        if config is None or await comes_within(self._gone, switches.transcription_s):
            return
        place = {"item_id": item.id, "content_index": 0}
        if switches.transcription == "fails":
            told = "Input transcription failed for item"
            error = {"type": "server_error", "code": None, "message": told, "param": None}
            await self._out.send(f"{_TRANSCRIPTION}.failed", error=error, **place)
            return
        item.wire["content"][0]["transcript"] = words
        whole = config["model"].startswith("whisper")
        for delta in [words] if whole else words.split():
            delta = delta if whole else f"{delta} "
            await self._out.send(f"{_TRANSCRIPTION}.delta", delta=delta, **place)
        usage = {"type": "duration", "seconds": seconds}
        await self._out.send(f"{_TRANSCRIPTION}.completed", transcript=words, usage=usage, **place)

    def _detection(self, name: str) -> Any:
        return (self._out.config["audio"]["input"]["turn_detection"] or {}).get(name)
