"""What a Realtime session (GA) may be told: every documented field with its values. No I/O.

OpenAI Realtime API reference (GA) and the models of openai-python 3.54.0. Fields of the preview
API (`modalities`, `input_audio_format`, `voice`, …) are unknown here, as they are to the service.
"""

from collections.abc import Mapping
from typing import Any

from simulator.voice_live_checks import (
    Check,
    FieldError,
    anything,
    boolean,
    either,
    listing,
    number,
    one_of,
    optional,
    table,
    text,
    variants,
)

RATE = 24000
"""Hertz; of audio/pcm "only a 24kHz sample rate is supported"."""
_ID_LENGTH = 32
"""Longest id that a client may give an item."""
_KIND: dict[str, Check] = {"type": text}
_TURNS: dict[str, Check] = {
    **_KIND,
    **dict.fromkeys(("create_response", "interrupt_response"), boolean),
}
_SERVER_VAD: dict[str, Check] = {
    **_TURNS,
    "threshold": number(0, 1),
    **dict.fromkeys(("prefix_padding_ms", "silence_duration_ms"), number(0, 10_000, whole=True)),
    "idle_timeout_ms": optional(number(5_000, 30_000, whole=True)),
}
_EAGERNESS = one_of("low", "medium", "high", "auto")
TURN_DETECTION = variants(
    {
        "server_vad": table(_SERVER_VAD),
        "semantic_vad": table({**_TURNS, "eagerness": _EAGERNESS}),
    }
)
_TRANSCRIPTION = table(
    {
        **dict.fromkeys(("model", "language", "prompt"), text),
        **dict.fromkeys(("languages", "keywords"), listing(text)),
        "delay": one_of("minimal", "low", "medium", "high", "xhigh"),
    },
    required=("model",),
)
_NOISE = table({"type": one_of("near_field", "far_field"), "strength": number(0, 10)})
_PCM = table({**_KIND, "rate": one_of(RATE)}, required=("rate",))


def _not_simulated(_: Any, path: str) -> None:
    raise FieldError(path, "not simulated: audio/pcm at 24,000 Hz, text out", "not_simulated")


_FORMAT = variants({"audio/pcm": _PCM, "audio/pcmu": _not_simulated, "audio/pcma": _not_simulated})
_VOICE = either(text, table({"id": text}, required=("id",)))
_OUT: dict[str, Check] = {"format": _FORMAT, "voice": _VOICE, "speed": number(0.25, 1.5)}
_AUDIO = table(
    {
        "input": table(
            {
                "format": _FORMAT,
                "noise_reduction": optional(_NOISE),
                "transcription": optional(_TRANSCRIPTION),
                "turn_detection": optional(TURN_DETECTION),
            }
        ),
        "output": table(_OUT),
    }
)
_FUNCTION = table(
    {"type": text, "name": text, "description": text, "parameters": table({}, unknown=True)},
    required=("name",),
)
_TOOLS = listing(variants({"function": _FUNCTION, "mcp": anything}))


def _modalities(value: Any, path: str) -> None:
    listing(one_of("text", "audio"))(value, path)
    if len(value) != 1:
        raise FieldError(
            path,
            f"Invalid modalities: {value}. Supported combinations are: ['text'] and ['audio'].",
        )


_SHARED: dict[str, Check] = {
    "output_modalities": _modalities,
    "instructions": text,
    "max_output_tokens": either(one_of("inf"), number(1, 4096, whole=True)),
    "tools": _TOOLS,
    "tool_choice": either(one_of("auto", "none", "required"), table({}, unknown=True)),
    "parallel_tool_calls": boolean,
    "reasoning": table({"effort": one_of("minimal", "low", "medium", "high", "xhigh")}),
    "prompt": anything,
}
SESSION_FIELDS: dict[str, Check] = {
    **_SHARED,
    "type": one_of("realtime"),
    "model": text,
    "audio": _AUDIO,
    "include": optional(listing(one_of("item.input_audio_transcription.logprobs"))),
    "tracing": anything,
    "truncation": either(one_of("auto", "disabled"), table({}, unknown=True)),
}
RESPONSE_FIELDS: dict[str, Check] = {
    **_SHARED,
    "conversation": one_of("auto", "none"),
    "metadata": optional(table({}, unknown=True)),
    "audio": table({"output": table(_OUT)}),
    "input": listing(table({}, unknown=True)),
}

# Items


def _id(value: Any, path: str) -> None:
    text(value, path)
    if len(value) > _ID_LENGTH:
        raise FieldError(
            path,
            f"string too long. Expected a string with maximum length {_ID_LENGTH}, but got a "
            f"string with length {len(value)} instead.",
            "string_above_max_length",
        )


