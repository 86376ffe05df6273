from hypothesis import given
from hypothesis import strategies as st

from media_worker.playout import Cut, Playout

RATE = 24000


def test_audio_sent_ahead_is_heard_at_the_speed_of_its_samples() -> None:
    playout = Playout(RATE)
    playout.sent("a", RATE * 3, 10.0)
    assert [playout.heard_ms("a", 10.0 + s) for s in (0.0, 0.5, 3.0, 9.0)] == [0, 500, 3000, 3000]
    assert playout.ends_at == 13.0
    assert playout.ahead_s(10.5) == 2.5


def test_the_delay_counts_once_and_again_after_a_gap() -> None:
    playout = Playout(RATE, delay_s=0.2)
    playout.sent("a", RATE, 0.0)
    playout.sent("a", RATE, 0.1)
    assert playout.heard_ms("a", 1.0) == 800
    assert playout.ends_at == 2.2
    playout.sent("a", RATE, 5.0)
    assert playout.heard_ms("a", 5.7) == 2500


def test_silence_between_two_pieces_of_a_turn_is_not_counted_as_heard() -> None:
    playout = Playout(RATE)
    playout.sent("a", RATE, 0.0)
    playout.sent("a", RATE, 4.0)
    assert playout.heard_ms("a", 3.9) == 1000
    assert playout.heard_ms("a", 4.5) == 1500


def test_stopping_tells_what_was_heard_of_each_turn_and_empties_the_queue() -> None:
    playout = Playout(RATE)
    playout.sent("a", RATE, 0.0)
    playout.sent("b", RATE * 2, 0.1)
    assert playout.stop(0.25) == [Cut("a", 250, 1000), Cut("b", 0, 2000)]
    assert playout.ends_at == 0.25
    assert playout.stop(0.3) == []
    playout.sent("c", RATE, 0.5)
    assert playout.heard_ms("c", 1.0) == 500


def test_a_turn_heard_to_its_end_is_not_cut() -> None:
    playout = Playout(RATE)
    playout.sent("a", RATE, 0.0)
    playout.sent("b", RATE, 0.5)
    assert playout.stop(1.5) == [Cut("b", 500, 1000)]


def test_turns_that_alternate_are_each_heard_in_their_place() -> None:
    playout = Playout(RATE)
    for turn in ("a", "b", "a"):
        playout.sent(turn, RATE, 0.0)
    assert playout.heard_ms("a", 1.5) == 1000
    assert playout.heard_ms("b", 1.5) == 500
    assert playout.heard_ms("a", 2.5) == 1500


@given(
    st.lists(
        st.tuples(st.integers(0, 2000), st.integers(1, 48_000), st.sampled_from("abc")),
        max_size=30,
    ),
    st.integers(0, 200),
    st.integers(0, 60_000),
)
def test_the_clock_agrees_with_a_queue_played_sample_by_sample(
    sends: list[tuple[int, int, str]], delay_ms: int, stop_ms: int
) -> None:
    playout = Playout(RATE, delay_ms / 1000)
    free_at, now_ms = 0, 0  # in samples; the oracle's own arithmetic is whole numbers only
    played: dict[str, list[tuple[int, int]]] = {}
    for pause_ms, samples, turn in sends:
        now_ms += pause_ms
        playout.sent(turn, samples, now_ms / 1000)
        start = max(free_at, (now_ms + delay_ms) * RATE // 1000)
        free_at = start + samples
        played.setdefault(turn, []).append((start, samples))
    at_ms = max(now_ms, stop_ms)
    at = at_ms * RATE // 1000
    for turn, pieces in played.items():
        heard = sum(min(samples, max(0, at - start)) for start, samples in pieces)
        assert abs(playout.heard_ms(turn, at_ms / 1000) - heard * 1000 / RATE) <= 1
        assert playout.heard_ms(turn, at_ms / 1000) <= playout.sent_ms(turn)
