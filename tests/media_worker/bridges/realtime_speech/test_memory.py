import json
from typing import Any

from media_worker.bridges.realtime_speech.memory import Memory
from switchboard.record import TurnRecord


def sent(messages: list[bytes]) -> list[dict[str, Any]]:
    return [json.loads(message) for message in messages]


def texts(messages: list[bytes]) -> list[tuple[str, str]]:
    """Role and words of the items created."""
    created = [m["item"] for m in sent(messages) if m["type"] == "conversation.item.create"]
    return [(item["role"], item["content"][0]["text"]) for item in created]


def answered(text: str = "One two, three.") -> Memory:
    """A turn of three words, half a second each, behind the caller's item."""
    memory = Memory()
    memory.item_created("item-a", "item-q")
    memory.turn_started("r1")
    memory.words("r1", "item-a", text)
    memory.sound("r1", 1500)
    for number, word in enumerate(("One", "two", "three")):
        end = text.index(word) + len(word)
        memory.word_spoken("r1", end, 250.0 + 500 * number)
    return memory


def test_a_word_counts_when_half_of_it_was_heard() -> None:
    for heard_ms, words in ((0, ""), (249, ""), (250, "One"), (749, "One"), (750, "One two,")):
        memory = answered()
        memory.done("r1")
        _, heard = memory.interrupt("r1", heard_ms)
        assert heard == words


def test_an_interrupted_turn_is_replaced_behind_the_item_before_it() -> None:
    memory = answered()
    memory.done("r1")
    messages, _ = memory.interrupt("r1", 800)
    deleted, created = sent(messages)
    assert deleted == {"type": "conversation.item.delete", "item_id": "item-a"}
    assert created["previous_item_id"] == "item-q"
    assert created["item"]["content"] == [{"type": "output_text", "text": "One two,"}]
    assert memory.interrupt("r1", 100) == ([], None)


def test_a_turn_of_which_nothing_was_heard_is_only_removed() -> None:
    memory = answered()
    memory.done("r1")
    messages, heard = memory.interrupt("r1", 10)
    assert [m["type"] for m in sent(messages)] == ["conversation.item.delete"]
    assert heard == ""


def test_a_turn_that_is_being_written_is_cancelled_first_and_replaced_when_it_is_done() -> None:
    memory = answered()
    messages, heard = memory.interrupt("r1", 800)
    assert sent(messages) == [{"type": "response.cancel", "response_id": "r1"}]
    memory.words("r1", "item-a", "")
    assert [m["type"] for m in sent(memory.done("r1"))] == [
        "conversation.item.delete",
        "conversation.item.create",
    ]
    assert heard == "One two,"


def test_a_turn_behind_one_that_was_replaced_is_put_behind_the_replacement() -> None:
    memory = answered()
    memory.done("r1")
    messages, _ = memory.interrupt("r1", 800)
    first = sent(messages)[-1]["item"]["id"]
    memory.item_created("item-b", "item-a")
    memory.turn_started("r2")
    memory.words("r2", "item-b", "Four")
    memory.sound("r2", 1000)
    memory.word_spoken("r2", 4, 100)
    memory.done("r2")
    messages, _ = memory.interrupt("r2", 200)
    assert sent(messages)[-1]["previous_item_id"] == first


def test_without_the_times_of_words_the_share_of_the_audio_counts() -> None:
    memory = Memory()
    memory.turn_started("r1")
    memory.words("r1", "item-a", "One two three four")
    memory.sound("r1", 1000)
    assert memory.interrupt("r1", 500)[1] == "One two"


def test_a_new_connection_is_told_what_was_heard_in_the_order_of_the_talk() -> None:
    memory = Memory([TurnRecord(speaker="caller", text="Before.")])
    memory.own_words("own-1", "Hello there")
    memory.sound("own-1", 1000)
    memory.word_spoken("own-1", 5, 200)
    memory.caller_said("item-q", "A question")
    memory.interrupt("own-1", 300)
    memory.dropped()
    assert texts(memory.retold()) == [
        ("user", "Before."),
        ("assistant", "Hello"),
        ("user", "A question"),
    ]


def test_what_a_dropped_connection_was_saying_is_told_to_the_next() -> None:
    memory = answered()
    memory.dropped()
    assert texts(memory.retold()) == [("assistant", "One two, three.")]
