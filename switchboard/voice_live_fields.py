"""The voices, turn detection and audio settings of Voice Live, as shapes.

Kinds, names and ranges are those of the Voice Live API reference (2026-07-15) and of the models in
azure-ai-voicelive 1.3.1. What those do not have yet goes through an agent's `session`.
"""

from switchboard.shapes import (
    Either,
    Field,
    Flag,
    ListOf,
    MapOf,
    Number,
    Table,
    Tagged,
    Text,
)

OPENAI_VOICES = (
    "alloy",
    "ash",
    "ballad",
    "coral",
    "echo",
    "sage",
    "shimmer",
    "verse",
    "marin",
    "cedar",
)
NATIVE_VOICES = (
    "ava",
    "andrew",
    "aarti",
    "denise",
    "diya",
    "elsa",
    "florian",
    "francisca",
    "meera",
    "ximena",
    "xiaoxiao",
    "yunxi",
)
OPENAI_TRANSCRIBERS = (
    "whisper-1",
    "gpt-4o-transcribe",
    "gpt-4o-mini-transcribe",
    "gpt-4o-transcribe-diarize",
)
_LOCALE = "[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*"
_AZURE_VOICE = "^[A-Za-z]{2,3}-[A-Za-z]{2,4}-[A-Za-z0-9:.-]{2,100}$"

LOCALE = Text(pattern=f"^{_LOCALE}$", such_as='a language such as "en-US"')
HTTPS = Text(pattern=r"^https://\S+$", such_as="an https:// address")
_token = Text(pattern=r"^\S+$", such_as="one word, without spaces", max_length=200)


def _prosody(names: str, relative: str, numbers: Number, such_as: str) -> Either:
    """A prosody value of SSML: a name, a number, or a change with sign and unit."""
    pattern = f"^({names.replace(' ', '|')}|[+-]?[0-9]+(\\.[0-9]+)?({relative})?)$"
    return Either((Text(pattern=pattern, such_as=such_as), numbers))


# --- voices ---------------------------------------------------------------------------------------
PROSODY = {
    "rate": Field(
        _prosody(
            "x-slow slow medium fast x-fast default", "%", Number(0.5, 1.5), '1.1, "+10%" or "slow"'
        ),
        "Speed: a factor from 0.5 to 1.5, or as SSML writes it.",
    ),
    "pitch": Field(
        Text(
            pattern=r"^(x-low|low|medium|high|x-high|default|[+-]?[0-9]+(\.[0-9]+)?(%|Hz|st))$",
            such_as='"+2st", "-5%" or "low"',
        ),
        "Pitch, as SSML writes it.",
    ),
    "volume": Field(
        _prosody(
            "silent x-soft soft medium loud x-loud default",
            "%|dB",
            Number(0, 100),
            '80, "+10" or "loud"',
        ),
        "Volume, from 0 to 100, or as SSML writes it.",
    ),
}
"""How fast, high and loud an Azure voice speaks."""

_AZURE_VOICE_OPTIONS = {
    "temperature": Field(Number(0, 1), "How lively an HD voice speaks."),
    **PROSODY,
    "style": Field(Text(), "A speaking style that the voice has, such as cheerful."),
    "locale": Field(LOCALE, "Speak this language only."),
    "prefer_locales": Field(ListOf(LOCALE, 20), "The accents to prefer, such as en-GB."),
    "custom_lexicon_url": Field(HTTPS, "A pronunciation lexicon."),
    "custom_text_normalization_url": Field(HTTPS, "A text normalization file."),
}


def _voice(kind: str, name: Field, **more: Field) -> Table:
    return Table({"type": Field(Text(choices=(kind,)), "The kind of voice."), "name": name, **more})


_azure_name = Field(Text(max_length=200), "The voice's name.", required=True)
_VOICE_KINDS = Tagged(
    "type",
    {
        "openai": _voice(
            "openai",
            Field(Text(choices=OPENAI_VOICES), "An OpenAI voice.", required=True),
        ),
        "azure-standard": _voice("azure-standard", _azure_name, **_AZURE_VOICE_OPTIONS),
        "azure-custom": _voice(
            "azure-custom",
            _azure_name,
            endpoint_id=Field(_token, "The custom voice's deployment.", required=True),
            **_AZURE_VOICE_OPTIONS,
        ),
        "azure-personal": _voice(
            "azure-personal",
            _azure_name,
            model=Field(
                Text(
                    choices=(
                        "DragonLatestNeural",
                        "PhoenixLatestNeural",
                        "PhoenixV2Neural",
                        "DragonHDOmniLatestNeural",
                        "MAI-Voice-1",
                    )
                ),
                "The model that speaks with the personal voice.",
                required=True,
            ),
            **_AZURE_VOICE_OPTIONS,
        ),
        "azure-realtime-native": _voice(
            "azure-realtime-native",
            Field(Text(choices=NATIVE_VOICES), "A voice of azure-realtime.", default="ava"),
        ),
    },
)
VOICE = Either(
    (
        Text(
            choices=(*OPENAI_VOICES, *NATIVE_VOICES),
            pattern=_AZURE_VOICE,
            such_as='an OpenAI voice such as "alloy" or an Azure voice such as '
            '"en-US-Ava:DragonHDLatestNeural"',
        ),
        _VOICE_KINDS,
    )
)

