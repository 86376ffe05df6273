"""What `agents.toml` may hold: the one definition behind the parser, the schema and the reader."""

from switchboard.shapes import (
    Anything,
    Either,
    Field,
    Fits,
    Has,
    Lacks,
    MapOf,
    Misfits,
    Never,
    Number,
    Table,
    Tagged,
    Text,
)
from switchboard.speech_fields import REALTIME_SPEECH
from switchboard.spoken_fields import SPOKEN
from switchboard.voice_live_fields import (
    ECHO_CANCELLATION,
    NATIVE_VOICES,
    NOISE_REDUCTION,
    OPENAI_TRANSCRIBERS,
    TRANSCRIPTION,
    TURN_DETECTION,
    VOICE,
)

GPT_REALTIME = "^gpt-.*realtime"
AZURE_REALTIME = "^azure-realtime"

_MODEL, _PROJECT, _AGENT = ("model",), ("project",), ("agent",)


def _needs_model(path: tuple[str, ...], values: str, model: str, mend: str) -> Never:
    """Texts at `path` that fit `values` work only with models that fit `model`."""
    message = "this does not work with this agent's model"
    return Never((Fits(path, values), Misfits(_MODEL, model)), path, message, mend)


_MODE_RULES = (
    *(
        Never(
            (Has(_MODEL), Has((key,))),
            (key,),
            f"`{key}` is for a Foundry agent, but `model` is set as well",
            f"Remove `model` to use the Foundry agent, or `{key}` to use the model.",
        )
        for key in ("project", "agent", "version")
    ),
    Never(
        (Lacks(_MODEL), Lacks(_PROJECT), Lacks(_AGENT)),
        (),
        "neither a model nor a Foundry agent is named",
        'Add model = "gpt-realtime" and instructions, or project and agent.',
    ),
    Never(
        (Lacks(_MODEL), Has(_PROJECT), Lacks(_AGENT)),
        (),
        "`agent` is missing",
        'Add agent = "…", the name of the agent in that project.',
    ),
    Never(
        (Lacks(_MODEL), Lacks(_PROJECT), Has(_AGENT)),
        (),
        "`project` is missing",
        'Add project = "…", the Foundry project of the agent.',
    ),
    *(
        Never(
            (Lacks(_MODEL), Has(_AGENT), Has(path)),
            path,
            f"`{path[-1]}` cannot be set for a Foundry agent",
            "Remove it: it belongs to the agent in Foundry.",
        )
        for path in (
            ("instructions",),
            ("temperature",),
            ("session", "instructions"),
            ("session", "temperature"),
        )
    ),
)
_USE_VOICE = 'Use a voice such as "en-US-Ava:DragonHDLatestNeural", or model = "azure-realtime".'
_USE_VAD = 'Use "azure_semantic_vad", or a gpt-realtime model.'
_USE_NOISE = 'Use "azure_deep_noise_suppression", or a gpt-realtime model.'
_USE_SPEECH = 'Use "azure-speech", or a gpt-realtime model.'
_native = f"^({'|'.join(NATIVE_VOICES)})$"
_openai_transcribers = f"^({'|'.join(OPENAI_TRANSCRIBERS)})$"
_RULES = (
    *_MODE_RULES,
    _needs_model(("voice",), _native, AZURE_REALTIME, _USE_VOICE),
    _needs_model(("voice", "type"), "^azure-realtime-native$", AZURE_REALTIME, _USE_VOICE),
    *(
        _needs_model(path, "^semantic_vad$", GPT_REALTIME, _USE_VAD)
        for path in (("turn_detection",), ("turn_detection", "type"))
    ),
    *(
        _needs_model(path, "^(near|far)_field$", GPT_REALTIME, _USE_NOISE)
        for path in (("noise_reduction",), ("noise_reduction", "type"))
    ),
    *(
        rule
        for path in (("transcription",), ("transcription", "model"))
        for rule in (
            _needs_model(path, _openai_transcribers, GPT_REALTIME, _USE_SPEECH),
            Never(
                (Fits(path, "^azure-speech$"), Fits(_MODEL, GPT_REALTIME)),
                path,
                "this does not work with this agent's model",
                'Use "gpt-4o-mini-transcribe" or "whisper-1".',
            ),
        )
    ),
    *(
        Never(
            (Has(("session", key)),),
            ("session", key),
            "the audio format is the call's own",
            "Remove it: it follows from the deployment's AUDIO_RATE.",
        )
        for key in ("input_audio_format", "input_audio_sampling_rate", "output_audio_format")
    ),
)

