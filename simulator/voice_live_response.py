"""One response of the simulated service: its events in the documented order, its audio ahead of
real time, and what becomes of it when it is cancelled.

Voice Live API reference, "Server events"; the order as OpenAI's Realtime API has it.
"""

import asyncio
import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from simulator.generation import Generation, new_id
from simulator.script import ToolCall
from simulator.voice_live_conversation import Conversation, Item, Word
from simulator.voice_live_door import Mode
from simulator.voice_live_replies import Answer
from simulator.voice_live_switches import VoiceLiveSwitches

OVERSIZED_BYTES = 5 * 1024 * 1024
"""Above the 4 MiB that azure-ai-voicelive takes by default."""


class Outlet(Protocol):
    """Where a response's events go: a session."""

    switches: VoiceLiveSwitches
    conversation: Conversation
    config: dict[str, Any]
    mode: Mode

    async def send(self, kind: str, **fields: Any) -> None: ...
    async def close(self, code: int) -> None: ...


@dataclass
class Response(Generation):
    """What was asked for, and what has been sent of it; tests compare `audio` sample by sample."""

    answer: Answer
    rate: int
    voiced: bool = True
    """False: text alone."""
    timestamps: bool = False
    in_conversation: bool = True
    metadata: Any = None
    item: Item | None = None
    audio: bytearray = field(default_factory=bytearray)
    audio_bytes: int = 0
    """Length of the audio sent, also when the samples are no longer kept."""
    first_audio_at: float | None = None
    """Loop time of the first audio delta."""

    @property
    def text(self) -> str:
        return self.answer.utterance.text

    async def run(self, out: Outlet) -> None:
        """Sends everything, from response.created to response.done."""
        try:
            await out.send("response.created", response=self.wire())
            await out.send("rate_limits.updated", rate_limits=_RATE_LIMITS)
            if out.switches.unknown_events:
                await out.send("response.thought.delta", response_id=self.id, delta="Hm.")
            await self.wait(self.answer.delay_ms / 1000 + out.switches.first_token_s)
            if self.text and not self.cancelled:
                await self._message(out)
            for call in self.answer.calls:
                if not self.cancelled:
                    await self._call(out, call)
            self.status = "cancelled" if self.cancelled else "completed"
            await out.send("response.done", response=self.wire())
        finally:
            self.ended.set()

    def wire(self) -> dict[str, Any]:
        """The response object of response.created and response.done."""
        over = self.status != "in_progress"
        cancelled = {"type": "cancelled", "reason": self.reason}
        return {
            "id": self.id,
            "object": "realtime.response",
            "status": self.status,
            "status_details": cancelled if self.status == "cancelled" else None,
            "modalities": ["text", "audio"] if self.voiced else ["text"],
            "output": list(self.output),
            "usage": self._usage() if over else None,
            "metadata": self.metadata,
        }

    async def _message(self, out: Outlet) -> None:
        wire: dict[str, Any] = {
            "id": new_id("item"),
            "object": "realtime.item",
            "type": "message",
            "status": "in_progress",
            "role": "assistant",
            "content": [],
        }
        item = self.item = Item(wire)
        index = await self._open(out, item)
        place = {"response_id": self.id, "item_id": item.id, "output_index": index}
        place["content_index"] = 0
        kind, words = ("audio", "transcript") if self.voiced else ("text", "text")
        await out.send("response.content_part.added", part={"type": kind, words: ""}, **place)
        if self.voiced:
            said = await self._speak(out, item, place)
            await out.send("response.audio.done", **place)
            await out.send("response.audio_transcript.done", transcript=said, **place)
            if self.timestamps:
                await out.send("response.audio_timestamp.done", **place)
        else:
            for word in (said := self.text).split():
                await out.send("response.text.delta", delta=word + " ", **place)
            await out.send("response.text.done", text=said, **place)
        part = {"type": kind, words: said}
        wire["content"] = wire["content"] or [part]
        wire["status"] = "incomplete" if self.cancelled else "completed"
        await out.send("response.content_part.done", part=part, **place)
        await self._shut(out, wire, index)

    async def _speak(self, out: Outlet, item: Item, place: dict[str, Any]) -> str:
        """Sends transcript and audio; returns the words sent, fewer than planned if cancelled."""
        switches, pcm = out.switches, self.answer.utterance.pcm(self.rate)
        item.words = timed(self.text, len(pcm) / 2 * 1000 / self.rate)
        waiting, said, late = list(item.words), "", switches.late_deltas
        if switches.oversized_message:
            await out.send("response.audio.delta", delta="A" * OVERSIZED_BYTES, **place)
        for chunk in chunks(pcm, self.rate, switches.chunk_bytes):
            if self.cancelled and (late := late - 1) < 0:
                break
            until_ms = (self.audio_bytes + len(chunk)) / 2 * 1000 / self.rate
            while waiting and waiting[0].start_ms < until_ms:
                word = waiting.pop(0)
                said += (" " if said else "") + word.text
                await out.send("response.audio_transcript.delta", delta=word.text + " ", **place)
                if self.timestamps:
                    await out.send("response.audio_timestamp.delta", **place, **_timestamp(word))
            if self.first_audio_at is None:
                self.first_audio_at = asyncio.get_running_loop().time()
            self.audio += chunk
            self.audio_bytes += len(chunk)
            item.audio_ms = until_ms
            await out.send("response.audio.delta", delta=base64.b64encode(chunk).decode(), **place)
            if switches.stall_after_ms is not None and until_ms >= switches.stall_after_ms:
                await self.stall()
            if switches.close_after_ms is not None and until_ms >= switches.close_after_ms:
                await out.close(switches.close_code)
            await self.wait(len(chunk) / 2 / self.rate / switches.speed)
        return said

    async def _call(self, out: Outlet, call: ToolCall) -> None:
        wire: dict[str, Any] = {
            "id": new_id("item"),
            "object": "realtime.item",
            "type": "function_call",
            "status": "in_progress",
            "name": call.name,
            "call_id": new_id("call"),
            "arguments": "",
        }
        index = await self._open(out, Item(wire))
        place = {"response_id": self.id, "item_id": wire["id"], "output_index": index}
        place["call_id"] = wire["call_id"]
        arguments = json.dumps(dict(call.arguments))
        for start in range(0, len(arguments), 12):
            delta = arguments[start : start + 12]
            await out.send("response.function_call_arguments.delta", delta=delta, **place)
        await out.send(
            "response.function_call_arguments.done", arguments=arguments, name=call.name, **place
        )
        wire["arguments"], wire["status"] = arguments, "completed"
        self.calls.append(wire)
        await self._shut(out, wire, index)

    async def _open(self, out: Outlet, item: Item) -> int:
        """Announces an output item; returns its index."""
        index = len(self.output)
        self.output.append(item.wire)
        await out.send(
            "response.output_item.added", response_id=self.id, output_index=index, item=item.wire
        )
        if self.in_conversation:
            before = out.conversation.append(item)
            await out.send("conversation.item.created", previous_item_id=before, item=item.wire)
        return index

    async def _shut(self, out: Outlet, wire: dict[str, Any], index: int) -> None:
        await out.send(
            "response.output_item.done", response_id=self.id, output_index=index, item=wire
        )

    def _usage(self) -> dict[str, Any]:
        """Tokens by the FAQ's rule of thumb: 20 a second of audio out; text by the word."""
        spoken, written = self.audio_bytes // 2 * 20 // self.rate, len(self.text.split()) * 4 // 3
        heard = 10 * spoken // 20
        return {
            "total_tokens": spoken + written + heard,
            "input_tokens": heard,
            "output_tokens": spoken + written,
            "input_token_details": {"cached_tokens": 0, "text_tokens": 0, "audio_tokens": heard},
            "output_token_details": {"text_tokens": written, "audio_tokens": spoken},
        }


