"""What the caller heard, to the sample."""

from hypothesis import given
from hypothesis import strategies as st

from simulator.playout import Heard, Playout, mixed

RATE = 24000


def _tone(samples: int, value: int = 1) -> bytes:
    return value.to_bytes(2, "little") * samples


def test_audio_that_comes_at_once_is_heard_one_piece_after_the_other() -> None:
    playout = Playout(RATE)
    playout.receive(_tone(2400, 1), 1.0)
    playout.receive(_tone(2400, 2), 1.01)
    assert playout.stretches(2.0) == [Heard(1.0, 1.2)]
    assert playout.heard(24000, 24000 + 4800) == _tone(2400, 1) + _tone(2400, 2)


def test_a_gap_between_two_pieces_is_silence_and_shows_as_two_stretches() -> None:
    playout = Playout(RATE)
    playout.receive(_tone(240), 0.0)
    playout.receive(_tone(240), 0.5)
    assert playout.stretches(1.0) == [Heard(0.0, 0.01), Heard(0.5, 0.51)]
    assert playout.heard(0, 480) == _tone(240) + bytes(480)
    assert playout.is_quiet(240, 12000)
    assert not playout.is_quiet(230, 250)


def test_the_delay_is_added_when_the_queue_was_empty_and_not_in_between() -> None:
    playout = Playout(RATE, delay_ms=200)
    playout.receive(_tone(24000), 0.0)
    playout.receive(_tone(24000), 0.9)
    assert playout.stretches(5.0) == [Heard(0.2, 2.2)]


def test_stopping_keeps_what_was_heard_and_drops_the_rest() -> None:
    playout = Playout(RATE)
    playout.receive(_tone(24000, 1), 0.0)
    playout.receive(_tone(24000, 2), 0.0)
    assert playout.stop(0.25) == 42000
    assert playout.stop(0.25) == 0
    playout.receive(_tone(2400, 3), 0.3)
    assert playout.heard_samples(9.0) == _tone(6000, 1) + _tone(2400, 3)
    assert len(playout.received) == 2 * (24000 + 24000 + 2400)


def test_stopping_before_a_delayed_piece_is_heard_drops_all_of_it() -> None:
    playout = Playout(RATE, delay_ms=100)
    playout.receive(_tone(240), 1.0)
    assert playout.stop(1.05) == 240
    assert playout.stretches(2.0) == []


@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 4000), st.booleans()), max_size=30),
    st.sampled_from([0, 60, 200]),
)
def test_any_order_of_pieces_and_stops_loses_nothing_but_what_is_told(
    steps: list[tuple[int, int, bool]], delay_ms: int
) -> None:
    playout, now, dropped = Playout(RATE, delay_ms=delay_ms), 0.0, 0
    for wait_ms, samples, stop in steps:
        now += wait_ms / 1000
        if stop:
            dropped += playout.stop(now)
        playout.receive(_tone(samples), now)
    end = playout.tail / RATE
    heard = playout.heard_samples(end)
    assert len(playout.received) == len(heard) + 2 * dropped
    whole = playout.heard(0, playout.tail)
    assert whole.count(1) == len(heard) // 2
    edges = [edge for one in playout.stretches(end) for edge in (one.start_s, one.end_s)]
    assert edges == sorted(edges)


def test_two_sounds_at_once_are_added_and_clipped() -> None:
    loud = (30000).to_bytes(2, "little", signed=True)
    assert mixed(loud, loud) == (32767).to_bytes(2, "little", signed=True)
    assert mixed(loud, bytes(2)) == loud


def test_each_stop_is_told_with_what_had_come_before_it() -> None:
    playout = Playout(RATE)
    playout.receive(_tone(2400), 0.0)
    playout.receive(_tone(2400), 0.0)
    playout.stop(0.05)
    playout.receive(_tone(2400), 0.05)
    playout.stop(1.0)
    assert playout.stops == [(2, 3600), (3, 0)]
