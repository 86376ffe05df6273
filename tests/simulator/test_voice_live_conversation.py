"""Source: Voice Live API reference 2026-07-15, conversation.item.* events."""

from typing import Any

import pytest

from simulator.voice_live_checks import FieldError
from simulator.voice_live_conversation import Conversation, Item
from simulator.voice_live_response import timed


def message(role: str, text: str, **more: Any) -> dict[str, Any]:
    kind = "text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}], **more}


def spoken(item_id: str = "spoken", text: str = "one two three four") -> Item:
    content = [{"type": "audio", "transcript": text}]
    wire = {"id": item_id, "type": "message", "role": "assistant", "content": content}
    return Item(wire, audio_ms=4000, words=timed(text, 4000))


def conversation() -> Conversation:
    """a, b, c: typed by the caller."""
    talk = Conversation()
    for name in "abc":
        talk.create(message("user", name, id=name), None, new_id="unused")
    return talk


def ids(talk: Conversation) -> list[str]:
    return [item.id for item in talk]


@pytest.mark.parametrize(
    ("previous", "order", "before"),
    [
        (None, ["a", "b", "c", "new"], "c"),
        ("root", ["new", "a", "b", "c"], None),
        ("a", ["a", "new", "b", "c"], "a"),
    ],
)
def test_an_item_goes_where_it_was_asked_to(
    previous: str | None, order: list[str], before: str | None
) -> None:
    talk = conversation()
    item, placed_after = talk.create(message("assistant", "Hi"), previous, new_id="new")
    assert ids(talk) == order
    assert placed_after == before
    assert (item.kind, item.text) == ("assistant", "Hi")


@pytest.mark.parametrize(
    ("wire", "previous", "param"),
    [
        (message("user", "x"), "nobody", "previous_item_id"),
        (message("user", "x", id="a"), None, "item.id"),
        (message("narrator", "x"), None, "item.role"),
        (
            {"type": "message", "role": "assistant", "content": [{"type": "input_text"}]},
            None,
            "item.content[0].type",
        ),
        ({"type": "message", "role": "user"}, None, "item.content"),
        (
            {"type": "function_call_output", "call_id": "call_x", "output": "1"},
            None,
            "item.call_id",
        ),
        (None, None, "item"),
    ],
)
def test_a_wrong_item_is_refused(wire: Any, previous: Any, param: str) -> None:
    talk = conversation()
    with pytest.raises(FieldError) as refused:
        talk.create(wire, previous, new_id="new")
    assert refused.value.param == param
    assert ids(talk) == ["a", "b", "c"]


def test_replacing_a_turn_by_what_was_heard_keeps_its_place() -> None:
    talk = conversation()
    talk.items.insert(1, spoken())
    talk.delete("spoken")
    talk.create(message("assistant", "one two"), "a", new_id="heard")
    assert ids(talk) == ["a", "heard", "b", "c"]
    with pytest.raises(FieldError, match="spoken"):
        talk.delete("spoken")


def cut(end_ms: Any, item_id: str = "spoken", index: Any = 0) -> dict[str, Any]:
    return {"item_id": item_id, "content_index": index, "audio_end_ms": end_ms}


@pytest.mark.parametrize(("keep", "left"), [(True, "one two"), (False, "")])
def test_truncation_keeps_the_words_played_or_none(keep: bool, left: str) -> None:
    talk = Conversation([spoken()])
    item = talk.truncate(cut(2100), keep=keep)
    assert item.text == left
    assert item.heard_ms == 2100


def test_a_turn_may_be_cut_again_but_only_shorter() -> None:
    talk = Conversation([spoken()])
    talk.truncate(cut(2000), keep=True)
    talk.truncate(cut(1000), keep=True)
    with pytest.raises(FieldError, match="1000ms is already shorter than 1001ms"):
        talk.truncate(cut(1001), keep=True)


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (cut(4001), "invalid_value"),
        (cut(-1), "invalid_type"),
        (cut(10.5), "invalid_type"),
        (cut(100, index=1), "invalid_value"),
        (cut(100, "nobody"), "item_truncate_invalid_item_id"),
        (cut(0, "typed"), "unsupported_content_type"),
    ],
)
def test_a_wrong_truncation_is_refused_and_changes_nothing(
    event: dict[str, Any], code: str
) -> None:
    talk = Conversation([spoken()])
    talk.create(message("assistant", "typed", id="typed"), None, new_id="unused")
    with pytest.raises(FieldError) as refused:
        talk.truncate(event, keep=True)
    assert refused.value.code == code
    assert [item.text for item in talk] == ["one two three four", "typed"]
