import math
from typing import Any

import pytest

from simulator.demo_story import InOrder, Line, Margin, Story, last_said, outcome

MARGIN = Margin("bakery", 1, 9)


def lines(*entries: dict[str, Any], says: str | None = "Hello, how can I help you?") -> list[Line]:
    story = Story(MARGIN, width=80)
    return [line for entry in entries for line in story.tell(entry, says)]


def told(*entries: dict[str, Any], says: str | None = "Hello, how can I help you?") -> list[str]:
    return [line.text for line in lines(*entries, says=says)]


def at(t_ms: float, event: str, **detail: Any) -> dict[str, Any]:
    return {"t_ms": t_ms, "event": event, **detail}


def test_a_turn_of_the_agent_tells_how_long_the_caller_waited() -> None:
    assert told(
        at(1000, "caller_speech_started", text="Are you open?"),
        at(2000, "caller_speech_ended"),
        at(2750, "agent_speech_started"),
    ) == [
        "bakery    │  1.00 s caller Are you open?",
        "bakery    │  2.75 s agent  Hello, how can I help you?  [750 ms]",
    ]


def test_the_greeting_answers_nobody() -> None:
    (line,) = told(at(300, "agent_speech_started"))
    assert "ms" not in line


def test_an_agent_whose_words_nobody_knows_is_seen_to_speak() -> None:
    (line,) = told(at(300, "agent_speech_started"), says=None)
    assert line.endswith("agent  (speaks)")


def test_an_interruption_tells_when_the_agent_fell_silent_and_what_was_dropped() -> None:
    shown = told(
        at(300, "agent_speech_started"),
        at(1000, "caller_speech_started", text="Sorry!"),
        at(1090, "stop_audio", dropped_ms=2500.0),
        at(1090, "agent_speech_ended", interrupted=True),
    )
    assert "[interrupts]" in shown[1]
    assert shown[2].endswith("the agent falls silent 90 ms later; 2.5 s never heard")


def test_a_stop_that_dropped_nothing_is_not_told() -> None:
    assert told(at(1090, "stop_audio", dropped_ms=0)) == []


def test_long_words_stay_in_their_column_and_every_line_names_its_call() -> None:
    first, *rest = lines(at(300, "agent_speech_started"), says="word " * 40)
    assert len(rest) >= 2
    column = first.text.index("word")
    assert all(row.text.index("word") == column for row in rest)
    for row in (first, *rest):
        assert len(row.text) <= 80
        assert row.text.startswith("bakery    │ ")
        assert (row.tone, row.call) == ("agent", 1)


def test_what_is_not_for_people_is_left_out_and_a_fault_is_not() -> None:
    assert told(at(1, "callback", type="CallConnected", status=200), at(2, "brand_new")) == []
    (fault,) = lines(at(10, "media_refused", status=401))
    assert fault == Line("bakery    │  0.01 s        media refused", "bad", 1)


def test_two_calls_are_told_in_the_order_of_their_times_whichever_tells_first() -> None:
    order = InOrder()
    order.put(200, [Line("second"), Line("and its rest")])
    order.put(300, [Line("third")])
    order.put(100, [Line("first")])
    assert [line.text for line in order.take(250)] == ["first", "second", "and its rest"]
    order.put(300, [Line("fourth")])
    assert order.take(299) == []
    assert [line.text for line in order.take(math.inf)] == ["third", "fourth"]


@pytest.mark.parametrize(
    ("items", "responses", "said"),
    [
        ([], [], None),
        ([("assistant", "Hello.")], [], "Hello."),  # a greeting that another service speaks
        ([("assistant", "Hello."), ("user", "Hi."), ("assistant", "")], ["We have"], "We have"),
        (
            [("assistant", "Hello."), ("assistant", "We have rye.")],
            ["We have rye."],
            "We have rye.",
        ),
        ([("user", "Hi.")], [""], None),
    ],
)
def test_the_words_of_a_turn_are_those_that_the_service_has_so_far(
    items: list[tuple[str, str]], responses: list[str], said: str | None
) -> None:
    session = {
        "items": [{"kind": kind, "text": text} for kind, text in items],
        "responses": [{"text": text} for text in responses],
    }
    assert last_said(session) == said


def turn(speaker: str, **more: Any) -> dict[str, Any]:
    usual = {"text": None, "heard_text": None, "interrupted": False, "reply_latency_ms": None}
    return {"speaker": speaker, **usual, **more}


def test_the_outcome_lists_the_times_of_reply_and_what_was_heard_of_a_broken_answer() -> None:
    report = {
        "to": "+15550100003",
        "bridge": "realtime_speech",
        "turns": [
            turn("caller", text="Are you open?"),
            turn(
                "agent",
                text="We are open from nine.",
                heard_text="We are",
                interrupted=True,
                reply_latency_ms=812.4,
            ),
        ],
        "ended_by": "caller",
        "end_reason": "caller_hung_up",
        "faults": ["step 2: the agent did not speak"],
    }
    assert [line.text for line in outcome(report, MARGIN)] == [
        "bakery, +15550100003 over realtime_speech: ended by the caller, end reason caller_hung_up",
        "   812 ms  We are open from nine.",
        "           interrupted; the agent knows that this was heard: We are",
        "bakery: not as scripted: step 2: the agent did not speak",
    ]


def test_an_outcome_fits_in_its_width_however_much_was_said() -> None:
    long = turn("agent", text="word " * 40, heard_text="word " * 40, interrupted=True)
    long["reply_latency_ms"] = 800.0
    report = {
        "to": "+15550100003",
        "bridge": None,
        "turns": [long],
        "ended_by": "agent",
        "end_reason": "agent_ended",
        "faults": [],
    }
    assert all(len(line.text) <= 72 for line in outcome(report, MARGIN, 72))
