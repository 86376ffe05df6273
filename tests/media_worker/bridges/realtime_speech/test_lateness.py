import pytest

from media_worker.bridges.realtime_speech.lateness import (
    AskAgain,
    Debt,
    Excuse,
    GiveUp,
    Lateness,
    Remedy,
)
from media_worker.limits import ANSWER_AGAIN_S, ANSWER_LATEST_S, ANSWER_STALLED_S, WAITING_S

TICK_S = 0.25


def told(
    lateness: Lateness,
    seconds: float,
    *,
    playing: bool = False,
    answering: bool = False,
    failed: bool = False,
) -> list[tuple[float, Remedy]]:
    """What is to be done while the caller waits so long, and when."""
    found: list[tuple[float, Remedy]] = []
    for tick in range(1, round(seconds / TICK_S) + 1):
        remedies = lateness.passed(
            TICK_S, waits=True, playing=playing, answering=answering, failed=failed
        )
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
    answered = {"waits": False, "playing": True, "answering": True, "failed": False}
    assert lateness.passed(TICK_S, **answered) == []
    assert told(lateness, WAITING_S)[0] == (WAITING_S, Excuse(0))


def test_an_answer_that_failed_is_asked_for_again_after_a_moment_and_then_again() -> None:
    found = told(Lateness(0), 2 * ANSWER_AGAIN_S, failed=True)
    assert found == [(ANSWER_AGAIN_S, AskAgain()), (2 * ANSWER_AGAIN_S, AskAgain())]


def test_words_are_owed_to_a_caller_who_has_spoken_until_something_is_heard() -> None:
    debt = Debt(owed=False)
    debt.caller_ended()
    assert not debt.comes_to_nothing("completed", spoke=True)
    owed_before_the_sound = debt.owed
    debt.heard()
    assert (owed_before_the_sound, debt.owed) == (True, False)


@pytest.mark.parametrize(
    ("insists", "status", "spoke", "nothing"),
    [
        (False, "failed", False, True),
        (False, "failed", True, True),  # half an answer
        (False, "completed", False, False),  # on purpose
        (True, "completed", False, True),
        (True, "completed", True, False),
        (True, "cancelled", False, False),
    ],
)
def test_an_answer_without_words_is_none_to_a_caller_whose_model_had_to_be_asked(
    insists: bool, status: str, spoke: bool, nothing: bool
) -> None:
    debt = Debt(owed=True)
    if insists:
        debt.insist()
    assert debt.comes_to_nothing(status, spoke=spoke) is nothing
    debt.caller_began()
    assert not debt.failed


def test_a_function_call_is_an_answer() -> None:
    debt = Debt(owed=True)
    debt.insist()
    debt.called()
    assert not debt.comes_to_nothing("completed", spoke=False)
    assert not debt.owed
