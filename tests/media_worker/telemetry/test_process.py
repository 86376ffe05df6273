import pytest

from media_worker.telemetry.process import Telemetry, code_of
from tests.media_worker.telemetry.collected import Collected


@pytest.mark.parametrize("code", ["http_401", "closed:1011", "session_refused:invalid.value-1"])
def test_a_code_is_told_as_it_is(code: str) -> None:
    assert code_of(code) == code


@pytest.mark.parametrize("text", ["", "My password is swordfish", "+1 555", "x" * 65, "öl"])
def test_a_text_that_is_no_code_is_not_repeated(text: str) -> None:
    assert code_of(text) == "other"


def test_what_is_not_known_yet_is_not_told() -> None:
    seen = Collected()
    assert seen.numbers("switchboard.calls.live") == seen.numbers("switchboard.queue.depth") == {}
    seen.telemetry.live_calls = lambda: 3
    seen.telemetry.queue_depth = 4
    assert seen.numbers("switchboard.calls.live") == {(): 3}
    assert seen.numbers("switchboard.queue.depth") == {(): 4}


def test_without_a_destination_telling_is_free_of_effect() -> None:
    nobody = Telemetry()
    nobody.lagged(3.0)
    assert not nobody.tells
    assert not nobody.tracer.start_span("call").is_recording()
