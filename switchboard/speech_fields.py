"""What an agent with `bridge = "realtime_speech"` may have in `agents.toml`: a model that hears and
writes, a voice of Azure Speech that speaks.

Kinds and ranges are those of the Realtime API reference and of Azure Speech's "Customize voice and
sound with SSML".
"""

from switchboard.agents import TRANSCRIBER, RealtimeSpeechAgent
from switchboard.shapes import (
    Either,
    Field,
    Fits,
    Flag,
    Has,
    Lacks,
    ListOf,
    Misfits,
    Never,
    Number,
    Table,
    Tagged,
    Text,
)
from switchboard.speech_voice import BargeIn, SpeechVoice
from switchboard.spoken_fields import SENTENCE, SPOKEN
from switchboard.voice_live_fields import HTTPS, LOCALE, PROSODY

_NAME = "^[A-Za-z]{2,3}-[A-Za-z]{2,4}-[A-Za-z0-9:.-]{1,100}(Neural|:[A-Za-z0-9.-]+)$"
_NAME_MEND = 'Write a name from the voice gallery, such as "en-US-AvaMultilingualNeural".'
_GUID = "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"
_DEFAULT = RealtimeSpeechAgent(name="", voice=SpeechVoice(""))
_BARGE_IN_DEFAULT = BargeIn()

# --- the voice ------------------------------------------------------------------------------------
_VOICE = Either(
    (
        Text(pattern=_NAME, such_as='a voice such as "en-US-AvaMultilingualNeural"'),
        Table(
            {
                "name": Field(
                    Text(pattern=r"^\S+$", such_as='"en-US-AvaMultilingualNeural"', max_length=200),
                    "The voice's name; a custom voice may have any.",
                    required=True,
                ),
                "locale": Field(LOCALE, "The language spoken. Left out: the one in the name."),
                "style": Field(
                    Text(pattern="^[A-Za-z-]+$", such_as='a style such as "cheerful"'),
                    "A speaking style that the voice has, such as cheerful.",
                ),
                "style_degree": Field(Number(0.01, 2), "How strongly it is spoken; 1 is usual."),
                **PROSODY,
                "endpoint_id": Field(
                    Text(pattern=_GUID, such_as='"00000000-0000-0000-0000-000000000000"'),
                    "A custom voice's deployment.",
                ),
                "lexicon_url": Field(HTTPS, "A pronunciation lexicon."),
            },
            never=(
                Never(
                    (Lacks(("endpoint_id",)), Misfits(("name",), _NAME)),
                    ("name",),
                    "this is no name of an Azure voice",
                    f"{_NAME_MEND} A custom voice needs endpoint_id.",
                ),
                Never(
                    (Lacks(("style",)), Has(("style_degree",))),
                    ("style_degree",),
                    "there is no style to speak more or less strongly",
                    'Add style = "…", or remove style_degree.',
                ),
            ),
        ),
    )
)
_STREAM_RULES = tuple(
    Never(
        (Fits(("speaking",), "^stream$"), Has(("voice", key))),
        ("speaking",),
        f"a text stream cannot carry the voice's `{key}`",
        f'Use speaking = "auto" or "clauses", or remove {key}.',
    )
    for key in ("style", "rate", "pitch", "volume", "lexicon_url")
)

# --- what hears the caller ------------------------------------------------------------------------
_WHO_DECIDES = "Remove it: Switchboard decides this."
_OURS = dict.fromkeys(("create_response", "interrupt_response"), _WHO_DECIDES)


def _detector(kind: str, options: dict[str, Field]) -> Table:
    tag = Field(Text(choices=(kind,)), "The kind of turn detection.", default="server_vad")
    return Table({"type": tag, **options}, withheld=_OURS)


