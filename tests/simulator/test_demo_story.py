from typing import Any

from simulator.demo_story import Story, outcome


def told(*entries: dict[str, Any], says: str = "Hello, how can I help you?") -> list[str]:
    story = Story(width=80)
    return [line.text for entry in entries for line in story.tell(entry, says)]


def at(t_ms: float, event: str, **detail: Any) -> dict[str, Any]:
    return {"t_ms": t_ms, "event": event, **detail}


def test_a_turn_of_the_agent_tells_how_long_the_caller_waited() -> None:
    lines = told(
        at(1000, "caller_speech_started", text="Are you open?"),
        at(2000, "caller_speech_ended"),
        at(2750, "agent_speech_started"),
    )
    assert lines == [
        "   1.00 s  caller Are you open?",
        "   2.75 s  agent  Hello, how can I help you?  [750 ms]",
    ]


def test_the_greeting_answers_nobody() -> None:
    (line,) = told(at(300, "agent_speech_started"))
    assert "ms" not in line


def test_an_interruption_tells_when_the_agent_fell_silent_and_what_was_dropped() -> None:
    lines = told(
        at(300, "agent_speech_started"),
        at(1000, "caller_speech_started", text="Sorry!"),
        at(1090, "stop_audio", dropped_ms=2500.0),
        at(1090, "agent_speech_ended", interrupted=True),
    )
    assert "[interrupts]" in lines[1]
    assert "falls silent 90 ms later; 2.5 s" in lines[2]


def test_a_stop_that_dropped_nothing_is_not_told() -> None:
    assert told(at(1090, "stop_audio", dropped_ms=0)) == []


def test_long_words_stay_in_their_column() -> None:
    (text,) = told(at(300, "agent_speech_started"), says="word " * 40)
    first, *rest = text.split("\n")
    assert len(first) <= 80
    assert all(line.startswith(" " * 17) and len(line) <= 80 for line in rest)
    assert len(rest) >= 2


def test_what_is_not_for_people_is_left_out_and_a_fault_is_not() -> None:
    assert told(at(1, "callback", type="CallConnected", status=200), at(2, "brand_new")) == []
    assert told(at(5, "media_refused", status=401)) == ["   0.01 s         media refused"]


def turn(speaker: str, **more: Any) -> dict[str, Any]:
    usual = {"text": None, "heard_text": None, "interrupted": False, "reply_latency_ms": None}
    return {"speaker": speaker, **usual, **more}


def test_the_outcome_lists_the_times_of_reply_and_what_was_heard_of_a_broken_answer() -> None:
    report = {
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
    text = "\n".join(line.text for line in outcome(report))
    assert "812 ms   We are open from nine." in text
    assert "            We are\n" in text
    assert "Ended by the caller; end reason: caller_hung_up." in text
    assert "Not as scripted: step 2" in text
