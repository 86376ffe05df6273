from media_worker.bridges import AgentTurnEnded, AgentTurnStarted, BridgeEvent
from media_worker.bridges.realtime_speech.turns import Turns
from media_worker.limits import MEMORY_TURNS


def turns() -> tuple[Turns, list[BridgeEvent]]:
    events: list[BridgeEvent] = []
    return Turns("en-US", events.append), events


def test_a_turn_is_over_when_it_is_written_and_said_in_either_order() -> None:
    known, events = turns()
    first, second = known.begin("r1"), known.begin("r2")
    known.written(first, "completed", {"total_tokens": 3})
    assert events == [AgentTurnStarted("r1"), AgentTurnStarted("r2")]
    known.said(first)
    known.said(second)
    known.written(second, "incomplete", {})
    assert events[2:] == [
        AgentTurnEnded("r1", "completed", {"total_tokens": 3}),
        AgentTurnEnded("r2", "incomplete", {}),
    ]


def test_an_interrupted_turn_ends_as_cancelled_whatever_the_service_says() -> None:
    known, events = turns()
    turn = known.begin("r1")
    known.said(turn, interrupted=True)
    known.written(turn, "completed", {})
    assert events[-1] == AgentTurnEnded("r1", "cancelled", {})


def test_an_answer_is_to_come_until_it_is_said_or_cut_and_words_of_ours_are_none() -> None:
    known, _ = turns()
    known.begin("own-1", is_response=False)
    assert not known.any_to_come()
    first, second = known.begin("r1"), known.begin("r2")
    known.written(first, "completed", {})
    known.said(second, interrupted=True)
    assert known.any_to_come()
    known.said(first)
    assert not known.any_to_come()


def test_old_turns_are_forgotten() -> None:
    known, _ = turns()
    for number in range(MEMORY_TURNS + 1):
        known.begin(f"r{number}")
    assert known.get("r0") is None
    assert known.get("r1") is not None
