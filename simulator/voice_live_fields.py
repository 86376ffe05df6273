"""What a Voice Live session may be told: every documented field with its values. No I/O.

Voice Live API reference 2026-07-15 and the models of azure-ai-voicelive 1.3.1. An update with a
wrong field changes nothing. Errors carry `param` and `code` in the style of OpenAI's Realtime API;
the service's own list of codes is not published.
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

_OPENAI = one_of(
    *("alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar")
)
_KIND: dict[str, Check] = {"type": text}
_AZURE: dict[str, Check] = {
    **_KIND,
    **dict.fromkeys(("name", "locale", "style", "pitch", "rate", "volume"), text),
    **dict.fromkeys(("custom_lexicon_url", "custom_text_normalization_url"), text),
    "temperature": number(0, 1),
    "prefer_locales": listing(text),
}
_PERSONAL = one_of(
    *("DragonLatestNeural", "PhoenixLatestNeural", "PhoenixV2Neural"),
    *("DragonHDOmniLatestNeural", "MAI-Voice-1"),
)
_NATIVE = one_of(
    *("ava", "andrew", "aarti", "denise", "elsa", "florian"),
    *("francisca", "meera", "ximena", "xiaoxiao", "yunxi", "diya"),
)
VOICE = either(
    _OPENAI,
    variants(
        {
            "openai": table({**_KIND, "name": _OPENAI}, required=("name",)),
            "azure-standard": table(_AZURE, required=("name",)),
            "azure-custom": table(
                {**_AZURE, "endpoint_id": text}, required=("name", "endpoint_id")
            ),
            "azure-personal": table({**_AZURE, "model": _PERSONAL}, required=("name", "model")),
            "azure-realtime-native": table({**_KIND, "name": _NATIVE}),
            "avatar-voice-sync": table(_AZURE, unknown=True),
        }
    ),
)
_END_OF_UTTERANCE = table(
    {
        "model": one_of(
            *("semantic_detection_v1", "semantic_detection_v1_en"),
            "semantic_detection_v1_multilingual",
        ),
        "threshold_level": one_of("low", "medium", "high", "default"),
        "threshold": number(0, 1),
        "timeout_ms": number(0, 60_000),
        "timeout": number(0, 60),
    },
    required=("model",),
)
_TURNS: dict[str, Check] = {
    **_KIND,
    **dict.fromkeys(("create_response", "interrupt_response", "auto_truncate"), boolean),
}
_VAD: dict[str, Check] = {
    **_TURNS,
    "threshold": number(0, 1),
    **dict.fromkeys(
        ("prefix_padding_ms", "silence_duration_ms", "speech_duration_ms"), number(0, 10_000)
    ),
    "end_of_utterance_detection": optional(_END_OF_UTTERANCE),
}
_SEMANTIC: dict[str, Check] = {
    **_VAD,
    "remove_filler_words": boolean,
    "languages": listing(text),
    "appended_text_after_truncation": text,
}
TURN_DETECTION = variants(
    {
        "server_vad": table(_VAD),
        "azure_semantic_vad": table(_SEMANTIC),
        "azure_semantic_vad_en": table(_SEMANTIC),
        "azure_semantic_vad_multilingual": table(_SEMANTIC),
        "semantic_vad": table({**_TURNS, "eagerness": one_of("auto", "low", "medium", "high")}),
    }
)
_TRANSCRIPTION = table(
    {
        "model": one_of(
            *("azure-speech", "mai-transcribe", "mai-transcribe-2", "whisper-1"),
            *("gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-4o-transcribe-diarize"),
        ),
        "language": text,
        "phrase_list": listing(text, most=499),
        "custom_speech": table({}, unknown=True),
        "prompt": text,
    },
    required=("model",),
)
_FUNCTION = table(
    {"type": text, "name": text, "description": text, "parameters": table({}, unknown=True)},
    required=("name",),
)
_TOOLS = listing(variants({"function": _FUNCTION, "mcp": anything, "foundry_agent": anything}))
_INTERIM = variants(
    dict.fromkeys(
        ("static_interim_response", "static-interim-response", "llm_interim_response"),
        table({}, unknown=True),
    )
)
_FORMATS = one_of("pcm16", "pcm16_16000hz", "pcm16_8000hz", "g711_ulaw", "g711_alaw")
_TOKENS = either(one_of("inf"), number(1, 4096, whole=True))
_EFFORT = one_of("none", "minimal", "low", "medium", "high", "xhigh")
_MODALITIES = listing(one_of("text", "audio", "animation", "avatar"))
_INCLUDE = one_of(
    *("item.input_audio_transcription.logprobs", "item.input_audio_transcription.phrases"),
    "file_search_call.results",
)


def _metadata(value: Any, path: str) -> None:
    table({}, unknown=True)(value, path)
    if len(value) > 16 or any(
        len(key) > 64 or not isinstance(entry, str) or len(entry) > 512
        for key, entry in value.items()
    ):
        raise FieldError(path, "at most 16 pairs, keys of 64 and texts of 512 characters")


SESSION_FIELDS: dict[str, Check] = {
    "model": text,
    "modalities": _MODALITIES,
    "instructions": text,
    "voice": VOICE,
    "input_audio_format": one_of("pcm16", "g711_ulaw", "g711_alaw"),
    "input_audio_sampling_rate": one_of(8000, 16000, 24000),
    "output_audio_format": _FORMATS,
    "input_audio_noise_reduction": optional(
        variants(
            dict.fromkeys(("azure_deep_noise_suppression", "near_field", "far_field"), table(_KIND))
        )
    ),
    "input_audio_echo_cancellation": optional(
        variants(
            {
                "server_echo_cancellation": table(
                    {
                        **_KIND,
                        "reference_source": one_of("server", "client"),
                        "channels": one_of(1, 2),
                    }
                )
            }
        )
    ),
    "input_audio_transcription": optional(_TRANSCRIPTION),
    "turn_detection": optional(TURN_DETECTION),
    "output_audio_timestamp_types": listing(one_of("word")),
    "tools": _TOOLS,
    "tool_choice": either(one_of("auto", "none", "required"), table({}, unknown=True)),
    "parallel_tool_calls": boolean,
    "temperature": number(0, 2),
    "max_response_output_tokens": _TOKENS,
    "reasoning_effort": optional(_EFFORT),
    "interim_response": optional(_INTERIM),
    "interim-response": optional(_INTERIM),
    "include": optional(listing(_INCLUDE)),
    "metadata": _metadata,
    "animation": anything,
    "avatar": anything,
}
RESPONSE_FIELDS: dict[str, Check] = {
    **{name: SESSION_FIELDS[name] for name in ("modalities", "instructions", "voice", "tools")},
    **{name: SESSION_FIELDS[name] for name in ("output_audio_format", "tool_choice", "metadata")},
    **{name: SESSION_FIELDS[name] for name in ("temperature", "interim_response")},
    "max_response_output_tokens": _TOKENS,
    "max_output_tokens": _TOKENS,
    "reasoning_effort": _EFFORT,
    "conversation": one_of("auto", "none"),
    **dict.fromkeys(("commit", "cancel_previous"), boolean),
    **dict.fromkeys(("pre_generated_assistant_message", "invoke_input"), anything),
    **dict.fromkeys(("append_input_items", "input_items"), listing(anything)),
}


def new_session(model: str | None) -> dict[str, Any]:
    """A session as it is created, before any update."""
    return {
        "model": model,
        "modalities": ["text", "audio"],
        "instructions": "",
        "voice": {"type": "openai", "name": "alloy"},
        "input_audio_format": "pcm16",
        "input_audio_sampling_rate": 24000,
        "output_audio_format": "pcm16",
        "input_audio_noise_reduction": None,
        "input_audio_echo_cancellation": None,
        "input_audio_transcription": None,
        "turn_detection": {
            "type": "server_vad",
            "threshold": 0.5,
            "prefix_padding_ms": 400,
            "silence_duration_ms": 500,
            "speech_duration_ms": 200,
            "create_response": True,
            "interrupt_response": True,
            "auto_truncate": False,
        },
        "tools": [],
        "tool_choice": "auto",
        "temperature": 0.8,
        "max_response_output_tokens": "inf",
    }


def updated(
    session: Mapping[str, Any],
    update: Any,
    *,
    agent_mode: bool,
    spoken: bool,
    unknown: bool = False,
) -> dict[str, Any]:
    """`session` with `update` merged. Raises FieldError, and then nothing is changed.

    `spoken`: audio has been produced, so the voice is fixed. `unknown` lets unknown fields pass.
    """
    table(SESSION_FIELDS, unknown=unknown)(update, "session")
    if agent_mode and "instructions" in update:
        raise FieldError("session.instructions", "not supported: the agent has its own")
    if spoken and update.get("voice", session["voice"]) != session["voice"]:
        raise FieldError("session.voice", "cannot change once audio was produced")
    modalities = update.get("modalities")
    if modalities is not None and "text" not in modalities:
        raise FieldError("session.modalities", "audio alone is not possible")
    merged = {**session, **update}
    if str(merged["input_audio_format"]).startswith("g711"):
        raise FieldError("session.input_audio_format", "the simulator hears pcm16 only")
    rate_of(merged["output_audio_format"])
    native = isinstance(merged["voice"], dict) and merged["voice"].get("type")
    if native == "azure-realtime-native" and merged["model"] != "azure-realtime":
        raise FieldError("session.voice.type", "needs the model azure-realtime")
    return merged


def rate_of(output_format: str) -> int:
    """Hertz of an `output_audio_format`. Raises FieldError for G.711: we speak PCM alone."""
    rates = {"pcm16": 24000, "pcm16_16000hz": 16000, "pcm16_8000hz": 8000}
    if output_format not in rates:
        raise FieldError("output_audio_format", "the simulator speaks pcm16 only")
    return rates[output_format]
