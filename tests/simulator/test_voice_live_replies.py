from typing import Any

import pytest

from simulator.script import AgentScript, Reply, ToolCall, Utterance
from simulator.voice_live_conversation import Conversation
from simulator.voice_live_replies import Answer, Replies, plain

END_CALL = ({"type": "function", "name": "end_call"},)


def talk(*items: dict[str, Any]) -> Conversation:
    conversation = Conversation()
    for number, item in enumerate(items):
        conversation.create(item, None, new_id=f"item_{number}")
    return conversation


def typed(text: str, role: str = "user") -> dict[str, Any]:
    return {"type": "message", "role": role, "content": [{"type": "input_text", "text": text}]}


def answer(
    replies: Replies, said: str | None = None, *items: dict[str, Any], **request: Any
) -> Answer:
    return replies.answer(talk(*items), request, END_CALL, said)


def scripted(*replies: Reply) -> Replies:
    return Replies(AgentScript(replies, {}), {})


def test_without_a_script_the_agent_repeats_and_takes_its_leave() -> None:
    replies = Replies(None, {})
    assert answer(replies, "two bicycles").utterance.text == "You said: two bicycles"
    assert answer(replies, "").utterance.text == "I did not catch that."
    farewell = answer(replies, "Thank you, goodbye!")
    assert [call.name for call in farewell.calls] == ["end_call"]
    assert replies.answer(talk(), {}, (), "goodbye").calls == ()


def test_replies_that_name_words_go_before_those_that_answer_anything() -> None:
    replies = scripted(
        Reply(Utterance("first")),
        Reply(Utterance("hours"), to="open"),
        Reply(Utterance("second")),
    )
    said = [
        answer(replies, words).utterance.text
        for words in ("When are you OPEN?", "So?", "open again?", "And?", "More?")
    ]
    assert said == ["hours", "first", "hours", "second", "You said: More?"]


def test_a_tool_is_called_only_if_the_session_has_it() -> None:
    leave = Reply(Utterance("Bye."), calls=(ToolCall("end_call", {}), ToolCall("undeclared", {})))
    assert [call.name for call in answer(scripted(leave), "x").calls] == ["end_call"]


def test_a_reply_to_a_tool_does_not_answer_the_caller() -> None:
    replies = scripted(Reply(Utterance("found"), after="look_up"))
    call = {"type": "function_call", "name": "look_up", "call_id": "call_1", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "call_1", "output": "7"}
    assert answer(replies, "hello").utterance.text == "You said: hello"
    assert answer(replies, None, call, output).utterance.text == "found"
    assert answer(replies, None, call, output).utterance.text == "The answer is: 7"


@pytest.mark.parametrize(
    ("items", "request_fields"),
    [
        ((typed('Say to the caller: "Are you there?"', "system"),), {}),
        ((), {"instructions": "Say exactly “Are you there?” and nothing else."}),
    ],
)
def test_the_agent_obeys_an_order_to_say_something(
    items: tuple[dict[str, Any], ...], request_fields: dict[str, Any]
) -> None:
    replies = scripted(Reply(Utterance("no")))
    assert answer(replies, None, *items, **request_fields).utterance.text == "Are you there?"


def test_a_script_tells_what_would_have_been_heard_of_an_unknown_sound() -> None:
    replies = scripted(
        Reply(Utterance("a"), caller="First question"),
        Reply(Utterance("b"), caller="Second question"),
    )
    assert replies.heard("known words") == "known words"
    assert replies.heard(None) == "First question"
    answer(replies, "First question")
    assert replies.heard(None) == "Second question"


def test_words_are_spoken_with_their_recording_however_they_are_punctuated() -> None:
    recorded = Utterance("Thank you for calling. Goodbye.")
    replies = Replies(None, {plain(recorded.text): recorded})
    assert answer(replies, "goodbye").utterance is recorded
    assert plain("Thank you -- for calling! GOODBYE") == plain(recorded.text)
