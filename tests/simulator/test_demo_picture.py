from pathlib import Path

import pytest

from simulator.audio import placeholder, silence, write_wav
from simulator.demo_picture import draw, length_s


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Ten seconds: the agent speaks in the first half, the caller in the second."""
    speech = placeholder("x" * 80, 16000).pcm
    write_wav(tmp_path / "call.wav", silence(5000, 16000) + speech, speech, rate=16000)
    return tmp_path / "call.wav"


def halves(row: str) -> tuple[bool, bool]:
    bars = row[8:].ljust(70)
    return any(bar != " " for bar in bars[:34]), any(bar != " " for bar in bars[36:])


@pytest.mark.parametrize("plain", [True, False])
def test_the_picture_shows_who_spoke_when(recording: Path, plain: bool) -> None:
    caller, agent, _ = draw(recording, plain=plain)
    assert caller.startswith("caller")
    assert halves(caller) == (False, True)
    assert agent.startswith("agent")
    assert halves(agent) == (True, False)


def test_a_terminal_without_unicode_gets_ascii(recording: Path) -> None:
    assert "".join(draw(recording, plain=True)).isascii()


def test_the_axis_counts_the_seconds(recording: Path) -> None:
    axis = draw(recording)[-1]
    assert axis.split()[::2] == [str(second) for second in range(10)]
    assert axis.index("5 s") - 8 == pytest.approx(35, abs=1)


def test_two_calls_can_be_drawn_on_one_scale(recording: Path) -> None:
    caller, agent, axis = draw(recording, seconds=20.0)
    assert len(caller) <= 8 + 35
    assert agent[8:43].strip()
    assert "15 s" in axis or "14 s" in axis


def test_the_axis_stays_within_the_width(recording: Path) -> None:
    for seconds in (10.0, 14.01, 14.5, 14.99, 60.0):
        assert len(draw(recording, width=80, seconds=seconds)[-1]) <= 80


def test_a_call_that_nobody_answered_has_an_empty_picture(tmp_path: Path) -> None:
    write_wav(tmp_path / "call.wav", b"", b"", rate=16000)
    assert length_s(tmp_path / "call.wav") == 0
    rows = draw(tmp_path / "call.wav", plain=True)
    assert [row.rstrip() for row in rows[:2]] == ["caller|", "agent |"]
