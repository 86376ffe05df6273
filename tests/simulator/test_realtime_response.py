"""Source: OpenAI Realtime API reference (GA), server events of a response."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.realtime_fields import ITEM
from simulator.realtime_response import Response, pieces
from simulator.realtime_switches import RealtimeSwitches
from simulator.script import ToolCall, Utterance
from simulator.voice_live_conversation import Conversation
from simulator.voice_live_replies import Answer
from tests.virtual_time import run

WORDS = Utterance("Saturday we are open from nine to one, e.g. for repairs.")
IN = "conv_1"


class Paper:
    """An outlet that writes down what is sent, with its loop time."""

    def __init__(self, switches: RealtimeSwitches | None = None) -> None:
        self.switches = switches or RealtimeSwitches()
        self.conversation = Conversation(check=ITEM)
        self.conversation_id = IN
        self.sent: list[tuple[float, str, dict[str, Any]]] = []
        self.closed_with: int | None = None

    async def send(self, kind: str, **fields: Any) -> None:
        self.sent.append((asyncio.get_running_loop().time(), kind, fields))

    async def close(self, code: int) -> None:
        self.closed_with = code

    def kinds(self) -> list[str]:
        """Each run of equal ones as one."""
        kinds = [kind for _, kind, _ in self.sent]
        return [kind for i, kind in enumerate(kinds) if i == 0 or kinds[i - 1] != kind]

    def deltas(self) -> list[tuple[float, str]]:
        kind = "response.output_text.delta"
        return [(at, fields["delta"]) for at, sent, fields in self.sent if sent == kind]


@given(st.text(), st.integers(1, 12))
def test_pieces_are_the_text_and_never_longer_than_a_token(text: str, longest: int) -> None:
    written = pieces(text, longest)
    assert "".join(written) == text
    assert all(len(piece.strip()) <= longest for piece in written if piece.strip().isalnum())


def test_words_are_cut_as_models_cut_them() -> None:
    assert pieces("**Bold** marmalade, please.", 6) == [
        *("**", "Bold", "**", " marmal", "ade", ",", " please", "."),
    ]


def test_a_text_response_is_told_by_the_documented_events_in_their_order() -> None:
    async def scenario() -> None:
        paper = Paper()
        response = Response(answer=Answer(WORDS), conversation_id=IN)
        await response.run(paper)
        assert paper.kinds() == [
            "response.created",
            "rate_limits.updated",
            "response.output_item.added",
            "conversation.item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "conversation.item.done",
            "response.done",
        ]
        assert "".join(delta for _, delta in paper.deltas()) == WORDS.text == response.text
        (item,) = paper.conversation
        assert item.wire["content"] == [{"type": "output_text", "text": WORDS.text}]

    run(scenario())


def test_the_first_token_and_those_after_it_take_their_time() -> None:
    async def scenario() -> None:
        paper = Paper(RealtimeSwitches(first_token_s=1.0, delta_s=0.1))
        response = Response(answer=Answer(WORDS, delay_ms=300), conversation_id=IN)
        await response.run(paper)
        assert response.deltas == paper.deltas()
        times = [at for at, _ in paper.deltas()]
        assert times[:3] == pytest.approx([1.3, 1.4, 1.5])
        at_once = Paper(RealtimeSwitches(delta_s=0))
        await Response(answer=Answer(WORDS, delay_ms=0), conversation_id=IN).run(at_once)
        assert len({at for at, _ in at_once.deltas()}) == 1

    run(scenario())


@pytest.mark.parametrize("late", [0, 3])
def test_a_cancelled_response_ends_with_what_was_written(late: int) -> None:
    async def scenario() -> None:
        paper = Paper(RealtimeSwitches(delta_s=1.0, late_deltas=late))
        response = Response(answer=Answer(WORDS, delay_ms=0), conversation_id=IN)
        async with asyncio.TaskGroup() as group:
            group.create_task(response.run(paper))
            await asyncio.sleep(1.5)
            await response.cancel("turn_detected")
        done = paper.sent[-1][2]["response"]
        assert done["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
        assert len(paper.deltas()) == 2 + late
        (item,) = done["output"]
        assert item["status"] == "incomplete"
        assert item["content"][0]["text"] == "".join(delta for _, delta in paper.deltas())

    run(scenario())


def test_a_response_cancelled_before_its_first_token_leaves_no_item() -> None:
    async def scenario() -> None:
        paper = Paper(RealtimeSwitches(stall_after_deltas=0))
        response = Response(answer=Answer(WORDS), conversation_id=IN)
        async with asyncio.TaskGroup() as group:
            group.create_task(response.run(paper))
            await asyncio.sleep(30)
            await response.cancel("client_cancelled")
        assert paper.conversation.items == []
        assert (response.status, response.output) == ("cancelled", [])

    run(scenario())


def test_every_call_is_an_item_with_its_arguments_in_pieces() -> None:
    calls = (ToolCall("get_order", {"id": "A 17", "urgent": True}), ToolCall("end_call", {}))

    async def scenario() -> None:
        paper = Paper()
        response = Response(answer=Answer(Utterance(""), calls=calls), conversation_id=IN)
        await response.run(paper)
        kind = "response.function_call_arguments.delta"
        first = [f["delta"] for _, sent, f in paper.sent if sent == kind and not f["output_index"]]
        assert len(first) > 1
        assert "".join(first) == response.calls[0]["arguments"] == '{"id": "A 17", "urgent": true}'
        assert [item.kind for item in paper.conversation] == ["function_call"] * 2
        assert [call["name"] for call in response.calls] == ["get_order", "end_call"]

    run(scenario())


def test_outside_of_the_conversation_no_item_joins_it() -> None:
    async def scenario() -> None:
        paper = Paper()
        await Response(answer=Answer(WORDS)).run(paper)
        assert not any(kind.startswith("conversation.") for kind in paper.kinds())
        assert paper.conversation.items == []
        assert paper.sent[-1][2]["response"]["conversation_id"] is None

    run(scenario())


def test_at_the_limit_of_tokens_a_response_is_incomplete() -> None:
    async def scenario() -> None:
        paper = Paper()
        await Response(answer=Answer(WORDS), conversation_id=IN, most_tokens=4).run(paper)
        done = paper.sent[-1][2]["response"]
        assert (done["status"], done["status_details"]["reason"]) == (
            "incomplete",
            "max_output_tokens",
        )
        assert len(paper.deltas()) == 4

    run(scenario())
