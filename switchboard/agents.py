"""Agents: what answers a number, as plain frozen data that travels with every call.

An agent is read from `agents.toml` by `switchboard.directory`; a call carries a snapshot of it as
JSON, so that a change of the file touches only calls that begin after it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Literal, TypeAlias, TypeGuard, get_args

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"
HeardTruth = Literal["truncate", "replace", "service"]
BRIDGES = ("voice_live",)
"""The values of `bridge`, one for each member of `Agent`."""


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


Agent: TypeAlias = VoiceLiveAgent
"""Closed union, told apart by `bridge`; `match` on it ends in `assert_never`."""


def agent_to_json(agent: Agent) -> dict[str, JSON]:
    """The snapshot: plain JSON, independent of `agent`; `agent_from_json` gives an equal agent."""
    snapshot: dict[str, JSON] = {f.name: _copy(getattr(agent, f.name)) for f in fields(agent)}
    silence = agent.silence
    snapshot["silence"] = {f.name: _copy(getattr(silence, f.name)) for f in fields(silence)}
    return snapshot


def agent_from_json(obj: object) -> Agent:
    """Reads a snapshot. An absent field has its default and an unknown one is left out, so that
    Functions and workers of neighbouring versions understand each other during a deployment.

    Raises:
        AgentError: not a snapshot, an unknown bridge, or a field missing or of the wrong type.
    """
    if not _is_table(obj):
        raise AgentError(f"agent: a table is needed, not {type(obj).__name__}")
    bridge = obj.get("bridge")
    if bridge not in BRIDGES:
        raise AgentError(f"agent.bridge: {bridge!r} is not known here, only {', '.join(BRIDGES)}")
    values = _read("agent", VoiceLiveAgent, _AGENT_FIELDS, obj)
    if "silence" in values:
        silence = _read("agent.silence", Silence, _SILENCE_FIELDS, values["silence"])
        if "prompts" in silence:
            silence["prompts"] = tuple(silence["prompts"])
        values["silence"] = Silence(**silence)
    agent = VoiceLiveAgent(**values)
    if (agent.model is None) == (agent.project is None or agent.agent_name is None):
        raise AgentError("agent: either model, or project and agent_name")
    return agent


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


_SILENCE_FIELDS: dict[str, _Check] = {
    "prompt_after_s": _is_number,
    "prompts": _is_texts,
    "goodbye": _is_text,
}
_AGENT_FIELDS: dict[str, _Check] = {
    "name": _is_text,
    "bridge": _is_text,
    **dict.fromkeys(("model", "instructions"), _or_none(_is_text)),
    "temperature": _or_none(_is_number),
    **dict.fromkeys(("project", "agent_name", "agent_version"), _or_none(_is_text)),
    "voice": _or_none(_is_table),
    "turn_detection": _is_table,
    **dict.fromkeys(("noise_reduction", "echo_cancellation", "transcription"), _or_none(_is_table)),
    "session": _is_table,
    "greeting": _or_none(_is_text),
    "silence": _is_table,
    **dict.fromkeys(("goodbye", "apology"), _is_text),
    "max_call_minutes": _is_number,
    "transcript": _is_flag,
    "heard_truth": lambda value: value in get_args(HeardTruth),
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
            values[f.name] = _copy(obj[f.name])
        elif f.default is MISSING and f.default_factory is MISSING:
            raise AgentError(f"{path}.{f.name}: missing")
    return values


def _copy(value: Any) -> Any:
    """Tuples become lists, as JSON has them."""
    if isinstance(value, Mapping):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_copy(item) for item in value]
    return value
