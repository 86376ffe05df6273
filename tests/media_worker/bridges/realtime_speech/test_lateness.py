import pytest

from media_worker.bridges.realtime_speech.lateness import (
    AskAgain,
    Excuse,
    GiveUp,
    Lateness,
    Remedy,
)
from media_worker.limits import ANSWER_LATEST_S, ANSWER_STALLED_S, WAITING_S

TICK_S = 0.25


def told(
    lateness: Lateness, seconds: float, *, playing: bool = False, answering: bool = False
) -> list[tuple[float, Remedy]]:
    """What is to be done while the caller waits so long, and when."""
    found: list[tuple[float, Remedy]] = []
    for tick in range(1, round(seconds / TICK_S) + 1):
        remedies = lateness.passed(TICK_S, waits=True, playing=playing, answering=answering)
        found += [(tick * TICK_S, remedy) for remedy in remedies]
    return found


def test_a_wait_is_excused_the_answer_asked_for_again_and_at_last_given_up() -> None:
    assert told(Lateness(2), ANSWER_LATEST_S) == [
        (WAITING_S, Excuse(0)),
        (WAITING_S, AskAgain()),
        (2 * WAITING_S, Excuse(1)),
        (ANSWER_LATEST_S, GiveUp()),
    ]


def test_a_model_that_is_at_an_answer_gets_longer_before_it_is_asked_again() -> None:
    found = told(Lateness(0), ANSWER_STALLED_S, answering=True)
    assert found == [(ANSWER_STALLED_S, AskAgain())]


def test_a_phrase_counts_as_waiting_but_the_next_one_waits_for_its_end() -> None:
    lateness = Lateness(2)
    assert told(lateness, WAITING_S)[0] == (WAITING_S, Excuse(0))
    assert told(lateness, 1.5, playing=True) == []
    assert told(lateness, WAITING_S) == [(WAITING_S, Excuse(1))]
    assert told(lateness, ANSWER_LATEST_S - 2 * WAITING_S - 1.5)[-1][1] == GiveUp()


def test_while_an_earlier_sentence_is_heard_nobody_waits() -> None:
    assert told(Lateness(1), 20.0, playing=True) == []


@pytest.mark.parametrize("waited_s", [1.0, WAITING_S + 1])
def test_an_answer_ends_the_wait_and_the_next_one_begins_anew(waited_s: float) -> None:
    lateness = Lateness(1)
    told(lateness, waited_s)
    assert lateness.passed(TICK_S, waits=False, playing=True, answering=True) == []
    assert told(lateness, WAITING_S)[0] == (WAITING_S, Excuse(0))
