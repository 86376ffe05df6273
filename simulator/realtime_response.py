"""One response of a simulated Realtime model: text, token by token, and calls of functions.

OpenAI Realtime API reference (GA), server events of a response, in their order.
"""

import asyncio
import json
import re
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from simulator.generation import Generation, new_id
from simulator.realtime_switches import RealtimeSwitches
from simulator.script import ToolCall
from simulator.voice_live_conversation import Conversation, Item
from simulator.voice_live_replies import Answer

_FAULTS = {
    "server_error": "The server had an error while processing your request.",
    "rate_limit_exceeded": "Rate limit reached: tokens per minute.",
}
_RATE_LIMITS = [
    {"name": "requests", "limit": 1000, "remaining": 999, "reset_seconds": 60.0},
    {"name": "tokens", "limit": 100_000, "remaining": 99_000, "reset_seconds": 60.0},
]


class Outlet(Protocol):
    """Where a response's events go: a session."""

    switches: RealtimeSwitches
    conversation: Conversation
    conversation_id: str

    async def send(self, kind: str, **fields: Any) -> None: ...
    async def close(self, code: int) -> None: ...


def pieces(text: str, longest: int) -> list[str]:
    """`text` as a model writes it: words with the space before them, long ones in parts of
    `longest` characters, marks apart. Joined they are `text`."""
    return re.findall(rf"\s?\w{{1,{longest}}}|\s?[^\w\s]+|\s+", text)


@dataclass
class Response(Generation):
    """What was asked for, and what has been sent of it."""

    answer: Answer
    conversation_id: str | None = None
    """None: outside of the conversation, its items stay out of it."""
    most_tokens: int | Literal["inf"] = "inf"
    metadata: Any = None
    item: Item | None = None
    text: str = ""
    """The words sent so far."""
    deltas: list[tuple[float, str]] = field(default_factory=list)
    """The pieces in which they were sent, each with the loop time before it was."""

    async def run(self, out: Outlet) -> None:
        """Sends everything, from response.created to response.done."""
        try:
            await out.send("response.created", response=self.wire())
            await out.send("rate_limits.updated", rate_limits=_RATE_LIMITS)
            if out.switches.unknown_events:
                await out.send("response.thought.delta", response_id=self.id, delta="Hm.")
            await self.wait(self.answer.delay_ms / 1000 + out.switches.first_token_s)
            if self.answer.utterance.text and await self._goes_on(out, 0):
                await self._message(out)
            for call in self.answer.calls:
                if self.status == "in_progress" and not self.cancelled:
                    await self._call(out, call)
            if self.status == "in_progress":
                self.status = "cancelled" if self.cancelled else "completed"
            await out.send("response.done", response=self.wire())
        finally:
            self.ended.set()

    def wire(self) -> dict[str, Any]:
        """The response object of response.created and response.done."""
        over = self.status != "in_progress"
        return {
            "id": self.id,
            "object": "realtime.response",
            "status": self.status,
            "status_details": self._details(),
            "output": list(self.output),
            "conversation_id": self.conversation_id,
            "output_modalities": ["text"],
            "max_output_tokens": self.most_tokens,
            "usage": self._usage() if over else None,
            "metadata": self.metadata,
        }

    def _details(self) -> dict[str, Any] | None:
        match self.status:
            case "cancelled" | "incomplete":
                return {"type": self.status, "reason": self.reason}
            case "failed":
                code = self.reason or "server_error"
                error = {"type": code, "code": code, "message": _FAULTS[code]}
                return {"type": "failed", "error": error}
            case _:
                return None

    async def _goes_on(self, out: Outlet, sent: int) -> bool:
        """Whether more is written after `sent` deltas; does what the switches want done there."""
        switches = out.switches
        if switches.stall_after_deltas == sent:
            await self.stall()
        if switches.close_after_deltas == sent:
            await out.close(switches.close_code)
            self.abandon()
        if self.cancelled:
            return sent > 0  # deltas may be late, but then the message has begun
        if switches.fail_after_deltas == sent:
            self.reason = switches.fail_code
            self.status = "incomplete" if self.reason == "content_filter" else "failed"
        elif sent == self.most_tokens:
            self.reason, self.status = "max_output_tokens", "incomplete"
        return self.status == "in_progress"

    async def _message(self, out: Outlet) -> None:
        wire: dict[str, Any] = {
            "id": new_id("item"),
            "object": "realtime.item",
            "type": "message",
            "status": "in_progress",
            "role": "assistant",
            "content": [],
        }
        self.item = Item(wire)
        index, before = await self._open(out, self.item)
        place = {"response_id": self.id, "item_id": wire["id"], "output_index": index}
        place["content_index"] = 0
        await out.send("response.content_part.added", part={"type": "text", "text": ""}, **place)
        await self._write(out, place)
        await out.send("response.output_text.done", text=self.text, **place)
        part = {"type": "text", "text": self.text}
        await out.send("response.content_part.done", part=part, **place)
        wire["content"] = [{"type": "output_text", "text": self.text}]
        cut = self.cancelled or self.status != "in_progress"
        wire["status"] = "incomplete" if cut else "completed"
        await self._shut(out, wire, index, before)

    async def _write(self, out: Outlet, place: dict[str, Any]) -> None:
        """Sends the text, fewer words than planned if cancelled or at fault."""
        late = out.switches.late_deltas
        written = pieces(self.answer.utterance.text, out.switches.delta_characters)
        for sent, piece in enumerate(written):
            if sent and not await self._goes_on(out, sent):
                return
            if self.cancelled and (late := late - 1) < 0:
                return
            self.text += piece
            self.deltas.append((asyncio.get_running_loop().time(), piece))
            await out.send("response.output_text.delta", delta=piece, **place)
            await self.wait(out.switches.delta_s)

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
        index, before = await self._open(out, Item(wire))
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
        await self._shut(out, wire, index, before)

    async def _open(self, out: Outlet, item: Item) -> tuple[int, str | None]:
        """Announces an output item; returns its index and the id of the item before it."""
        index, before = len(self.output), None
        self.output.append(item.wire)
        await out.send(
            "response.output_item.added", response_id=self.id, output_index=index, item=item.wire
        )
        if self.conversation_id is not None:
            before = out.conversation.append(item)
            await out.send("conversation.item.added", previous_item_id=before, item=item.wire)
        return index, before

    async def _shut(
        self, out: Outlet, wire: dict[str, Any], index: int, before: str | None
    ) -> None:
        await out.send(
            "response.output_item.done", response_id=self.id, output_index=index, item=wire
        )
        if self.conversation_id is not None:
            await out.send("conversation.item.done", previous_item_id=before, item=wire)

    def _usage(self) -> dict[str, Any]:
        """Tokens by the word, roughly as many as a model needs."""
        written = len(self.text.split()) * 4 // 3
        none = {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0}
        return {
            "total_tokens": written,
            "input_tokens": 0,
            "output_tokens": written,
            "input_token_details": {**none, "cached_tokens": 0, "cached_tokens_details": none},
            "output_token_details": {"text_tokens": written, "audio_tokens": 0},
        }
