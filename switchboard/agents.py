"""Agents: what answers a number, as plain frozen data that travels with every call.

An agent is read from `agents.toml` by `switchboard.directory`; a call carries a snapshot of it as
JSON, so that a change of the file touches only calls that begin after it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from typing import Any, Literal, TypeAlias, TypeGuard, get_args

from switchboard.speech_voice import BargeIn, Sensor, Speaking, SpeechVoice

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"
HeardTruth = Literal["truncate", "replace", "service"]
BRIDGES = ("voice_live", "realtime_speech")
"""The values of `bridge`, one for each member of `Agent`."""

_FAR_FIELD = {"type": "far_field"}
TRANSCRIBER = "gpt-realtime-whisper"


class AgentError(Exception):
    """A snapshot that is no agent; the message names the field."""


@dataclass(frozen=True)
class Silence:
    """What happens while the caller says nothing."""

    prompt_after_s: float = 8.0
    """Seconds of silence before each prompt, and once more before the goodbye."""

    prompts: tuple[str, ...] = ("Are you still there?",)
    """Spoken one after the other. Empty: the caller's silence never ends the call."""

    goodbye: str = "I can't hear you, so I'll hang up now. Please call again."
    """Spoken after the last prompt; then the call ends as `caller_silent`."""


@dataclass(frozen=True)
class VoiceLiveAgent:
    """An agent on Azure Voice Live: model mode (`model`) or agent mode (`project`, `agent_name`).

    `voice`, `turn_detection`, `noise_reduction`, `echo_cancellation` and `transcription` are the
    validated wire form of the fields of `session.update` (Voice Live API reference, 2026-07-15).
    They and `session` are to be read, never changed.
    """

    name: str
    """The key under [agents] in the file."""

    bridge: Literal["voice_live"] = "voice_live"
    model: str | None = None
    """Model mode: for example `gpt-realtime-2.1`. None in agent mode."""

    instructions: str | None = None
    """Model mode only."""

    temperature: float | None = None
    """Model mode only. None: the service's default."""

    project: str | None = None
    """Agent mode: the Foundry project (`agent-project-name`). None in model mode."""

    agent_name: str | None = None
    """Agent mode: the Foundry agent (`agent-name`). None in model mode."""

    agent_version: str | None = None
    """Agent mode: pins a version (`agent-version`). None: the newest."""

    voice: Mapping[str, JSON] | None = None
    """Such as `{"type": "azure-standard", "name": …}`. None: leave it out, the service chooses."""

    turn_detection: Mapping[str, JSON] = field(
        default_factory=lambda: {"type": "azure_semantic_vad"}
    )
    """Never has `auto_truncate`, `create_response` or `interrupt_response`: the bridge's to add."""

    noise_reduction: Mapping[str, JSON] | None = field(
        default_factory=lambda: {"type": "azure_deep_noise_suppression"}
    )
    """`input_audio_noise_reduction`. None: off, sent as null."""

    echo_cancellation: Mapping[str, JSON] | None = field(
        default_factory=lambda: {"type": "server_echo_cancellation"}
    )
    """`input_audio_echo_cancellation`. None: off, sent as null."""

    transcription: Mapping[str, JSON] | None = field(
        default_factory=lambda: {"model": "azure-speech"}
    )
    """`input_audio_transcription`. None: off, sent as null."""

    session: Mapping[str, JSON] = field(default_factory=dict)
    """Raw fields of `session.update`, merged last, over everything above."""

    greeting: str | None = None
    """Spoken first, word for word. None: the agent waits for the caller to speak."""

    silence: Silence = field(default_factory=Silence)
    goodbye: str = "I have to end our call here. Thank you for calling, goodbye."
    """Spoken when `max_call_minutes` are over, before hanging up."""

    apology: str = "I'm sorry, we have a technical problem."
    """Spoken to the caller by Azure Communication Services itself when the agent cannot speak."""

    max_call_minutes: float = 55.0
    """From the first audio. Under Voice Live's 60 minutes a session: the goodbye is heard."""

    transcript: bool = True
    """Whether the call's record keeps the words spoken."""

    heard_truth: HeardTruth = "replace"
    """How an interrupted turn is cut to what the caller heard: `truncate` the item, `replace` it
    by the words heard, or leave it to the `service` (`auto_truncate`)."""


@dataclass(frozen=True)
class RealtimeSpeechAgent:
    """An agent whose model hears the caller and writes (Azure OpenAI Realtime, GA), and whose words
    a voice of Azure Speech says.

    `turn_detection`, `noise_reduction` and `transcription` are the wire form of the fields of
    `session.audio.input`, never to be changed. What has no docstring is as in `VoiceLiveAgent`.
    """

    name: str
    voice: SpeechVoice
    bridge: Literal["realtime_speech"] = "realtime_speech"
    model: str = "gpt-realtime-2.1-mini"
    """The deployment's name."""

    instructions: str | None = None
    turn_detection: Mapping[str, JSON] = field(default_factory=lambda: {"type": "server_vad"})
    """Never has `create_response` or `interrupt_response`: the bridge's to add."""

    noise_reduction: Mapping[str, JSON] | None = field(default_factory=lambda: _FAR_FIELD)
    transcription: Mapping[str, JSON] | None = field(default_factory=lambda: {"model": TRANSCRIBER})
    fallback_voice: SpeechVoice | None = None
    """Speaks when `voice` cannot."""

    speaking: Speaking = "auto"
    """Text as it is written (`stream`), or clause by clause as SSML (`clauses`); `auto`: clauses
    for a voice that needs SSML, else the stream."""

    barge_in: BargeIn = field(default_factory=BargeIn)
    waiting: tuple[str, ...] = ("One moment, please.",)
    """Said, one after the other, when an answer is long in coming. Empty: nothing is said."""

    greeting: str | None = None
    silence: Silence = field(default_factory=Silence)
    goodbye: str = VoiceLiveAgent.goodbye
    apology: str = VoiceLiveAgent.apology
    max_call_minutes: float = VoiceLiveAgent.max_call_minutes
    transcript: bool = True