_RATE_LIMITS = [
    {"name": "requests", "limit": 30, "remaining": 29, "reset_seconds": 60.0},
    {"name": "tokens", "limit": 120_000, "remaining": 119_000, "reset_seconds": 60.0},
]


def timed(text: str, duration_ms: float) -> tuple[Word, ...]:
    """The words of `text` over `duration_ms`, each as long as its share of the characters."""
    words = text.split()
    per_character = duration_ms / max(1, sum(len(word) + 1 for word in words))
    timed_words, at = [], 0.0
    for word in words:
        end = at + (len(word) + 1) * per_character
        timed_words.append(Word(word, at, end))
        at = end
    return tuple(timed_words)


def chunks(pcm: bytes, rate: int, sizes: tuple[int, ...]) -> Iterator[bytes]:
    """Cuts audio at `rate` in pieces of `sizes` (bytes at 24 kHz), the last size for the rest."""
    start = turn = 0
    while start < len(pcm):
        size = sizes[min(turn, len(sizes) - 1)] * rate // 24000 // 2 * 2
        yield pcm[start : start + size]
        start, turn = start + size, turn + 1


def _timestamp(word: Word) -> dict[str, Any]:
    return {
        "audio_offset_ms": round(word.start_ms),
        "audio_duration_ms": round(word.end_ms - word.start_ms),
        "text": word.text,
        "timestamp_type": "word",
    }