_name = Text(max_length=200)
_VOICE_LIVE = Table(
    {
        "bridge": Field(
            Text(choices=("voice_live",)), "What connects the caller to the AI.", required=True
        ),
        "model": Field(
            Text(pattern=r"^\S+$", such_as='a model such as "gpt-realtime"', max_length=200),
            "A Voice Live model, such as gpt-realtime or gpt-5.1. Or name a Foundry agent.",
        ),
        "instructions": Field(
            Text(max_length=32_000), "The prompt: who the agent is and how it should speak."
        ),
        "temperature": Field(Number(0, 1.2), "How freely the model chooses its words."),
        "project": Field(_name, "A Foundry project; with `agent`, in place of `model`."),
        "agent": Field(_name, "The Foundry agent that answers: it has its own instructions."),
        "version": Field(
            Either((_name, Number(0, 1_000_000, whole=True))),
            "Pins the Foundry agent to a version. Left out: the newest.",
        ),
        "voice": Field(VOICE, "How the agent sounds: a name, or a table for more."),
        "turn_detection": Field(
            TURN_DETECTION,
            "How the service hears that the caller has finished.",
            default="azure_semantic_vad",
        ),
        "noise_reduction": Field(
            NOISE_REDUCTION,
            "Removes noise around the caller; false turns it off.",
            default="azure_deep_noise_suppression",
        ),
        "echo_cancellation": Field(
            ECHO_CANCELLATION,
            "Removes the agent's own voice from the line; false turns it off.",
            default=True,
        ),
        "transcription": Field(
            TRANSCRIPTION,
            "What writes down the caller's words; false turns it off. Left out: "
            "gpt-4o-mini-transcribe for gpt-realtime models, azure-speech for all others.",
        ),
        "session": Field(
            MapOf(Text(), Anything()),
            "Fields of Voice Live's session.update, sent as they stand, over everything else.",
        ),
        **SPOKEN,
        "heard_truth": Field(
            Text(choices=("truncate", "replace", "service")),
            "How the agent learns what an interrupting caller did hear: the worker cuts the "
            "spoken turn (truncate), writes the words heard in its place (replace), or leaves it "
            "to the service. Left out: truncate where the model speaks itself, else replace.",
        ),
    },
    never=_RULES,
)
AGENT = Tagged("bridge", {"voice_live": _VOICE_LIVE, "realtime_speech": REALTIME_SPEECH})
"""One case for each member of `switchboard.agents.Agent`."""

_agent_name = Text(
    pattern="^[A-Za-z0-9][A-Za-z0-9_-]*$",
    such_as='a name of letters, digits, "-" and "_"',
    max_length=64,
)
_phone = Text(max_length=64)
_NUMBER = Table(
    {
        "agent": Field(_agent_name, "Who answers: a name from [agents].", required=True),
        "fallback_number": Field(
            _phone, "Where this number's callers are sent if the agent cannot be reached."
        ),
    }
)
DOCUMENT = Table(
    {
        "region": Field(
            Text(pattern="^[A-Z]{2}$", such_as='a country such as "US" or "DE"'),
            "The country of phone numbers that are written without +, such as US.",
        ),
        "default_agent": Field(
            _agent_name, "Who answers numbers that are not listed. Left out: nobody does."
        ),
        "fallback_number": Field(
            _phone, "Where callers are sent if an agent cannot be reached. Left out: hang up."
        ),
        "agents": Field(
            MapOf(_agent_name, AGENT, key_mend='Use letters, digits, "-" and "_".'),
            "The agents, each with its name: [agents.NAME].",
            required=True,
        ),
        "numbers": Field(
            MapOf(_phone, Either((_agent_name, _NUMBER))),
            "Which agent answers which number: an agent's name, or a table with `agent`.",
        ),
    },
    never=(
        Never(
            (Lacks(("numbers",)), Lacks(("default_agent",))),
            (),
            "no call would be answered: there are no [numbers] and no default_agent",
            'Add [numbers] with "+1…" = "NAME", or default_agent = "NAME" at the top.',
        ),
    ),
)
