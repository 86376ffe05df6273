from typing import Any

import pytest

from media_worker.tools import (
    END_CALL,
    NOT_REACHED,
    TO_PERSON,
    Answer,
    Leave,
    PutThrough,
    ToolCalls,
    declared,
    offered,
)


def calls() -> ToolCalls:
    return ToolCalls(offered(person=True))


def names(tools: list[Any]) -> list[str]:
    return [tool["name"] for tool in tools]


@pytest.mark.parametrize("given", [None, "raw", 3, []])
def test_every_model_may_hang_up_and_reach_a_person_where_there_is_one(given: object) -> None:
    assert names(declared(offered(person=False), given)) == [END_CALL.name]
    assert names(declared(offered(person=True), given)) == [END_CALL.name, TO_PERSON.name]


def test_a_tool_in_the_owners_words_stays_as_it_is_and_is_not_declared_twice() -> None:
    own: dict[str, Any] = {"type": "function", "name": END_CALL.name, "description": "Ours."}
    other: dict[str, Any] = {"type": "mcp", "server_label": "x"}
    assert declared(offered(person=False), [own, other]) == [own, other]


def test_a_function_that_was_not_offered_is_refused_at_once() -> None:
    answer = ToolCalls(offered(person=False)).called("t", "c", TO_PERSON.name)
    assert answer is not None
    assert "error" in answer.output
    assert answer.react


def test_the_call_ends_after_the_words_of_the_turn_and_without_any_after_the_next() -> None:
    asked = calls()
    assert asked.called("t1", "c1", END_CALL.name) is None
    (use,) = asked.turn_ended("t1", interrupted=False, spoke=False)
    assert isinstance(use, Leave)
    assert not use.said
    assert use.answer.react
    asked.called("t2", "c2", END_CALL.name)
    (use,) = asked.turn_ended("t2", interrupted=False, spoke=True)
    assert use == Leave(Answer("c2", use.answer.output, react=False), said=True)  # type: ignore[union-attr]  # a Leave, says the comparison


def test_a_person_goes_before_an_end_and_every_call_is_answered_once() -> None:
    asked = calls()
    asked.called("t", "c1", END_CALL.name)
    asked.called("t", "c2", TO_PERSON.name)
    asked.called("t", "c3", TO_PERSON.name)
    through, *answers = asked.turn_ended("t", interrupted=False, spoke=True)
    assert through == PutThrough("c2")
    assert [answer.call for answer in answers if isinstance(answer, Answer)] == ["c1", "c3"]
    assert asked.turn_ended("t", interrupted=False, spoke=True) == []


def test_a_caller_who_interrupts_stays_with_the_agent() -> None:
    asked = calls()
    asked.called("t", "c1", TO_PERSON.name)
    asked.called("t", "c2", END_CALL.name)
    uses = asked.turn_ended("t", interrupted=True, spoke=True)
    assert [use.react for use in uses if isinstance(use, Answer)] == [False, False]


def test_a_person_who_is_not_reached_is_told_as_such() -> None:
    assert "cannot be reached" in NOT_REACHED
