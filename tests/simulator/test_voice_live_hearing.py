"""Source: Voice Live API reference 2026-07-15, turn_detection and input_audio_buffer events."""

from typing import Any

import pytest

from simulator.audio import placeholder, silence
from simulator.voice_live_hearing import Heard, Hearing, SpeechStarted, SpeechStopped

SEMANTIC: dict[str, Any] = {"type": "azure_semantic_vad"}
WORDS = "Good morning, are you there?"
WORDS_MS = len(WORDS) * 62


def hear(hearing: Hearing, pcm: bytes, piece: int) -> list[Heard]:
    pieces = (pcm[start : start + piece] for start in range(0, len(pcm), piece))
    return [heard for part in pieces for heard in hearing.push(part)]


@pytest.mark.parametrize("rate", [8000, 16000, 24000])
@pytest.mark.parametrize("piece_ms", [10, 20, 33, 100])
def test_an_utterance_is_found_where_it_is_whatever_the_pieces(rate: int, piece_ms: int) -> None:
    hearing = Hearing(rate, SEMANTIC)
    speech = placeholder(WORDS, rate).pcm
    pcm = silence(1000, rate) + speech + silence(700, rate)
    started, stopped = hear(hearing, pcm, rate * piece_ms // 1000 * 2)
    assert isinstance(started, SpeechStarted)
    assert isinstance(stopped, SpeechStopped)
    assert started.audio_start_ms == pytest.approx(1000 - 420, abs=20)
    assert stopped.audio_end_ms == pytest.approx(1000 + WORDS_MS + 500, abs=40)
    assert speech in stopped.pcm


def test_speech_is_noticed_after_the_duration_asked_for() -> None:
    hearing = Hearing(24000, {"type": "server_vad", "speech_duration_ms": 200})
    speech = placeholder(WORDS, 24000).pcm
    assert hear(hearing, speech[: 180 * 48], 960) == []
    assert len(hear(hearing, speech[180 * 48 : 300 * 48], 960)) == 1


def test_a_click_is_no_speech() -> None:
    hearing = Hearing(24000, SEMANTIC)
    click = placeholder("x", 24000).pcm[: 40 * 48]
    assert hear(hearing, (click + silence(300, 24000)) * 10, 960) == []


def test_a_pause_shorter_than_the_hang_over_does_not_end_the_utterance() -> None:
    hearing = Hearing(24000, {**SEMANTIC, "silence_duration_ms": 800})
    speech = placeholder(WORDS, 24000).pcm
    heard = hear(hearing, speech + silence(600, 24000) + speech + silence(900, 24000), 960)
    assert [type(h) for h in heard] == [SpeechStarted, SpeechStopped]


def test_silence_that_never_arrives_never_ends_the_utterance() -> None:
    hearing = Hearing(24000, SEMANTIC)
    assert len(hear(hearing, placeholder(WORDS, 24000).pcm, 960)) == 1
    assert hearing.speaking


def test_quiet_speech_needs_a_lower_threshold() -> None:
    quiet = bytes(bytearray(b"\xc8\x00\x38\xff" * 12000))  # a square wave of 200, 1 s
    assert hear(Hearing(24000, SEMANTIC), quiet, 960) == []
    assert hear(Hearing(24000, {**SEMANTIC, "threshold": 0.2}), quiet, 960)


def test_positions_go_on_when_the_settings_change() -> None:
    before = Hearing(24000, SEMANTIC)
    hear(before, silence(2000, 24000), 960)
    after = Hearing(16000, SEMANTIC, before.position_ms)
    (started,) = hear(after, silence(1000, 16000) + placeholder(WORDS, 16000).pcm, 640)
    assert isinstance(started, SpeechStarted)
    assert started.audio_start_ms == pytest.approx(3000 - 420, abs=20)


def test_push_to_talk_only_collects() -> None:
    hearing = Hearing(24000, None)
    speech = placeholder(WORDS, 24000).pcm
    assert hear(hearing, speech, 960) == []
    assert hearing.take() == speech
    assert hearing.take() == b""


def test_memory_stays_flat_in_silence() -> None:
    hearing = Hearing(24000, SEMANTIC)
    hear(hearing, silence(60_000, 24000), 960)
    assert len(hearing.take()) < 48 * 1000
