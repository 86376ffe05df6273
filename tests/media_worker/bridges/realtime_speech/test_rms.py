import numpy as np
import pytest

from media_worker.bridges import SpeechStarted, SpeechStopped
from media_worker.bridges.realtime_speech.rms import SILENCE_DBFS, RmsDetector, RmsSettings, dbfs
from switchboard.speech_voice import BargeIn
from tests.media_worker.onsets import (
    NOISES,
    RATE,
    Samples,
    agent_speech,
    at_level,
    echo_of,
    events,
    false_trips,
    onsets,
    onsets_in_noise,
    starts,
)

DELIVERED = RmsSettings()


def test_what_is_measured_here_is_what_an_agent_gets_that_says_nothing_else() -> None:
    given = BargeIn()
    assert (
        RmsSettings(
            threshold_dbfs=given.threshold_dbfs,
            minimum_speech_ms=given.minimum_speech_ms,
            hang_over_ms=given.hang_over_ms,
            adaptive=given.adaptive_noise_floor,
        )
        == DELIVERED
    )


def tone(level_dbfs: float, ms: float, hertz: float = 440, rate: int = RATE) -> Samples:
    at = np.arange(int(ms * rate / 1000)) / rate
    return 32768 * 2**0.5 * 10 ** (level_dbfs / 20) * np.sin(2 * np.pi * hertz * at)


def silence(ms: int) -> Samples:
    return np.zeros(ms * RATE // 1000)


def pcm(samples: Samples) -> bytes:
    return samples.astype("<i2").tobytes()


def test_a_caller_who_begins_to_speak_is_heard_within_200_ms_at_10_db_above_the_noise() -> None:
    all_heard = [onsets_in_noise(noise, DELIVERED) for noise in NOISES]
    count = sum(heard.onsets for heard in all_heard)
    assert count >= 200
    assert sum(heard.missed for heard in all_heard) <= 0.02 * count
    assert all(heard.percentile(95) <= 200 for heard in all_heard)


@pytest.mark.parametrize("noise", ["white", "pink", "hum"])
def test_steady_noise_is_not_taken_for_speech(noise: str) -> None:
    assert false_trips(noise, DELIVERED, segments=50) <= 1


@pytest.mark.parametrize("loss_db", [0, 6, 12, 25])
@pytest.mark.parametrize("delay_ms", [20, 150, 350])
def test_the_agents_own_voice_on_the_line_is_not_taken_for_the_caller(
    loss_db: float, delay_ms: int
) -> None:
    agent = agent_speech()
    assert starts(DELIVERED, echo_of(agent, loss_db, delay_ms), agent) == []
    assert starts(DELIVERED, echo_of(agent, 0, delay_ms)) != []


@pytest.mark.parametrize("loss_db", [20, 30, 90])
def test_a_caller_is_heard_over_the_agent_and_its_echo(loss_db: float) -> None:
    agent = agent_speech()
    line = echo_of(agent, loss_db, 150)
    delays = []
    for number, speech in enumerate(onsets()):
        both = line[: len(speech) + (4 + number % 3) * RATE].copy()
        at = len(both) - len(speech)
        both[at:] += at_level(speech, -24, speech=True)
        told = starts(DELIVERED, both, agent)
        assert all(ms > at * 1000 // RATE for ms in told)
        delays.append(told[0] - at * 1000 // RATE if told else 9999)
    assert np.percentile(delays, 95) <= 200
    assert sum(delay == 9999 for delay in delays) <= 0.02 * len(delays)


def test_at_first_the_caller_must_be_louder_than_the_agent() -> None:
    agent = tone(-20, 400)
    assert starts(DELIVERED, tone(-19, 400), agent) == []
    assert starts(DELIVERED, tone(-16, 400), agent) != []
    assert starts(RmsSettings(margin_db=0.5), tone(-19, 400), agent) != []


def test_speech_starts_once_and_stops_after_the_hang_over() -> None:
    line = np.concatenate([silence(500), tone(-20, 600), silence(200), tone(-20, 300)])
    line = np.concatenate([line, silence(600)])
    (began, start), (ended, stop) = events(RmsDetector(DELIVERED, RATE), line)
    assert isinstance(start, SpeechStarted)
    assert isinstance(stop, SpeechStopped)
    assert began - start.ago_ms == pytest.approx(500, abs=30)
    assert ended - stop.ago_ms == pytest.approx(1600, abs=30)
    assert ended == pytest.approx(1900, abs=40)


def test_a_longer_hang_over_bridges_longer_gaps() -> None:
    line = np.concatenate([tone(-20, 300), silence(400), tone(-20, 300), silence(600)])
    assert len(starts(DELIVERED, line)) == 2
    assert len(starts(RmsSettings(hang_over_ms=500), line)) == 1


def test_the_threshold_parts_speech_from_what_is_softer() -> None:
    for level in (-34.0, -29.0):
        heard = starts(DELIVERED, tone(level, 500)) != []
        assert heard == (level > DELIVERED.threshold_dbfs)
    assert starts(RmsSettings(threshold_dbfs=-40), tone(-34, 500)) != []


def test_a_click_is_no_speech_however_loud_and_a_longer_minimum_asks_for_more() -> None:
    knock = np.concatenate([silence(300), tone(-6, 5, 1500), silence(300)])
    assert starts(DELIVERED, knock) == []
    word = np.concatenate([silence(300), tone(-28, 100), silence(300)])
    assert starts(DELIVERED, word) != []
    assert starts(RmsSettings(minimum_speech_ms=240), word) == []


def test_mains_hum_and_a_direct_current_offset_are_not_heard() -> None:
    assert starts(DELIVERED, tone(-12, 1000, hertz=50)) == []
    assert starts(DELIVERED, np.full(RATE, 20000.0)) == []


def test_an_adaptive_threshold_rises_with_the_noise_and_never_falls_below_its_setting() -> None:
    adaptive = RmsSettings(adaptive=True)
    rng = np.random.default_rng(1)
    loud = at_level(NOISES["pink"](rng, 8 * RATE), -24, speech=False)
    quiet = at_level(NOISES["pink"](rng, 8 * RATE), -60, speech=False)
    assert len(starts(adaptive, np.concatenate([quiet, loud]))) <= 1  # while the noise is news
    calm = np.concatenate([quiet, tone(-34, 500)])
    assert starts(adaptive, calm) == []
    heard = np.concatenate([loud, loud + at_level(np.resize(tone(-20, 500), len(loud)), -12,
                                                  speech=False)])  # fmt: skip
    assert any(ms > 8000 for ms in starts(adaptive, heard))


@pytest.mark.parametrize("rate", [16000, 24000])
def test_any_chunking_of_the_audio_gives_the_same_answers(rate: int) -> None:
    line = np.concatenate([np.zeros(rate // 2), tone(-20, 300, rate=rate), np.zeros(rate)])
    data = pcm(line)
    answers = []
    for step in (2, 3, 640, 4800):
        detector = RmsDetector(DELIVERED, rate)
        told = [detector.push(data[at : at + step]) for at in range(0, len(data), step)]
        answers.append([type(event).__name__ for event in told if event is not None])
    assert answers == [["SpeechStarted", "SpeechStopped"]] * 4


def test_levels_are_those_of_the_definition() -> None:
    square = np.where(tone(-1, 100) > 0, 32767.0, -32768.0)
    assert dbfs(pcm(square)) == pytest.approx(0, abs=0.01)
    assert dbfs(pcm(tone(-26, 100))) == pytest.approx(-26, abs=0.1)
    assert dbfs(pcm(silence(20))) == dbfs(b"") == SILENCE_DBFS
