"""What Azure Voice Live says to a client: bytes in, typed events out.

Source: Microsoft Learn, "Voice Live API reference (2026-07-15)", server events. Only what a bridge
acts upon is read; everything else is `Other`, whatever it holds, so that a new event or field of
the service changes nothing here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec


@dataclass(frozen=True, slots=True)
class SessionCreated:
    """The first event of a connection."""

    expires_at: float | None
    """Unix seconds."""
    conversation: str | None
    """In agent mode, what a later connection may go on with."""


@dataclass(frozen=True, slots=True)
class SessionUpdated:
    """The settings are in force."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The service hears the caller speak; `at_ms` counts the audio appended, padding included."""

    item: str
    at_ms: float | None


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The service hears the end of it; `at_ms` includes the silence that made it sure."""

    item: str
    at_ms: float | None


@dataclass(frozen=True, slots=True)
class ItemCreated:
    """An item has its place in the conversation."""

    item: str
    previous: str | None


@dataclass(frozen=True, slots=True)
class CallerTranscript:
    """The words of a caller item."""

    item: str
    text: str


@dataclass(frozen=True, slots=True)
class ResponseCreated:
    """A turn begins."""

    response: str


class AudioDelta(msgspec.Struct, frozen=True, gc=False):
    """Audio of a turn, base64 text as it came."""

    response: str
    item: str
    content_index: int
    audio: bytes


@dataclass(frozen=True, slots=True)
class TextDelta:
    """Words of a turn."""

    response: str
    item: str
    text: str


@dataclass(frozen=True, slots=True)
class WordSpoken:
    """When in an item's audio a word is spoken (Azure voices, if asked for)."""

    response: str
    item: str
    word: str
    end_ms: float


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """The model calls a function; its arguments are complete."""

    response: str
    call: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ResponseDone:
    """A turn is over."""

    response: str
    status: str
    usage: Mapping[str, int] = field(default_factory=dict)
    """Token counts; those of details are named `input_token_details.audio_tokens` and so on."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """An `error` (usually of one request; the session goes on) or a `warning`."""

    fatal: bool
    """Whether it is an `error`."""
    code: str
    event_id: str | None
    """Ours, of the message that it concerns, when the service says so."""
    param: str


@dataclass(frozen=True, slots=True)
class Other:
    """Nothing to act upon."""

    type: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """Not a server event."""


ServerEvent: TypeAlias = (
    SessionCreated
    | SessionUpdated
    | SpeechStarted
    | SpeechStopped
    | ItemCreated
    | CallerTranscript
    | ResponseCreated
    | AudioDelta
    | TextDelta
    | WordSpoken
    | FunctionCall
    | ResponseDone
    | Trouble
    | Other
    | Malformed
)


class _Delta(msgspec.Struct):
    type: str
    response_id: str = ""
    item_id: str = ""
    content_index: int = 0
    delta: msgspec.Raw = msgspec.Raw()


_decode_delta = msgspec.json.Decoder(_Delta).decode
_decode_anything = msgspec.json.Decoder().decode
_UNREADABLE = (msgspec.DecodeError, UnicodeError, RecursionError)
_LARGEST = 1e12
"""Of any number read here, milliseconds or Unix seconds; also keeps float() from overflowing."""

_AUDIO = ("response.audio.delta", "response.output_audio.delta")
_TEXT = (
    "response.audio_transcript.delta",
    "response.output_audio_transcript.delta",
    "response.text.delta",
    "response.output_text.delta",
)


def decode(message: bytes) -> ServerEvent:
    """What one message says. Never raises."""
    try:
        fast = _decode_delta(message)  # audio is long: not to be parsed into a dictionary
        if fast.type in _AUDIO:
            raw = bytes(fast.delta)
            if raw[:1] == b'"' and b"\\" not in raw:
                return AudioDelta(fast.response_id, fast.item_id, fast.content_index, raw[1:-1])
    except _UNREADABLE:
        pass  # other events may use the same names for other types
    try:
        fields = _decode_anything(message)
    except _UNREADABLE:
        return Malformed()
    if not isinstance(fields, dict) or not isinstance(kind := fields.get("type"), str):
        return Malformed()
    return _event(kind, fields)


def _event(kind: str, fields: dict[str, Any]) -> ServerEvent:
    match kind:
        case "session.created":
            return _session_created(_object(fields, "session"))
        case "session.updated":
            return SessionUpdated()
        case "input_audio_buffer.speech_started":
            return SpeechStarted(_text(fields, "item_id"), _number(fields, "audio_start_ms"))
        case "input_audio_buffer.speech_stopped":
            return SpeechStopped(_text(fields, "item_id"), _number(fields, "audio_end_ms"))
        case "conversation.item.created" | "conversation.item.added":
            item = _text(_object(fields, "item"), "id")
            return ItemCreated(item, _text(fields, "previous_item_id") or None)
        case "conversation.item.input_audio_transcription.completed":
            return CallerTranscript(_text(fields, "item_id"), _text(fields, "transcript"))
        case "response.created":
            return ResponseCreated(_text(_object(fields, "response"), "id"))
        case _ if kind in _AUDIO:
            return _audio(fields)
        case _ if kind in _TEXT:
            response, item = _text(fields, "response_id"), _text(fields, "item_id")
            return TextDelta(response, item, _text(fields, "delta"))
        case "response.audio_timestamp.delta":
            return _word_spoken(fields)
        case "response.output_item.done":
            return _item_done(kind, fields)
        case "response.done":
            return _response_done(_object(fields, "response"))
        case "error" | "warning":
            return _trouble(kind, fields)
        case _:
            return Other(kind)


def _session_created(session: dict[str, Any]) -> SessionCreated:
    agent = _object(session, "agent")
    return SessionCreated(_number(session, "expires_at"), _text(agent, "thread_id") or None)


def _audio(fields: dict[str, Any]) -> AudioDelta | Malformed:
    index = fields.get("content_index")
    try:
        audio = _text(fields, "delta").encode("ascii")
    except UnicodeEncodeError:
        return Malformed()
    index = index if isinstance(index, int) else 0
    return AudioDelta(_text(fields, "response_id"), _text(fields, "item_id"), index, audio)


def _word_spoken(fields: dict[str, Any]) -> WordSpoken:
    start_ms, length_ms = (_number(fields, f"audio_{name}_ms") for name in ("offset", "duration"))
    end_ms = (start_ms or 0.0) + (length_ms or 0.0)
    response, item = _text(fields, "response_id"), _text(fields, "item_id")
    return WordSpoken(response, item, _text(fields, "text"), end_ms)


def _item_done(kind: str, fields: dict[str, Any]) -> FunctionCall | Other:
    item = _object(fields, "item")
    if item.get("type") != "function_call":
        return Other(kind)
    call, name, arguments = (_text(item, key) for key in ("call_id", "name", "arguments"))
    return FunctionCall(_text(fields, "response_id"), call, name, arguments)


def _response_done(response: dict[str, Any]) -> ResponseDone:
    usage: dict[str, int] = {}
    for name, value in _object(response, "usage").items():
        counts = value.items() if isinstance(value, dict) else [("", value)]
        usage |= {f"{name}.{n}".rstrip("."): v for n, v in counts if type(v) is int}
    return ResponseDone(_text(response, "id"), _text(response, "status") or "completed", usage)


def _trouble(kind: str, fields: dict[str, Any]) -> Trouble:
    what = _object(fields, kind)
    code = _text(what, "code") or _text(what, "type") or "no_code"
    event_id = _text(what, "event_id") or None
    return Trouble(kind == "error", code, event_id, _text(what, "param"))


def _object(fields: dict[str, Any], name: str) -> dict[str, Any]:
    value = fields.get(name)
    return value if isinstance(value, dict) else {}


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _number(fields: dict[str, Any], name: str) -> float | None:
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > _LARGEST:
        return None
    return float(value)
