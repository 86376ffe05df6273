"""A conversation as the service believes it to be: items in order, with what was said. No I/O.

Voice Live API reference, `conversation.item.*`; texts of errors as OpenAI's Realtime API words
them where public issue threads quote them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from simulator.voice_live_checks import Check, FieldError, anything, listing, table, text, variants

_INPUT_TEXT = table({"type": text, "text": text}, required=("text",))
_AUDIO = table({"type": text, "audio": text, "transcript": anything}, required=("audio",))
_SHARED = dict.fromkeys(("id", "type", "object", "status", "role"), text)
_MESSAGES = {
    "user": variants({"input_text": _INPUT_TEXT, "input_audio": _AUDIO}),
    "system": variants({"input_text": _INPUT_TEXT}),
    "assistant": variants({"text": _INPUT_TEXT}),
}
_MESSAGE = variants(
    {
        role: table({**_SHARED, "content": listing(part)}, required=("content",))
        for role, part in _MESSAGES.items()
    },
    by="role",
)
_CALL = {**_SHARED, "name": text, "call_id": text, "arguments": text}
_OUTPUT = {**_SHARED, "call_id": text, "output": text}
ITEM = variants(
    {
        "message": _MESSAGE,
        "function_call": table(_CALL, required=("name", "call_id", "arguments")),
        "function_call_output": table(_OUTPUT, required=("call_id", "output")),
        "mcp_approval_response": anything,
    }
)


@dataclass(frozen=True)
class Word:
    text: str
    start_ms: float
    end_ms: float


@dataclass
class Item:
    """`wire` is the item as events show it. `heard_ms` is where a truncation has cut its audio."""

    wire: dict[str, Any]
    audio_ms: float | None = None
    """Length of the audio produced so far, for an assistant's spoken turn."""
    words: tuple[Word, ...] = ()
    heard_ms: int | None = None

    @property
    def id(self) -> str:
        return str(self.wire["id"])

    @property
    def kind(self) -> str:
        """`user`, `assistant`, `system`, `function_call`, `function_call_output`, …"""
        return str(self.wire.get("role", self.wire["type"]))

    @property
    def text(self) -> str:
        """The words that the service believes were said, or a tool call's output."""
        if self.wire["type"] == "function_call_output":
            return str(self.wire["output"])
        parts = self.wire.get("content", ())
        said = (part.get("text") or part.get("transcript") or "" for part in parts)
        return " ".join(words for words in said if words)


@dataclass
class Conversation:
    """`check` is what the client's items must pass."""

    items: list[Item] = field(default_factory=list)
    check: Check = ITEM

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    @property
    def last_id(self) -> str | None:
        return self.items[-1].id if self.items else None

    def report(self) -> list[dict[str, str]]:
        """Its items in a few words."""
        return [{"id": item.id, "kind": item.kind, "text": item.text} for item in self.items]

    def find(self, item_id: object) -> Item | None:
        return next((item for item in self.items if item.id == item_id), None)

    def append(self, item: Item) -> str | None:
        """Adds `item` at the end; returns the id of the item before it."""
        before = self.last_id
        self.items.append(item)
        return before

    def create(self, wire: Any, previous: Any, *, new_id: str) -> tuple[Item, str | None]:
        """The client's item, placed after `previous` ("root": at the start, None: at the end).

        Returns it with the id of the item before it. Raises FieldError.
        """
        self.check(wire, "item")
        if self.find(wire.get("id")):
            raise FieldError("item.id", f"an item {wire['id']!r} already exists")
        if wire["type"] == "function_call_output" and not any(
            item.wire.get("call_id") == wire["call_id"] for item in self.items
        ):
            raise FieldError("item.call_id", f"no call {wire['call_id']!r} in the conversation")
        item = Item({"object": "realtime.item", "status": "completed", "id": new_id, **wire})
        if previous is None:
            return item, self.append(item)
        if previous == "root":
            self.items.insert(0, item)
            return item, None
        at = self.items.index(self._get(previous, "previous_item_id", "invalid_previous_item_id"))
        self.items.insert(at + 1, item)
        return item, str(previous)

    def retrieve(self, item_id: Any) -> Item:
        """Raises FieldError if there is no such item."""
        return self._get(item_id, "item_id", "item_retrieve_invalid_item_id")

    def delete(self, item_id: Any) -> None:
        """Raises FieldError if there is no such item."""
        self.items.remove(self._get(item_id, "item_id", "item_delete_invalid_item_id"))

    def truncate(self, event: dict[str, Any], *, keep: bool) -> Item:
        """Cuts a spoken turn at `audio_end_ms`. Raises FieldError.

        `keep`: the words up to there stay; else the item loses its transcript, so that nothing
        unheard is in the context (OpenAI's Realtime API reference).
        """
        item = self._get(event.get("item_id"), "item_id", "item_truncate_invalid_item_id")
        end_ms = event.get("audio_end_ms")
        if isinstance(end_ms, bool) or not isinstance(end_ms, int) or end_ms < 0:
            raise FieldError("audio_end_ms", "expected an integer, 0 or more", "invalid_type")
        if event.get("content_index") != 0:
            raise FieldError("content_index", "there is content 0 alone")
        if item.kind != "assistant" or not item.audio_ms:
            raise FieldError(
                "item_id",
                "Only model output audio messages can be truncated",
                "unsupported_content_type",
            )
        length = item.audio_ms if item.heard_ms is None else item.heard_ms
        if end_ms > length:
            raise FieldError(
                "audio_end_ms",
                f"Audio content of {int(length)}ms is already shorter than {end_ms}ms",
            )
        item.heard_ms = end_ms
        kept = " ".join(word.text for word in item.words if word.end_ms <= end_ms) if keep else ""
        item.wire["content"] = [{"type": "audio", "transcript": kept}]
        return item

    def _get(self, item_id: Any, param: str, code: str) -> Item:
        item = self.find(item_id)
        if item is None:
            raise FieldError(param, f"no item {item_id!r} in the conversation", code)
        return item