# --- turn detection -------------------------------------------------------------------------------
_WHO_DECIDES = "Remove it: Switchboard decides this from `heard_truth` and the call itself."
_OURS = dict.fromkeys(("auto_truncate", "create_response", "interrupt_response"), _WHO_DECIDES)
_vad_threshold = Field(Number(0, 1), "How sure the service must be that it hears speech.")
_silence_ms = Field(Number(0, 10_000, whole=True), "Silence that ends the caller's turn.")
_VAD = {
    "threshold": _vad_threshold,
    "prefix_padding_ms": Field(
        Number(0, 5_000, whole=True), "Audio kept from before the caller began to speak."
    ),
    "silence_duration_ms": _silence_ms,
    "speech_duration_ms": Field(
        Number(0, 5_000, whole=True), "Shorter sounds are not taken for speech."
    ),
    "end_of_utterance_detection": Field(
        Table(
            {
                "model": Field(
                    Text(
                        choices=(
                            "semantic_detection_v1",
                            "semantic_detection_v1_en",
                            "semantic_detection_v1_multilingual",
                        )
                    ),
                    "The model that tells a pause from an end.",
                    required=True,
                ),
                "threshold_level": Field(
                    Text(choices=("low", "medium", "high", "default")), "How sure it must be."
                ),
                "timeout_ms": Field(Number(0, 60_000, whole=True), "The longest wait."),
            }
        ),
        "Waits for the end of the sentence, not only for silence.",
    ),
}
_SEMANTIC_VAD = {
    **_VAD,
    "remove_filler_words": Field(Flag(), 'An "uh-huh" does not interrupt the agent.'),
    "appended_text_after_truncation": Field(
        Text(), 'Put after an interrupted turn; works with heard_truth = "service".'
    ),
}
_languages = Field(ListOf(LOCALE, 20), "The languages that callers speak.")


def _vad(kind: str, options: dict[str, Field]) -> Table:
    tag = Field(Text(choices=(kind,)), "The kind of turn detection.", default="azure_semantic_vad")
    return Table({"type": tag, **options}, withheld=_OURS)


_VAD_KINDS = Tagged(
    "type",
    {
        "azure_semantic_vad": _vad(
            "azure_semantic_vad", {**_SEMANTIC_VAD, "languages": _languages}
        ),
        "azure_semantic_vad_multilingual": _vad(
            "azure_semantic_vad_multilingual", {**_SEMANTIC_VAD, "languages": _languages}
        ),
        "azure_semantic_vad_en": _vad("azure_semantic_vad_en", _SEMANTIC_VAD),
        "server_vad": _vad("server_vad", _VAD),
        "semantic_vad": _vad(
            "semantic_vad",
            {
                "eagerness": Field(
                    Text(choices=("auto", "low", "medium", "high")), "How soon the agent answers."
                )
            },
        ),
    },
    default="azure_semantic_vad",
)


TURN_DETECTION = Either((Text(choices=tuple(_VAD_KINDS.cases)), _VAD_KINDS))

# --- what else is done to the caller's audio ------------------------------------------------------
_noise = Text(choices=("azure_deep_noise_suppression", "near_field", "far_field"))
_echo = Text(choices=("server_echo_cancellation",))
_transcriber = Text(
    choices=("azure-speech", *OPENAI_TRANSCRIBERS),
    pattern="^mai-transcribe(-[0-9]+)?$",
    such_as='"azure-speech" or "whisper-1"',
)
_ONE_CHANNEL = "Remove it: a phone line has one channel and no echo reference."


def _typed(name: Text, **withheld: str) -> Either:
    return Either(
        (Flag(), name, Table({"type": Field(name, "Which one.", required=True)}, withheld=withheld))
    )


_TRANSCRIPTION = Table(
    {
        "model": Field(_transcriber, "What turns speech into text."),
        "language": Field(
            Text(
                pattern=f"^{_LOCALE}(,{_LOCALE})*$", such_as='a language such as "en-US" or "en,zh"'
            ),
            "What callers speak. Left out: found out by itself.",
        ),
        "phrase_list": Field(ListOf(Text(), 499), "Names and words that callers are apt to say."),
        "custom_speech": Field(
            MapOf(LOCALE, _token), "Custom Speech models: one for each language."
        ),
        "prompt": Field(Text(max_length=2000), "A hint for OpenAI transcription models."),
    }
)
NOISE_REDUCTION = _typed(_noise)
ECHO_CANCELLATION = _typed(_echo, reference_source=_ONE_CHANNEL, channels=_ONE_CHANNEL)
TRANSCRIPTION = Either((Flag(), _transcriber, _TRANSCRIPTION))