_DETECTORS = Tagged(
    "type",
    {
        "server_vad": _detector(
            "server_vad",
            {
                "threshold": Field(
                    Number(0, 1), "How sure the service must be that it hears speech."
                ),
                "prefix_padding_ms": Field(
                    Number(0, 5_000, whole=True), "Audio kept from before the caller began."
                ),
                "silence_duration_ms": Field(
                    Number(0, 10_000, whole=True), "Silence that ends the caller's turn."
                ),
            },
        ),
        "semantic_vad": _detector(
            "semantic_vad",
            {
                "eagerness": Field(
                    Text(choices=("auto", "low", "medium", "high")), "How soon the agent answers."
                )
            },
        ),
    },
    default="server_vad",
)
_noise = Text(choices=("near_field", "far_field"))
_transcriber = Text(
    pattern=r"^\S+$", such_as='a model such as "gpt-realtime-whisper"', max_length=200
)
_TRANSCRIPTION = Table(
    {
        "model": Field(_transcriber, "What turns speech into text.", required=True),
        "language": Field(LOCALE, "What callers speak. Left out: found out by itself."),
        "prompt": Field(Text(max_length=2000), "A hint: names and words that callers may say."),
    }
)

# --- what makes it fall silent --------------------------------------------------------------------
_BARGE_IN = Table(
    {
        "sensor": Field(
            Text(choices=("service", "rms", "both")),
            "What hears that the caller begins to speak: the service, the level of the caller's "
            "audio, or whichever is first.",
            default=_BARGE_IN_DEFAULT.sensor,
        ),
        "threshold_dbfs": Field(
            Number(-80, 0),
            "The level that speech exceeds, in dB below full scale.",
            default=_BARGE_IN_DEFAULT.threshold_dbfs,
        ),
        "minimum_speech_ms": Field(
            Number(20, 2_000, whole=True),
            "Shorter sounds are not taken for speech.",
            default=_BARGE_IN_DEFAULT.minimum_speech_ms,
        ),
        "hang_over_ms": Field(
            Number(0, 5_000, whole=True),
            "Shorter gaps do not end the speech.",
            default=_BARGE_IN_DEFAULT.hang_over_ms,
        ),
        "adaptive_noise_floor": Field(
            Flag(),
            "The threshold rises with the noise on the line.",
            default=_BARGE_IN_DEFAULT.adaptive_noise_floor,
        ),
    }
)

REALTIME_SPEECH = Table(
    {
        "bridge": Field(
            Text(choices=("realtime_speech",)), "What connects the caller to the AI.", required=True
        ),
        "model": Field(
            Text(pattern=r"^\S+$", such_as='a model such as "gpt-realtime-2.1"', max_length=200),
            "The deployment of a gpt-realtime model.",
            default=_DEFAULT.model,
        ),
        "instructions": Field(
            Text(max_length=32_000), "The prompt: who the agent is and how it should speak."
        ),
        "voice": Field(_VOICE, "How the agent sounds: a name, or a table for more.", required=True),
        "fallback_voice": Field(_VOICE, "Speaks when `voice` cannot."),
        "speaking": Field(
            Text(choices=("auto", "stream", "clauses")),
            "Whether words are spoken while they are written, or clause by clause; auto: clauses "
            "for a voice with style, rate, pitch, volume or lexicon_url.",
            default=_DEFAULT.speaking,
        ),
        "turn_detection": Field(
            Either((Text(choices=tuple(_DETECTORS.cases)), _DETECTORS)),
            "How the service hears that the caller has finished.",
            default="server_vad",
        ),
        "noise_reduction": Field(
            Either((Flag(), _noise)),
            "Removes noise around the caller; false turns it off.",
            default="far_field",
        ),
        "transcription": Field(
            Either((Flag(), _transcriber, _TRANSCRIPTION)),
            "What writes down the caller's words; false turns it off.",
            default=TRANSCRIBER,
        ),
        "barge_in": Field(_BARGE_IN, "What is taken for the caller interrupting."),
        "waiting": Field(
            ListOf(SENTENCE, 10),
            "Said, one after the other, when an answer is long in coming. [] turns this off.",
            default=list(_DEFAULT.waiting),
        ),
        **SPOKEN,
    },
    never=_STREAM_RULES,
)
