import base64
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_worker.bridges.voice_live.memory import Memory, WholeSamples

RATE = 24000


def seconds(count: float) -> bytes:
    return base64.b64encode(bytes(int(RATE * count) * 2))


def sent(messages: list[bytes]) -> list[dict[str, Any]]:
    return [json.loads(message) for message in messages]


def kinds(messages: list[bytes]) -> list[str]:
    return [message["type"] for message in sent(messages)]


def test_a_native_voice_is_truncated_at_what_was_heard() -> None:
    memory = Memory(RATE, "truncate")
    memory.audio("r", "i", 0, seconds(2))
    cancel, truncate = sent(memory.interrupt("r", 1234))
    assert cancel == {"type": "response.cancel", "response_id": "r"}
    assert truncate == {
        "type": "conversation.item.truncate",
        "item_id": "i",
        "content_index": 0,
        "audio_end_ms": 1234,
    }
    assert memory.done("r") == []


def test_a_turn_that_the_service_has_finished_is_not_cancelled() -> None:
    memory = Memory(RATE, "truncate")
    memory.audio("r", "i", 0, seconds(2))
    memory.done("r")
    assert kinds(memory.interrupt("r", 500)) == ["conversation.item.truncate"]


def test_never_more_is_truncated_than_was_sent() -> None:
    memory = Memory(RATE, "truncate")
    memory.audio("r", "i", 0, seconds(1))
    _, truncate = sent(memory.interrupt("r", 5000))  # the service may have made more of it
    assert truncate["audio_end_ms"] == 1000
    memory.audio("r2", "i2", 0, seconds(1))
    memory.done("r2")
    assert memory.interrupt("r2", 5000) == []  # all of it was heard


def test_of_two_items_the_second_is_cut_by_what_is_left() -> None:
    memory = Memory(RATE, "truncate")
    memory.audio("r", "i1", 0, seconds(1))
    memory.audio("r", "i2", 0, seconds(1))
    memory.done("r")
    (truncate,) = sent(memory.interrupt("r", 1300))
    assert (truncate["item_id"], truncate["audio_end_ms"]) == ("i2", 300)


def test_a_text_models_turn_is_replaced_by_the_words_heard_once_it_is_done() -> None:
    memory = Memory(RATE, "replace")
    memory.item_created("i", "before")
    memory.audio("r", "i", 0, seconds(2))
    memory.words("r", "i", "We are open from nine to five.")
    assert kinds(memory.interrupt("r", 1000)) == ["response.cancel"]
    delete, create = sent(memory.done("r"))
    assert delete == {"type": "conversation.item.delete", "item_id": "i"}
    assert create["previous_item_id"] == "before"
    assert create["item"]["role"] == "assistant"
    assert create["item"]["content"] == [{"type": "text", "text": "We are open"}]


def test_where_the_service_times_its_words_they_are_cut_exactly() -> None:
    memory = Memory(RATE, "replace")
    memory.words("r", "i", "Well, we are open. From nine until five, and so on for a long while.")
    memory.audio("r", "i", 0, seconds(2))
    for word, end_ms in [("Well", 900), ("we", 1000), ("are", 1100), ("open", 1600)]:
        memory.word_spoken("r", "i", word, end_ms)
    memory.interrupt("r", 1200)
    _, create = sent(memory.done("r"))
    assert create["item"]["content"][0]["text"] == "Well, we are"


@pytest.mark.parametrize(
    ("heard_ms", "heard"), [(1000, "It costs"), (1400, "It costs 60 euros"), (2000, "")]
)
def test_a_timed_word_that_is_written_otherwise_is_passed_over(heard_ms: int, heard: str) -> None:
    memory = Memory(RATE, "replace")
    memory.words("r", "i", "It costs 60 euros.")
    memory.audio("r", "i", 0, seconds(2))
    for word, end_ms in [("It", 200), ("costs", 500), ("sixty", 900), ("euros", 1300)]:
        memory.word_spoken("r", "i", word, end_ms)
    memory.interrupt("r", heard_ms)
    created = [m["item"]["content"][0]["text"] for m in sent(memory.done("r")) if "item" in m]
    assert created == [heard] * bool(heard)


def test_the_first_items_replacement_goes_to_the_beginning() -> None:
    memory = Memory(RATE, "replace")
    memory.item_created("i", None)
    memory.audio("r", "i", 0, seconds(2))
    memory.words("r", "i", "Hello there.")
    memory.done("r")
    assert sent(memory.interrupt("r", 1600))[1]["previous_item_id"] == "root"


def test_of_a_turn_of_which_nothing_was_heard_nothing_is_left() -> None:
    memory = Memory(RATE, "replace")
    memory.audio("r", "i", 0, seconds(2))
    memory.words("r", "i", "Hello there.")
    memory.done("r")
    assert kinds(memory.interrupt("r", 0)) == ["conversation.item.delete"]
    assert memory.retold() == []


def test_the_service_is_left_to_itself_where_it_is_trusted() -> None:
    memory = Memory(RATE, "service")
    memory.audio("r", "i", 0, seconds(2))
    assert kinds(memory.interrupt("r", 500)) == ["response.cancel"]
    assert memory.done("r") == []


def test_a_turn_is_interrupted_once() -> None:
    memory = Memory(RATE, "truncate")
    memory.audio("r", "i", 0, seconds(2))
    assert memory.interrupt("r", 500)
    assert memory.interrupt("r", 900) == []
    assert memory.interrupt("never seen", 900) == []


def test_a_new_connection_is_told_what_was_said_and_heard() -> None:
    memory = Memory(RATE, "truncate")
    memory.audio("r1", "i1", 0, seconds(1))
    memory.words("r1", "i1", "Hello, who is there?")
    memory.done("r1")
    memory.caller_said("u1", "It is Ada.")
    memory.audio("r2", "i2", 0, seconds(2))
    memory.words("r2", "i2", "Good day Ada, we are open.")
    memory.interrupt("r2", 1000)
    memory.done("r2")
    memory.audio("r3", "i3", 0, seconds(1))
    memory.words("r3", "i3", "Cut by the")
    memory.dropped()
    said = [
        (message["item"]["role"], message["item"]["content"][0]["text"])
        for message in sent(memory.retold())
    ]
    assert said == [
        ("assistant", "Hello, who is there?"),
        ("user", "It is Ada."),
        ("assistant", "Good day Ada,"),
        ("assistant", "Cut by the"),
    ]


@given(st.binary(max_size=500), st.randoms(use_true_random=False))
def test_any_chunking_gives_the_same_whole_samples(pcm: bytes, drawn: random.Random) -> None:
    whole, out, at = WholeSamples(), b"", 0
    while at < len(pcm):
        size = drawn.randrange(1, 60)
        part = whole.push(base64.b64encode(pcm[at : at + size]))
        assert part is not None
        decoded = base64.b64decode(part, validate=True)
        assert len(decoded) % 2 == 0
        out += decoded
        at += size
    assert out == pcm[: len(pcm) // 2 * 2]


@pytest.mark.parametrize("audio", [b"AAA", b"A\xff==", b"!!!"])
def test_audio_that_is_no_base64_is_refused(audio: bytes) -> None:
    assert WholeSamples().push(audio) is None


def test_the_usual_chunk_is_passed_on_untouched() -> None:
    audio = seconds(0.2)
    assert WholeSamples().push(audio) is audio
