"""Who speaks when, by loudness alone."""

from simulator.audio import FRAME_MS, frame_bytes, placeholder
from simulator.ear import Ear

RATE = 16000
LOUD = placeholder("x", RATE).pcm[: frame_bytes(RATE)]


class Listener:
    """An ear with its clock."""

    def __init__(self) -> None:
        self.ear, self.now = Ear(), 0.0
        self.told: list[tuple[str, float]] = []

    def go(self, ms: float, frame: bytes | None = None) -> None:
        for _ in range(round(ms / FRAME_MS)):
            self.now += FRAME_MS
            self.told += self.ear.listen(self.now, frame)

    def turns(self) -> list[tuple[float, float, bool]]:
        return [(turn.started_ms, turn.ended_ms, turn.interrupted) for turn in self.ear.turns]


def test_a_short_pause_does_not_end_the_agents_turn_and_a_long_one_does() -> None:
    s = Listener()
    for loud_ms, quiet_ms in ((1000, 400), (1000, 600), (1000, 600)):
        s.go(loud_ms, LOUD)
        s.go(quiet_ms)
    assert s.turns() == [(0, 2400, False), (3000, 4000, False)]
    assert s.told == [("started", 0), ("ended", 2400), ("started", 3000), ("ended", 4000)]


def test_the_turn_that_goes_on_is_known_and_so_is_the_last_sound() -> None:
    s = Listener()
    known = []
    for ms, frame in ((100, None), (200, LOUD), (1000, None)):
        s.go(ms, frame)
        known.append((s.ear.turn is not None, s.ear.last_sound_ms))
    assert known == [(False, None), (True, 300), (False, 300)]


def test_soft_noise_is_nobody_speaking() -> None:
    s = Listener()
    s.go(1000, b"\x40\0" * (frame_bytes(RATE) // 2))
    assert s.turns() == []


def test_a_cut_ends_the_turn_there_and_what_was_said_before_it_opens_no_other() -> None:
    s = Listener()
    s.go(1000, LOUD)
    assert s.ear.cut(1005)
    s.go(20, LOUD)  # 5 ms of it were still to be heard
    s.go(200)
    assert s.turns() == [(0, 1005, True)]
    assert not s.ear.cut(1200)
    s.go(100, LOUD)
    assert len(s.turns()) == 2
