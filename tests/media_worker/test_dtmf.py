from media_worker.dtmf import Digits
from media_worker.limits import DTMF_DIGITS, DTMF_GAP_S


def test_the_hash_key_completes_the_digits() -> None:
    digits = Digits()
    assert [digits.push(tone, 0.1 * n) for n, tone in enumerate("42*")] == [None, None, None]
    assert digits.push("#", 0.5) == "42*"
    assert digits.due_at is None


def test_a_pause_completes_the_digits() -> None:
    digits = Digits()
    digits.push("4", 0.0)
    digits.push("2", 1.0)
    assert digits.due_at == 1.0 + DTMF_GAP_S
    assert digits.due(1.0 + DTMF_GAP_S - 0.01) is None
    assert digits.due(1.0 + DTMF_GAP_S) == "42"
    assert digits.due(9.0) is None


def test_the_hash_key_alone_is_an_input() -> None:
    assert Digits().push("#", 0.0) == "#"


def test_a_key_held_for_ever_is_handed_on_in_parts() -> None:
    digits = Digits()
    taken = [digits.push("1", 0.1 * n) for n in range(DTMF_DIGITS)]
    assert taken[-1] == "1" * DTMF_DIGITS
    assert taken[:-1] == [None] * (DTMF_DIGITS - 1)
