"""Source: Voice Live API reference 2026-07-15, session.update."""

from typing import Any

import pytest

from simulator.voice_live_checks import FieldError
from simulator.voice_live_fields import new_session, rate_of, updated

FULL: dict[str, Any] = {
    "modalities": ["text", "audio"],
    "instructions": "Be brief.",
    "voice": {
        "type": "azure-standard",
        "name": "en-US-Ava:DragonHDLatestNeural",
        "temperature": 0.8,
        "rate": "1.1",
        "style": "cheerful",
        "prefer_locales": ["en-GB"],
    },
    "input_audio_format": "pcm16",
    "input_audio_sampling_rate": 16000,
    "output_audio_format": "pcm16_16000hz",
    "input_audio_noise_reduction": {"type": "azure_deep_noise_suppression"},
    "input_audio_echo_cancellation": {"type": "server_echo_cancellation"},
    "input_audio_transcription": {"model": "azure-speech", "phrase_list": ["Contoso"]},
    "turn_detection": {
        "type": "azure_semantic_vad",
        "threshold": 0.5,
        "silence_duration_ms": 500,
        "remove_filler_words": True,
        "auto_truncate": True,
        "appended_text_after_truncation": " [interrupted]",
        "end_of_utterance_detection": {"model": "semantic_detection_v1", "timeout_ms": 1000},
    },
    "output_audio_timestamp_types": ["word"],
    "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}}],
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "temperature": 0.8,
    "max_response_output_tokens": "inf",
    "reasoning_effort": "low",
    "interim_response": {"type": "static_interim_response", "texts": ["One moment"]},
    "include": ["item.input_audio_transcription.phrases"],
    "metadata": {"callId": "x"},
}


def change(update: dict[str, Any], **how: Any) -> dict[str, Any]:
    how = {"agent_mode": False, "spoken": False, **how}
    return updated(new_session("gpt-realtime-2.1"), update, **how)


def test_every_documented_field_is_taken_and_echoed() -> None:
    session = change(FULL)
    assert {name: session[name] for name in FULL} == FULL


def test_what_an_update_leaves_out_stays() -> None:
    assert change({"temperature": 0.6})["voice"] == {"type": "openai", "name": "alloy"}


@pytest.mark.parametrize(
    "voice",
    [
        "marin",
        {"type": "openai", "name": "cedar"},
        {"type": "azure-custom", "name": "Ours", "endpoint_id": "guid"},
        {"type": "azure-personal", "name": "Mine", "model": "DragonLatestNeural"},
    ],
)
def test_every_kind_of_voice_is_taken(voice: Any) -> None:
    assert change({"voice": voice})["voice"] == voice


@pytest.mark.parametrize(
    ("update", "param"),
    [
        ({"voise": "alloy"}, "session.voise"),
        ({"voice": "joe"}, "session.voice"),
        ({"voice": {"type": "azure-custom", "name": "Ours"}}, "session.voice.endpoint_id"),
        (
            {"voice": {"type": "azure-standard", "name": "x", "rate": 1.1}},
            "session.voice.rate",
        ),
        ({"voice": {"type": "azure-realtime-native", "name": "ava"}}, "session.voice.type"),
        ({"input_audio_sampling_rate": 44100}, "session.input_audio_sampling_rate"),
        ({"output_audio_format": "pcm16_24000hz"}, "session.output_audio_format"),
        ({"turn_detection": {"type": "psychic"}}, "session.turn_detection.type"),
        (
            {"turn_detection": {"type": "server_vad", "remove_filler_words": True}},
            "session.turn_detection.remove_filler_words",
        ),
        ({"turn_detection": {"threshold": 0.5}}, "session.turn_detection.type"),
        ({"tools": [{"type": "function"}]}, "session.tools[0].name"),
        ({"metadata": {str(n): "" for n in range(17)}}, "session.metadata"),
        ({"modalities": ["audio"]}, "session.modalities"),
        ({"temperature": True}, "session.temperature"),
        ({"include": ["everything"]}, "session.include[0]"),
    ],
)
def test_a_wrong_field_is_named(update: dict[str, Any], param: str) -> None:
    with pytest.raises(FieldError) as refused:
        change(update)
    assert refused.value.param == param


def test_an_agent_has_its_own_instructions() -> None:
    with pytest.raises(FieldError, match="agent"):
        change({"instructions": "Be rude."}, agent_mode=True)


def test_the_voice_is_fixed_once_it_was_heard() -> None:
    with pytest.raises(FieldError, match="voice"):
        change({"voice": "ash"}, spoken=True)
    assert change({"voice": {"type": "openai", "name": "alloy"}}, spoken=True)


@pytest.mark.parametrize(
    "name", ["turn_detection", "input_audio_noise_reduction", "input_audio_echo_cancellation"]
)
def test_null_turns_a_feature_off(name: str) -> None:
    assert change({name: None})[name] is None


def test_the_rate_of_a_format() -> None:
    assert [rate_of(f) for f in ("pcm16", "pcm16_16000hz", "pcm16_8000hz")] == [
        24000,
        16000,
        8000,
    ]
