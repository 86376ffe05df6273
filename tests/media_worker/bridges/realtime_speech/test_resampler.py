"""The live resampler against tones, against soxr working on the whole recording at once, and, where
it can be imported, against PESQ."""

import math
import wave
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soxr  # type: ignore[import-untyped]  # ships no types
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from media_worker.bridges.realtime_speech.resampler import Resampler

Samples = NDArray[np.float64]
SPEECH = sorted((Path(__file__).parents[4] / "simulator" / "speech").glob("*.wav"))
AMPLITUDE = 16000.0
WAYS = [(16000, 24000), (24000, 16000)]


def tone(hertz: float, rate: int, seconds: float = 0.5) -> Samples:
    return AMPLITUDE * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)


def pcm(samples: Samples) -> bytes:
    return np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes()


def resampled(samples: Samples, source: int, target: int, chunk_ms: int = 20) -> Samples:
    resampler, data = Resampler(source, target), pcm(samples)
    step = source * chunk_ms // 1000 * 2
    out = b"".join(resampler.push(data[at : at + step]) for at in range(0, len(data), step))
    return np.frombuffer(out, "<i2").astype(np.float64)


def settled(samples: Samples) -> Samples:
    return samples[500:-500]


def tone_and_rest(samples: Samples, hertz: float, rate: int) -> tuple[Samples, Samples]:
    """The part of the signal that is this tone, and all else."""
    phase = 2 * np.pi * hertz * np.arange(len(samples)) / rate
    basis = np.stack([np.sin(phase), np.cos(phase)], axis=1)
    found = basis @ np.linalg.lstsq(basis, samples)[0]
    return found, samples - found


def decibels(part: Samples, whole: Samples) -> float:
    power = [float(np.mean(samples**2)) + 1e-9 for samples in (part, whole)]
    return 10 * math.log10(power[0] / power[1])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("hertz", [300, 1000, 3000, 3400, 6000])
def test_a_tone_stays_clean_and_keeps_its_level(way: tuple[int, int], hertz: float) -> None:
    source, target = way
    out = settled(resampled(tone(hertz, source), source, target))
    found, rest = tone_and_rest(out, hertz, target)
    assert decibels(found, rest) >= 70
    assert abs(decibels(found, tone(hertz, target))) <= 0.05


@pytest.mark.parametrize("hertz", [9000, 9500, 10000, 11000, 11900])
def test_what_the_lower_rate_cannot_hold_does_not_come_back_as_something_else(
    hertz: float,
) -> None:
    out = settled(resampled(tone(hertz, 24000), 24000, 16000))
    assert decibels(out, tone(hertz, 24000)) <= -70


@pytest.mark.parametrize("hertz", [1000, 3000, 6000])
def test_raising_the_rate_adds_no_images_above_the_old_band(hertz: float) -> None:
    out = settled(resampled(tone(hertz, 16000), 16000, 24000))
    _, rest = tone_and_rest(out, hertz, 24000)
    assert decibels(rest, out) <= -70


@pytest.mark.parametrize("way", WAYS)
def test_the_delay_is_one_and_a_half_milliseconds_and_nothing_is_held_back(
    way: tuple[int, int],
) -> None:
    source, target = way
    resampler = Resampler(source, target)
    frame = source // 50 * 2
    assert [len(resampler.push(bytes(frame))) for _ in range(5)] == [target // 50 * 2] * 5
    pulse = np.zeros(source)
    pulse[source // 2] = 30000
    out = resampled(pulse, source, target)
    at = np.arange(len(out)) / target
    delay = np.sum(at * out**2) / np.sum(out**2) - 0.5
    assert delay <= 0.00151


@pytest.mark.parametrize("way", WAYS)
def test_real_speech_agrees_with_a_whole_file_resampler(way: tuple[int, int]) -> None:
    source, target = way
    speech = np.concatenate([_speech(path) for path in SPEECH[:3]])
    given_ = soxr.resample(speech, 24000, source, quality="VHQ")
    ours = resampled(given_, source, target)
    theirs = soxr.resample(given_, source, target, quality="VHQ")
    late = int(0.0015 * target)  # ours, behind a resampler that has the whole file at hand
    ours, theirs = ours[late:], theirs[: len(ours) - late]
    band = _below(7000, ours - theirs[: len(ours)], target)
    assert decibels(theirs, band) >= 45


@pytest.mark.parametrize("way", WAYS)
@given(data=st.data())
def test_any_chunking_gives_the_same_samples(way: tuple[int, int], data: st.DataObject) -> None:
    source, target = way
    noise = np.random.default_rng(data.draw(st.integers(0, 99))).normal(0, 8000, 2400)
    whole = Resampler(source, target).push(pcm(noise))
    cuts = sorted(data.draw(st.lists(st.integers(0, 4800), max_size=12)))
    pieces, resampler = pcm(noise), Resampler(source, target)
    out = b"".join(resampler.push(pieces[a:b]) for a, b in pairwise([0, *cuts, 4800]))
    both = [np.frombuffer(samples, "<i2").astype(int) for samples in (whole, out)]
    assert len(both[0]) == len(both[1]) == 2400 * target // source
    assert np.max(np.abs(both[0] - both[1])) <= 1


def test_full_scale_audio_is_clipped_and_never_wraps() -> None:
    square = np.where(tone(500, 24000) > 0, 32767.0, -32768.0)
    out = resampled(square, 24000, 16000)
    held = settled(out)[np.abs(settled(out)) > 20000]
    assert len(held) > 0.8 * len(settled(out))
    assert np.max(out) == 32767


def test_rates_that_are_no_telephone_audio_are_refused() -> None:
    with pytest.raises(ValueError, match="44100"):
        Resampler(44100, 24000)


@pytest.mark.parametrize(("source", "target"), [(8000, 24000), (24000, 8000), (48000, 16000)])
def test_other_simple_ratios_work_too(source: int, target: int) -> None:
    out = settled(resampled(tone(1000, source), source, target))
    assert decibels(*tone_and_rest(out, 1000, target)) >= 70


def test_speech_sounds_the_same_after_a_round_trip() -> None:
    pesq = pytest.importorskip("pesq", reason="pesq is not installed: it must be compiled")
    scores = []
    for path in SPEECH[:6]:
        speech = soxr.resample(_speech(path), 24000, 16000, quality="VHQ")
        there = resampled(speech, 16000, 24000)
        back = resampled(there, 24000, 16000)
        scores.append(pesq.pesq(16000, speech / 32768, back / 32768, "wb"))
    assert min(scores) >= 4.60


def _speech(path: Path) -> Samples:
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float64)


def _below(hertz: float, samples: Samples, rate: int) -> Samples:
    spectrum = np.fft.rfft(samples)
    spectrum[np.fft.rfftfreq(len(samples), 1 / rate) > hertz] = 0
    return np.fft.irfft(spectrum, len(samples))
