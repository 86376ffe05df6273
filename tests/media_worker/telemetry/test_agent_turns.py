from collections.abc import Iterator
from contextlib import contextmanager

from media_worker.limits import MEMORY_TURNS
from media_worker.telemetry.agent_turns import AgentTurns
from tests.media_worker.telemetry.collected import Collected


class Clock:
    """A clock that tests set; 1 s is 1 ns on its wall."""

    def __init__(self) -> None:
        self.s = 0.0

    def now(self) -> float:
        return self.s


@contextmanager
def turns() -> Iterator[tuple[AgentTurns, Clock, Collected]]:
    seen, clock = Collected(), Clock()
    tracer = seen.telemetry.tracer
    begun = AgentTurns(lambda: tracer.start_span("turn", start_time=int(clock.s)), clock.now, int)
    yield begun, clock, seen


def ends(seen: Collected) -> list[int | None]:
    return [span.end_time for span in seen.spans()]


def test_a_turn_ends_when_it_has_been_heard_not_when_it_was_made() -> None:
    with turns() as (told, clock, seen):
        told.started("t1")
        told.began("t1", 1, None)
        clock.s = 2
        told.ends("t1", 9)
        told.made("t1", "completed", {})
        assert not seen.spans()
        clock.s = 12
        told.started("t2")
        assert ends(seen) == [9]


def test_a_turn_that_is_cut_ends_there_whether_or_not_it_was_all_made() -> None:
    for made_first in (True, False):
        with turns() as (told, clock, seen):
            told.started("t1")
            told.began("t1", 1, 412.345)
            if made_first:
                told.ends("t1", 9)
                told.made("t1", "completed", {})
            clock.s = 4
            told.cut("t1", 4, 2750)
            clock.s = 5
            if not made_first:
                told.made("t1", "cancelled", {})
            (span,) = seen.spans()
            assert span.end_time == 4
            assert span.attributes == {
                "switchboard.turn.interrupted": True,
                "switchboard.turn.heard_ms": 2750,
                "switchboard.turn.reply_ms": 412.3,
                "switchboard.turn.status": "completed" if made_first else "cancelled",
            }


def test_a_cut_after_the_last_word_was_heard_changes_nothing() -> None:
    with turns() as (told, clock, seen):
        told.started("t1")
        told.made("t1", "completed", {"input_tokens": 7, "output_tokens": 9, "total_tokens": 16})
        clock.s = 3
        told.cut("t1", 3, 100)
        (span,) = seen.spans()
        assert span.attributes == {
            "switchboard.turn.interrupted": False,
            "switchboard.turn.status": "completed",
            "gen_ai.usage.input_tokens": 7,
            "gen_ai.usage.output_tokens": 9,
        }


def test_a_turn_that_was_cut_and_is_reported_done_again_is_one_turn() -> None:
    with turns() as (told, clock, seen):
        told.started("t1")
        told.began("t1", 1, None)
        told.ends("t1", 9)
        told.made("t1", "completed", {})
        clock.s = 4
        told.cut("t1", 4, 3000)
        told.made("t1", "cancelled", {})
        told.ends("t1", 9)
        (span,) = seen.spans()
        assert (span.attributes or {})["switchboard.turn.status"] == "completed"


def test_turns_that_are_never_done_end_with_the_call_and_are_not_kept_without_bound() -> None:
    with turns() as (told, clock, seen):
        for number in range(MEMORY_TURNS + 3):
            told.started(str(number))
        assert len(seen.spans()) == 3
        clock.s = 8
        told.close()
        assert ends(seen).count(8) == MEMORY_TURNS
