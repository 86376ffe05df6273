from pathlib import Path

import pytest

from simulator.audio import placeholder, silence, write_wav
from simulator.demo_picture import draw


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
