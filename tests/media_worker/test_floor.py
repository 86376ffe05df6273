import itertools

import pytest

from media_worker.floor import TABLE, Action, Event, Floor, Holder


def test_the_table_knows_every_event_in_every_state() -> None:
    assert set(TABLE) == set(itertools.product(Holder, Event))


@pytest.mark.parametrize(("state", "outcome"), TABLE.items())
def test_the_table_keeps_the_rules(
    state: tuple[Holder, Event], outcome: tuple[Holder, Action]
) -> None:
    (holder, event), (after, action) = state, outcome
    # Audio is played exactly when its turn may be, and gives the agent the floor.
    assert (action is Action.PLAY) == (event is Event.FRESH_AUDIO)
    assert (action is Action.DROP) == (event is Event.STALE_AUDIO)
    if event is Event.FRESH_AUDIO:
        assert after is Holder.AGENT
    # Nothing stale moves the floor.
    if event in (Event.STALE_AUDIO, Event.STALE_TURN, Event.STALE_END):
        assert after is holder
    # Speech always gives the caller the floor, and stops just what there is to stop.
    if event is Event.SPEECH:
        assert after is Holder.CALLER
        assert (action is Action.BARGE_IN) == (holder is Holder.AGENT)
        assert (action is Action.FORESTALL) == (holder is Holder.WAITING)
    # The agent keeps the floor until all of it has been heard.
    if holder is Holder.AGENT and event not in (Event.SPEECH, Event.DRAINED):
        assert after is Holder.AGENT


def test_late_audio_of_an_interrupted_turn_is_dropped_and_the_next_turn_is_played() -> None:
    floor = Floor()
    floor.turn_started("a")
    assert floor.audio("a") is Action.PLAY
    assert floor.speech() == (Action.BARGE_IN, ["a"])
    assert floor.audio("a") is Action.DROP
    floor.turn_started("b")
    assert floor.audio("b") is Action.PLAY
    assert floor.audio("a") is Action.DROP


def test_an_interrupted_turn_that_never_ends_does_not_mute_the_agent() -> None:
    floor = Floor()
    floor.audio("a")
    floor.speech()
    assert not floor.busy
    assert floor.audio("b") is Action.PLAY


def test_the_tail_of_a_turn_that_the_service_has_finished_can_be_interrupted() -> None:
    floor = Floor()
    floor.audio("a")
    floor.turn_ended("a")
    assert floor.holder is Holder.AGENT
    assert floor.speech() == (Action.BARGE_IN, [])


def test_after_the_tail_was_heard_the_caller_interrupts_nobody() -> None:
    floor = Floor()
    floor.audio("a")
    floor.turn_ended("a")
    floor.drained()
    assert floor.speech() == (Action.NOTHING, [])


def test_a_pause_within_a_turn_does_not_give_the_floor_away() -> None:
    floor = Floor()
    floor.audio("a")
    floor.drained()
    assert floor.holder is Holder.AGENT


def test_a_turn_without_audio_yet_is_forestalled() -> None:
    floor = Floor()
    floor.turn_started("a")
    assert floor.speech() == (Action.FORESTALL, ["a"])
    assert floor.audio("a") is Action.DROP


def test_two_turns_in_a_row_are_interrupted_together() -> None:
    floor = Floor()
    floor.audio("a")
    floor.turn_ended("a")
    floor.turn_started("b")
    floor.audio("b")
    assert floor.speech() == (Action.BARGE_IN, ["b"])
    assert floor.is_stale("a")
    assert floor.is_stale("b")


def test_a_turn_of_tool_calls_only_gives_the_floor_back() -> None:
    floor = Floor()
    floor.turn_started("a")
    floor.turn_ended("a")
    assert floor.holder is Holder.CALLER


def test_a_turn_that_was_closed_is_heard_to_its_end_and_not_further() -> None:
    floor = Floor()
    floor.audio("a")
    floor.close("a")
    assert floor.audio("a") is Action.DROP
    assert floor.holder is Holder.AGENT
