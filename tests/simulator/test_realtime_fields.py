"""Source: OpenAI Realtime API reference (GA), session.update and conversation.item.create."""

from typing import Any

import pytest

from simulator.realtime_fields import ITEM, RESPONSE_FIELDS, ears, explain, new_session, updated
from simulator.voice_live_checks import FieldError, table

SESSION = new_session("gpt-realtime-2.1-mini")


def refusal(**update: Any) -> FieldError:
    with pytest.raises(FieldError) as refused:
        updated(SESSION, {"type": "realtime", **update})
    return refused.value


def hears(**audio: Any) -> dict[str, Any]:
    return {"input": audio}


def test_a_session_needs_its_type() -> None:
    with pytest.raises(FieldError) as refused:
        updated(SESSION, {"output_modalities": ["text"]})
    assert explain(refused.value) == "Missing required parameter: 'session.type'."
    assert refusal(type="transcription").param == "session.type"


@pytest.mark.parametrize(
    "name",
    [
        *("modalities", "voice", "input_audio_format", "output_audio_format", "turn_detection"),
        *("input_audio_transcription", "max_response_output_tokens", "temperature"),
        "input_audio_noise_reduction",
    ],
)
def test_the_names_of_the_preview_are_unknown(name: str) -> None:
    error = refusal(**{name: "x"})
    assert (error.code, error.param) == ("unknown_parameter", f"session.{name}")
    assert explain(error) == f"Unknown parameter: 'session.{name}'."


@pytest.mark.parametrize(
    ("update", "param"),
    [
        ({"output_modalities": ["text", "audio"]}, "session.output_modalities"),
        ({"output_modalities": []}, "session.output_modalities"),
        ({"model": "another"}, "session.model"),
        ({"max_output_tokens": 5000}, "session.max_output_tokens"),
        ({"tools": [{"type": "function"}]}, "session.tools[0].name"),
        (
            {"audio": hears(format={"type": "audio/pcm", "rate": 16000})},
            "session.audio.input.format.rate",
        ),
        ({"audio": hears(format={"type": "audio/pcm"})}, "session.audio.input.format.rate"),
        ({"audio": hears(format="pcm16")}, "session.audio.input.format"),
        ({"audio": hears(format={"type": "audio/pcmu"})}, "session.audio.input.format"),
        ({"audio": hears(transcription={})}, "session.audio.input.transcription.model"),
        (
            {"audio": hears(turn_detection={"type": "azure_semantic_vad"})},
            "session.audio.input.turn_detection.type",
        ),
        (
            {"audio": hears(turn_detection={"type": "semantic_vad", "idle_timeout_ms": 8000})},
            "session.audio.input.turn_detection.idle_timeout_ms",
        ),
        (
            {"audio": hears(turn_detection={"type": "server_vad", "idle_timeout_ms": 100})},
            "session.audio.input.turn_detection.idle_timeout_ms",
        ),
        ({"audio": {"output": {"speed": 2}}}, "session.audio.output.speed"),
    ],
)
def test_a_wrong_value_is_refused_where_it_stands(update: dict[str, Any], param: str) -> None:
    assert refusal(**update).param == param


def test_an_update_changes_what_it_names_and_leaves_the_rest() -> None:
    once = updated(
        SESSION,
        {
            "type": "realtime",
            "instructions": "Be brief.",
            "audio": hears(transcription={"model": "whisper-1"}),
        },
    )
    twice = updated(
        once, {"type": "realtime", "audio": hears(turn_detection={"type": "semantic_vad"})}
    )
    audio = twice["audio"]["input"]
    assert twice["instructions"] == "Be brief."
    assert audio["transcription"] == {"model": "whisper-1"}
    assert audio["turn_detection"]["eagerness"] == "auto"
    assert SESSION["audio"]["input"]["transcription"] is None


def test_a_transcription_model_may_be_any() -> None:
    """They retire often: the deployment's name is a parameter, and so it is here."""
    told = {"type": "realtime", "audio": hears(transcription={"model": "tomorrows-model"})}
    assert updated(SESSION, told)["audio"]["input"]["transcription"]["model"] == "tomorrows-model"


def test_a_response_knows_neither_the_names_of_the_preview_nor_of_voice_live() -> None:
    check = table(RESPONSE_FIELDS)
    check({"output_modalities": ["text"], "metadata": None, "conversation": "none"}, "response")
    for name in ("modalities", "pre_generated_assistant_message", "max_response_output_tokens"):
        with pytest.raises(FieldError, match="unknown"):
            check({name: None}, "response")


def message(role: str, **part: Any) -> dict[str, Any]:
    return {"type": "message", "role": role, "content": [part]}


@pytest.mark.parametrize(
    "item",
    [
        message("user", type="input_text", text="Hi"),
        message("user", type="input_audio", audio="AAAA"),
        message("system", type="input_text", text="The caller pressed 1."),
        message("assistant", type="output_text", text="Hello"),
        {"type": "function_call_output", "call_id": "c", "output": "{}"},
    ],
)
def test_items_of_these_kinds_may_be_created(item: dict[str, Any]) -> None:
    ITEM(item, "item")


@pytest.mark.parametrize(
    ("item", "param", "told"),
    [
        (message("assistant", type="text", text="Hi"), "item.content[0].type", "output_text"),
        (message("assistant", type="output_audio", audio="A"), "item.content[0]", "audio"),
        (message("user", type="output_text", text="Hi"), "item.content[0].type", "input_text"),
        (
            {**message("user", type="input_text", text="Hi"), "id": "x" * 33},
            "item.id",
            "maximum length 32",
        ),
    ],
)
def test_other_items_are_refused(item: dict[str, Any], param: str, told: str) -> None:
    with pytest.raises(FieldError) as refused:
        ITEM(item, "item")
    assert refused.value.param == param
    assert told in explain(refused.value)


def test_the_less_eager_the_longer_a_pause_may_be() -> None:
    waits = [
        (ears({"type": "semantic_vad", "eagerness": eagerness}) or {})["silence_duration_ms"]
        for eagerness in ("low", "auto", "medium", "high")
    ]
    assert waits[0] > waits[1] == waits[2] > waits[3]
    assert ears(None) is None