def _audio_of_assistant(_: Any, path: str) -> None:
    raise FieldError(path, "assistant audio messages cannot be created; use 'output_text'")


_TEXT = table({**_KIND, "text": text}, required=("text",))
_SPOKEN = table({**_KIND, "audio": text, "transcript": optional(text)}, required=("audio",))
_ANY_ITEM: dict[str, Check] = {
    **dict.fromkeys(("type", "object", "role"), text),
    "id": _id,
    "status": one_of("completed", "incomplete", "in_progress"),
}
_PARTS = {
    "user": variants({"input_text": _TEXT, "input_audio": _SPOKEN, "input_image": anything}),
    "system": variants({"input_text": _TEXT}),
    "assistant": variants({"output_text": _TEXT, "output_audio": _audio_of_assistant}),
}
_MESSAGE = variants(
    {
        role: table({**_ANY_ITEM, "content": listing(part)}, required=("content",))
        for role, part in _PARTS.items()
    },
    by="role",
)
_CALL = {**_ANY_ITEM, "name": text, "call_id": text, "arguments": text}
_OUTPUT = {**_ANY_ITEM, "call_id": text, "output": text}
ITEM = variants(
    {
        "message": _MESSAGE,
        "function_call": table(_CALL, required=("name", "call_id", "arguments")),
        "function_call_output": table(_OUTPUT, required=("call_id", "output")),
        "mcp_approval_response": anything,
    }
)

# Sessions

_DETECTION: dict[str, dict[str, Any]] = {
    "server_vad": {
        "type": "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 500,
        "idle_timeout_ms": None,
        "create_response": True,
        "interrupt_response": True,
    },
    "semantic_vad": {
        "type": "semantic_vad",
        "eagerness": "auto",
        "create_response": True,
        "interrupt_response": True,
    },
}


def new_session(model: str) -> dict[str, Any]:
    """A session as it is created, before any update."""
    pcm = {"type": "audio/pcm", "rate": RATE}
    return {
        "type": "realtime",
        "model": model,
        "output_modalities": ["audio"],
        "instructions": "",
        "audio": {
            "input": {
                "format": pcm,
                "noise_reduction": None,
                "transcription": None,
                "turn_detection": _DETECTION["server_vad"],
            },
            "output": {"format": pcm, "voice": "alloy", "speed": 1.0},
        },
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "truncation": "auto",
        "tracing": None,
        "prompt": None,
        "include": None,
    }


def updated(session: Mapping[str, Any], update: Any, *, unknown: bool = False) -> dict[str, Any]:
    """`session` with `update` merged: what is not named stays. Raises FieldError, and then nothing
    is changed. `unknown` lets unknown fields of the session itself pass."""
    table(SESSION_FIELDS, required=("type",), unknown=unknown)(update, "session")
    if update.get("model", session["model"]) != session["model"]:
        raise FieldError("session.model", "cannot be changed once the session is open")
    merged = {**session, **update}
    audio = update.get("audio", {})
    merged["audio"] = {
        way: {**session["audio"][way], **audio.get(way, {})} for way in ("input", "output")
    }
    hears = merged["audio"]["input"]
    if (told := hears["turn_detection"]) is not None:
        hears["turn_detection"] = {**_DETECTION[told["type"]], **told}
    return merged


SHORTEST_SPEECH_MS = 100
"""How much speech the service wants before it says `speech_started`; not documented."""
_PATIENCE_MS = {"low": 1000, "medium": 600, "auto": 600, "high": 300}


def ears(detection: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """`turn_detection` as the simulator's hearing takes it.

    Semantic detection weighs words; here it is a pause, the longer the less eager it is. The
    service's own limits are 8, 4 and 2 s for a caller who seems to go on.
    """
    if detection is None:
        return None
    if detection["type"] == "server_vad":
        return {**detection, "speech_duration_ms": SHORTEST_SPEECH_MS}
    return {
        "speech_duration_ms": SHORTEST_SPEECH_MS,
        "prefix_padding_ms": 300,
        "silence_duration_ms": _PATIENCE_MS[detection["eagerness"]],
    }


def explain(error: FieldError) -> str:
    """The message of an error in the service's own words, where issue threads quote them."""
    match error.code:
        case "unknown_parameter":
            return f"Unknown parameter: '{error.param}'."
        case "missing_required_parameter":
            return f"Missing required parameter: '{error.param}'."
        case "string_above_max_length":
            return f"Invalid '{error.param}': {error.message}"
        case _:
            return error.message
