"""Clips, frames and WAV files."""

import wave
from pathlib import Path

import numpy as np
import pytest

from simulator.audio import (
    AudioError,
    Clip,
    frame_bytes,
    frames,
    is_speech,
    louder,
    placeholder,
    read_wav,
    rms,
    silence,
    spoken_ms,
    write_wav,
)


def _sine(hertz: float, rate: int, seconds: float = 1.0) -> bytes:
    angle = np.arange(int(rate * seconds)) * (2 * np.pi * hertz / rate)
    return bytes((np.sin(angle) * 10000).astype("<i2").tobytes())


@pytest.mark.parametrize(("rate", "wanted"), [(16000, 24000), (24000, 16000), (22050, 24000)])
def test_resampling_keeps_length_pitch_and_loudness(rate: int, wanted: int) -> None:
    clip = Clip(_sine(1000, rate), rate)
    there = np.frombuffer(clip.at(wanted), "<i2").astype(float)[200:-200]
    expected = np.frombuffer(_sine(1000, wanted), "<i2").astype(float)[200:-200]
    assert len(clip.at(wanted)) == len(clip.pcm) * wanted // rate // 2 * 2
    assert np.abs(there - expected).max() < 100
    assert clip.at(rate) is clip.pcm


def test_frames_are_20_ms_and_the_last_is_filled_up() -> None:
    assert frame_bytes(24000) == 960
    assert frame_bytes(16000) == 640
    cut = list(frames(b"\1" * 1000, 24000))
    assert [len(frame) for frame in cut] == [960, 960]
    assert cut[1] == b"\1" * 40 + bytes(920)


def test_words_without_a_clip_are_murmured_for_as_long_as_they_take() -> None:
    text = "What are your opening hours?"
    clip = placeholder(text, 24000)
    assert clip.duration_ms == spoken_ms(text)
    assert clip == placeholder(text, 24000)
    assert clip != placeholder("Something else, as long as it", 24000)
    assert all(is_speech(frame) for frame in frames(clip.pcm, 24000))
    assert not is_speech(silence(20, 24000))


def test_loudness_is_the_root_mean_square() -> None:
    assert rms(_sine(100, 16000)) == pytest.approx(10000 / 2**0.5, rel=0.01)
    assert rms(b"") == 0
    assert rms(b"\1") == 0


def test_a_stereo_file_is_written_and_its_left_side_read_back(tmp_path: Path) -> None:
    file = tmp_path / "call.wav"
    write_wav(file, b"\1\0\2\0", b"\3\0", rate=16000)
    with wave.open(str(file)) as wav:
        assert wav.getnchannels() == 2
        assert wav.readframes(9) == b"\1\0\3\0\2\0\0\0"
    assert read_wav(file) == Clip(b"\1\0\2\0", 16000)


def test_a_file_that_cannot_be_used_is_named_with_the_reason(tmp_path: Path) -> None:
    for name, content, why in [
        ("missing.wav", None, "No such file"),
        ("text.wav", b"hello", "not a readable WAV"),
    ]:
        file = tmp_path / name
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(AudioError, match=f"{name}: {why}"):
            read_wav(file)
    with wave.open(str(tmp_path / "8bit.wav"), "wb") as wav:
        wav.setparams((1, 1, 8000, 0, "NONE", ""))
        wav.writeframes(b"\1")
    with pytest.raises(AudioError, match="8-bit samples"):
        read_wav(tmp_path / "8bit.wav")
    write_wav(tmp_path / "empty.wav", b"", rate=8000)
    with pytest.raises(AudioError, match="no samples"):
        read_wav(tmp_path / "empty.wav")


def test_a_sound_is_made_louder_or_softer_by_decibels_and_never_wraps_around() -> None:
    pcm = placeholder("Hello there", 24000).pcm
    assert rms(louder(pcm, -20.0)) == pytest.approx(rms(pcm) / 10, rel=0.01)
    assert max(np.frombuffer(louder(pcm, 40.0), "<i2")) == 32767
