import json
from typing import Any

from media_worker.bridges.asks import Asks
from media_worker.limits import ASK_TRIES, ASKS_WAITING, TURN_FAILURES

BUSY = "conversation_already_has_active_response"


def sent(messages: list[bytes]) -> list[dict[str, Any]]:
    return [json.loads(message) for message in messages]


def test_one_request_is_sent_at_a_time() -> None:
    asks = Asks()
    asks.add(words="one")
    asks.add(words="two")
    assert "one" in str(sent(asks.next()))
    assert asks.next() == []
    asks.turn_started()
    assert "two" in str(sent(asks.next()))


def test_a_request_that_met_the_callers_own_turn_is_sent_again_after_it() -> None:
    asks = Asks()
    asks.add(before=[b'{"type":"conversation.item.create"}'])
    item, response = sent(asks.next())
    asks.turn_started()  # the caller's, as it turns out
    asks.error(response["event_id"], "", BUSY)
    (again,) = sent(asks.next())  # the item is there already
    assert item["type"] == "conversation.item.create"
    assert again["type"] == "response.create"


def test_where_exact_words_are_refused_the_model_is_asked_from_then_on() -> None:
    asks = Asks()
    asks.add(words="Welcome!")
    (exact,) = sent(asks.next())
    asks.error(exact["event_id"], "response.pre_generated_assistant_message", "invalid_value")
    order, respond = sent(asks.next())
    assert "Welcome!" in str(order)
    asks.turn_started()
    asks.add(words="Goodbye!")
    assert sent(asks.next())[0]["type"] == "conversation.item.create"
    assert "response" not in respond


def test_an_error_without_an_event_id_is_matched_by_what_it_is_about() -> None:
    asks = Asks()
    asks.add(words="Welcome!")
    asks.next()
    asks.error(None, "session.tools", "something_else")
    assert asks.next() == []
    asks.error(None, "response.pre_generated_assistant_message", "unknown_parameter")
    assert len(sent(asks.next())) == 2


def test_an_error_about_something_else_changes_nothing() -> None:
    asks = Asks()
    asks.add(words="Welcome!")
    asks.next()
    asks.error("other", "", "response_cancel_not_active")
    assert asks.next() == []
    asks.turn_started()
    asks.error(None, "response", "late")
    assert asks.next() == []


def test_a_turn_that_fails_before_a_word_is_asked_for_otherwise() -> None:
    asks = Asks()
    asks.add(words="Welcome!")
    asks.next()
    asks.turn_started()
    asks.turn_failed(spoke=False)
    assert len(sent(asks.next())) == 2


def test_somebody_elses_failed_turn_does_not_repeat_our_words() -> None:
    asks = Asks()
    asks.add(words="Welcome!")
    asks.next()
    asks.turn_started()
    asks.turn_started()
    assert asks.turn_failed(spoke=False)
    assert asks.next() == []


def test_turns_that_fail_in_a_row_are_given_up_and_one_that_goes_well_breaks_the_row() -> None:
    asks = Asks()
    for _ in range(TURN_FAILURES):
        asks.turn_started()
        assert asks.turn_failed(spoke=False)
        asks.next()
    asks.turn_completed()
    assert [asks.turn_failed(spoke=True) for _ in range(TURN_FAILURES + 1)] == [True, True, False]


def test_a_new_connection_is_asked_what_the_old_one_did_not_answer() -> None:
    asks = Asks()
    asks.add(words="Welcome!")
    asks.next()
    asks.dropped()
    assert "Welcome!" in str(sent(asks.next()))
    asks.turn_started()
    asks.dropped()
    assert asks.next() == []


def test_a_service_that_never_has_time_is_not_asked_for_ever() -> None:
    asks = Asks()
    asks.add(words="Welcome!")
    times = 0
    while message := asks.next():
        times += 1
        asks.error(sent(message)[0]["event_id"], "", BUSY)
    assert times == ASK_TRIES + 1


def test_requests_do_not_pile_up() -> None:
    asks = Asks()
    for number in range(ASKS_WAITING + 3):
        asks.add(words=str(number))
    assert len(asks) == ASKS_WAITING