Agent: TypeAlias = VoiceLiveAgent | RealtimeSpeechAgent
"""Closed union, told apart by `bridge`; `match` on it ends in `assert_never`."""


def agent_to_json(agent: Agent) -> dict[str, JSON]:
    """The snapshot: plain JSON, independent of `agent`; `agent_from_json` gives an equal agent."""
    return {f.name: _copy(getattr(agent, f.name)) for f in fields(agent)}


def agent_from_json(obj: object) -> Agent:
    """Reads a snapshot. An absent field has its default and an unknown one is left out, so that
    Functions and workers of neighbouring versions understand each other during a deployment.

    Raises:
        AgentError: not a snapshot, an unknown bridge, or a field missing or of the wrong type.
    """
    if not _is_table(obj):
        raise AgentError(f"agent: a table is needed, not {type(obj).__name__}")
    match obj.get("bridge"):
        case "voice_live":
            agent = VoiceLiveAgent(**_read("agent", VoiceLiveAgent, _VOICE_LIVE_FIELDS, obj))
            if (agent.model is None) == (agent.project is None or agent.agent_name is None):
                raise AgentError("agent: either model, or project and agent_name")
            return agent
        case "realtime_speech":
            return RealtimeSpeechAgent(**_read("agent", RealtimeSpeechAgent, _SPEECH_FIELDS, obj))
        case bridge:
            known = ", ".join(BRIDGES)
            raise AgentError(f"agent.bridge: {bridge!r} is not known here, only {known}")


_Check: TypeAlias = Callable[[object], bool]


def _is_table(value: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping) and all(isinstance(key, str) for key in value)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_texts(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(text, str) for text in value)


def _or_none(check: _Check) -> _Check:
    return lambda value: value is None or check(value)


_SHARED_FIELDS: dict[str, _Check] = {
    "name": _is_text,
    "bridge": _is_text,
    **dict.fromkeys(("instructions", "greeting"), _or_none(_is_text)),
    "turn_detection": _is_table,
    **dict.fromkeys(("noise_reduction", "transcription"), _or_none(_is_table)),
    "silence": _is_table,
    **dict.fromkeys(("goodbye", "apology"), _is_text),
    "max_call_minutes": _is_number,
    "transcript": _is_flag,
}
_VOICE_LIVE_FIELDS: dict[str, _Check] = {
    **_SHARED_FIELDS,
    "model": _or_none(_is_text),
    "temperature": _or_none(_is_number),
    **dict.fromkeys(("project", "agent_name", "agent_version"), _or_none(_is_text)),
    **dict.fromkeys(("voice", "echo_cancellation"), _or_none(_is_table)),
    "session": _is_table,
    "heard_truth": lambda value: value in get_args(HeardTruth),
}
_SPEECH_FIELDS: dict[str, _Check] = {
    **_SHARED_FIELDS,
    "model": _is_text,
    "voice": _is_table,
    "fallback_voice": _or_none(_is_table),
    "speaking": lambda value: value in get_args(Speaking),
    "barge_in": _is_table,
    "waiting": _is_texts,
}
_TEXTS = ("locale", "style", "rate", "pitch", "volume", "endpoint_id", "lexicon_url")
_Part: TypeAlias = tuple[type[Any], dict[str, _Check]]
_SPEECH_VOICE: _Part = (
    SpeechVoice,
    {
        "name": _is_text,
        "style_degree": _or_none(_is_number),
        **dict.fromkeys(_TEXTS, _or_none(_is_text)),
    },
)
_BARGE_IN: dict[str, _Check] = {
    "sensor": lambda value: value in get_args(Sensor),
    **dict.fromkeys(("threshold_dbfs", "minimum_speech_ms", "hang_over_ms"), _is_number),
    "adaptive_noise_floor": _is_flag,
}
_SILENCE: _Part = (
    Silence,
    {"prompt_after_s": _is_number, "prompts": _is_texts, "goodbye": _is_text},
)
_PARTS: dict[tuple[type[Any], str], _Part] = {
    (VoiceLiveAgent, "silence"): _SILENCE,
    (RealtimeSpeechAgent, "silence"): _SILENCE,
    (RealtimeSpeechAgent, "voice"): _SPEECH_VOICE,
    (RealtimeSpeechAgent, "fallback_voice"): _SPEECH_VOICE,
    (RealtimeSpeechAgent, "barge_in"): (BargeIn, _BARGE_IN),
}


def _read(
    path: str, cls: type[Any], checks: Mapping[str, _Check], obj: Mapping[str, Any]
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for f in fields(cls):
        if f.name in obj:
            if not checks[f.name](obj[f.name]):
                kind = type(obj[f.name]).__name__
                raise AgentError(f"{path}.{f.name}: a {kind} that does not belong here")
            value = values[f.name] = _copy(obj[f.name])
            if value is not None and (part := _PARTS.get((cls, f.name))):
                values[f.name] = part[0](**_read(f"{path}.{f.name}", *part, value))
            elif f.name in ("prompts", "waiting"):
                values[f.name] = tuple(value)
        elif f.default is MISSING and f.default_factory is MISSING:
            raise AgentError(f"{path}.{f.name}: missing")
    return values


def _copy(value: Any) -> Any:
    """Tuples become lists and dataclasses tables, as JSON has them."""
    if is_dataclass(value):
        return {f.name: _copy(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_copy(item) for item in value]
    return value
