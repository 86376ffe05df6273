import numpy as np
import pytest

from simulator.ai_resource import recordings
from simulator.audio import silence
from simulator.script import Utterance
from simulator.voice_live_recognition import Recognition

CLIPS = sorted(recordings().values(), key=lambda utterance: utterance.text)


def on_the_line(pcm: bytes, rate: int = 24000) -> bytes:
    return silence(420, rate) + pcm + silence(500, rate)


@pytest.mark.parametrize("rate", [8000, 16000, 24000])
def test_every_recording_is_known_by_its_samples(rate: int) -> None:
    ears = Recognition(CLIPS)
    for utterance in CLIPS:
        assert ears.words(on_the_line(utterance.pcm(rate), rate), rate) == utterance.text


def test_every_recording_is_known_on_a_noisy_quieter_line() -> None:
    ears, random = Recognition(CLIPS), np.random.default_rng(1)
    for utterance in CLIPS:
        samples = np.frombuffer(on_the_line(utterance.pcm(24000)), dtype="<i2")
        noisy = samples * 0.6 + random.normal(0, 60, len(samples))
        assert ears.words(noisy.astype("<i2").tobytes(), 24000) == utterance.text


def test_one_recording_is_not_taken_for_another() -> None:
    for utterance in CLIPS:
        others = Recognition(other for other in CLIPS if other is not utterance)
        assert others.words(on_the_line(utterance.pcm(24000)), 24000) is None


def test_a_murmur_is_known_by_its_samples() -> None:
    ears = Recognition([Utterance("Yes, please."), Utterance("No, thanks.")])
    assert ears.words(on_the_line(Utterance("No, thanks.").pcm(16000), 16000), 16000) == (
        "No, thanks."
    )
    assert ears.words(on_the_line(Utterance("Perhaps so.").pcm(16000), 16000), 16000) is None


def test_silence_says_nothing() -> None:
    assert Recognition(CLIPS).words(silence(1000, 24000), 24000) is None
    assert Recognition(CLIPS).words(b"", 24000) is None


def test_half_an_utterance_is_not_the_utterance() -> None:
    pcm = CLIPS[0].pcm(24000)
    assert Recognition(CLIPS).words(on_the_line(pcm[: len(pcm) // 8 * 2]), 24000) is None
