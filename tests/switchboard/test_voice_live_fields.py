"""Names and choices are held against Microsoft's own client, azure-ai-voicelive 1.3.1."""

from typing import Any

import azure.ai.voicelive.models as sdk
import pytest

from switchboard.shapes import Either, Shape, Table, Tagged, Text
from switchboard.voice_live_fields import (
    ECHO_CANCELLATION,
    NATIVE_VOICES,
    NOISE_REDUCTION,
    OPENAI_VOICES,
    TRANSCRIPTION,
    TURN_DETECTION,
    VOICE,
)

RAW_ONLY = {"appended_text_after_truncation", "prompt"}
"""In the Voice Live API reference, but in no class of the client."""


def _cases(shape: Shape) -> dict[str, Table]:
    assert isinstance(shape, Either)
    return next(dict(part.cases) for part in shape.shapes if isinstance(part, Tagged))


def _table(shape: Shape) -> Table:
    assert isinstance(shape, Either)
    return next(part for part in shape.shapes if isinstance(part, Table))


def _values(enumeration: Any) -> set[str]:
    return {member.value for member in enumeration}


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        ("openai", sdk.OpenAIVoice),
        ("azure-standard", sdk.AzureStandardVoice),
        ("azure-custom", sdk.AzureCustomVoice),
        ("azure-personal", sdk.AzurePersonalVoice),
        ("azure-realtime-native", sdk.AzureRealtimeNativeVoice),
    ],
)
def test_a_voice_has_the_keys_of_the_service(kind: str, model: Any) -> None:
    assert set(_cases(VOICE)[kind].fields) == set(model.__annotations__) | {"type"}


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        ("server_vad", sdk.ServerVad),
        ("azure_semantic_vad", sdk.AzureSemanticVad),
        ("azure_semantic_vad_en", sdk.AzureSemanticVadEn),
        ("azure_semantic_vad_multilingual", sdk.AzureSemanticVadMultilingual),
    ],
)
def test_turn_detection_has_the_keys_of_the_service(kind: str, model: Any) -> None:
    case = _cases(TURN_DETECTION)[kind]
    ours = (set(case.fields) | set(case.withheld)) - RAW_ONLY
    beyond_the_client = {"speech_duration_ms"} if kind == "server_vad" else set()
    assert ours - beyond_the_client == set(model.__annotations__)


def test_every_kind_and_choice_of_the_service_is_known() -> None:
    kinds = _values(sdk.AzureVoiceType) - {"avatar-voice-sync"}  # nobody sees an avatar on a phone
    assert set(_cases(VOICE)) == kinds | {"openai", "azure-realtime-native"}
    assert set(_cases(TURN_DETECTION)) == _values(sdk.TurnDetectionType) | {"semantic_vad"}
    assert set(OPENAI_VOICES) == _values(sdk.OpenAIVoiceName)
    assert set(NATIVE_VOICES) == _values(sdk.AzureRealtimeNativeVoiceName)
    personal = _cases(VOICE)["azure-personal"].fields["model"].shape
    assert isinstance(personal, Text)
    assert set(personal.choices) == _values(sdk.PersonalVoiceModels)


def test_audio_settings_have_the_keys_of_the_service() -> None:
    echo = _table(ECHO_CANCELLATION)
    assert set(echo.fields) | set(echo.withheld) == set(sdk.AudioEchoCancellation.__annotations__)
    assert set(_table(NOISE_REDUCTION).fields) == set(sdk.AudioNoiseReduction.__annotations__)
    ours = set(_table(TRANSCRIPTION).fields) - RAW_ONLY
    assert ours == set(sdk.AudioInputTranscriptionOptions.__annotations__)
