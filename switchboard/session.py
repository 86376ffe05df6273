"""The session descriptor: all that a worker must know to carry one call, and the call's names.

Everything here is derived from the incoming-call event, so that every delivery of the same event
leads to the same call id, the same tokens and the same answer. No I/O.
"""

import base64
import hashlib
import hmac
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from xml.sax.saxutils import escape

from switchboard.agents import Agent, AgentError, agent_from_json, agent_to_json
from switchboard.limits import DESCRIPTOR_MAX_BYTES

VERSION = 1
"""The only descriptor version that this code writes and reads."""

TokenLabel = Literal["media", "callback"]

_CALL_ID = re.compile(r"[0-9]{8}-[0-9a-f]{24}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_NOT_IN_XML = re.compile("[\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_RATES = (16000, 24000)


class DescriptorError(ValueError):
    """A session descriptor that cannot be written or read; the text says why, without content."""


@dataclass(frozen=True, kw_only=True)
class SessionDescriptor:
    """One call, self-contained: whoever holds it needs no configuration to carry the call on."""

    version: int = VERSION
    call_id: str
    """`YYYYMMDD-` and 24 hex digits, see `call_id_of`."""
    called: str
    """ACS raw id of the called party: `4:+1555…`, `28:orgid:…`, `8:acs:…`."""
    caller: str
    """ACS raw id of the caller, or `anonymous`."""
    caller_name: str
    """Display name as the network gave it; often empty. Spoofable: never a proof of identity."""
    correlation_id: str
    server_call_id: str
    rung_at: float
    """When the incoming-call event was raised, Unix seconds."""
    agent: Agent
    """The agent with all its settings, as configured when the phone rang."""
    directory_generation: str
    fallback_number: str | None
    """Where recovery transfers the caller, E.164; None: recovery hangs up after the apology."""
    traceparent: str | None
    """W3C Trace Context of the invocation that answered."""
    audio_rate: int
    """Samples per second of the caller's PCM16 audio: 24000 or 16000."""

    def to_json(self) -> str:
        """Compact JSON, safe inside a queue message.

        Raises `DescriptorError` when it would not fit the queue's 64 KiB, which only overlong
        agent texts can cause.
        """
        fields = {name: getattr(self, name) for name in _FIELDS} | {
            "agent": agent_to_json(self.agent)
        }
        text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
        text = _NOT_IN_XML.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
        if (size := len(escape(text).encode())) > DESCRIPTOR_MAX_BYTES:
            raise DescriptorError(
                f"the session descriptor is {size} bytes, a queue message carries "
                f"{DESCRIPTOR_MAX_BYTES}: shorten the texts of agent {self.agent.name!r}"
            )
        return text

    @classmethod
    def from_json(cls, text: str) -> "SessionDescriptor":
        """The descriptor in `text`; `DescriptorError` says why there is none."""
        if len(text) > DESCRIPTOR_MAX_BYTES:
            raise DescriptorError(f"oversized: {len(text)} characters")
        try:
            fields = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise DescriptorError("not JSON") from error
        return cls.from_fields(fields)

    @classmethod
    def from_fields(cls, fields: object) -> "SessionDescriptor":
        """The descriptor in a decoded JSON value; raises as `from_json` does."""
        if not isinstance(fields, dict):
            raise DescriptorError("not a JSON object")
        if fields.get("version") != VERSION:
            raise DescriptorError(
                f"version {_shown(fields.get('version'))} is unknown here, only {VERSION} is known"
            )
        if missing := [name for name in _FIELDS if name not in fields]:
            raise DescriptorError(f"missing: {', '.join(missing)}")
        if wrong := [name for name, check in _FIELDS.items() if not check(fields[name])]:
            raise DescriptorError(f"malformed: {', '.join(wrong)}")
        try:
            agent = agent_from_json(fields["agent"])
        except AgentError as error:
            raise DescriptorError(f"agent: {error}") from error
        return cls(**{name: fields[name] for name in _FIELDS} | {"agent": agent})


def _shown(version: object) -> str:
    return repr(version) if isinstance(version, int) else type(version).__name__


def _text(value: object) -> bool:
    return isinstance(value, str)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12


_FIELDS: Mapping[str, Any] = {
    "version": lambda value: value == VERSION,
    "call_id": lambda value: isinstance(value, str) and is_call_id(value),
    "called": _text,
    "caller": _text,
    "caller_name": _text,
    "correlation_id": _text,
    "server_call_id": _text,
    "rung_at": _number,
    "agent": lambda value: isinstance(value, dict),
    "directory_generation": _text,
    "fallback_number": lambda value: value is None or _text(value),
    "traceparent": lambda value: value is None or _text(value),
    "audio_rate": lambda value: value in _RATES and not isinstance(value, bool),
}


def is_call_id(value: str) -> bool:
    """Whether `value` has the shape of a call id; checked before it becomes a blob's name."""
    return bool(_CALL_ID.fullmatch(value))


def is_token(value: str) -> bool:
    """Whether `value` has the shape of a derived token."""
    return bool(_TOKEN.fullmatch(value))


def call_id_of(
    event_time: float, correlation_id: str, to_raw_id: str, incoming_call_context: str
) -> str:
    """The call's id: the event's UTC date, then a hash of what makes it one call.

    `correlationId` alone names a chain of calls and survives a redirect (ACS SDK docs), so the
    called party and the context count too: a call passed from one of our numbers to another is a
    new call.
    """
    day = datetime.fromtimestamp(event_time, UTC).strftime("%Y%m%d")
    whole = json.dumps([correlation_id, to_raw_id, incoming_call_context])
    return f"{day}-{hashlib.sha256(whole.encode()).hexdigest()[:24]}"


def derive_token(incoming_call_context: str, label: TokenLabel, call_id: str) -> str:
    """43 URL-safe characters that only holders of the event's context can make.

    Derived, not drawn: a second attempt at the same answer, by another process, must carry the
    URLs that ACS may already hold from the first.
    """
    mac = hmac.digest(incoming_call_context.encode(), f"{label} {call_id}".encode(), "sha256")
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def token_hash(token: str) -> str:
    """What the record keeps of a token: its SHA-256, 64 hex digits."""
    return hashlib.sha256(token.encode()).hexdigest()


def tokens_match(token: str, expected_hash: str) -> bool:
    """Whether `token` is the one of that hash, in constant time."""
    return hmac.compare_digest(token_hash(token), expected_hash)


def repeatability_id(token: str) -> str:
    """The `Repeatability-Request-ID` of the answer made with this token: equal over attempts."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, token_hash(token)))


def traceparent_of(call_id: str, received: str | None) -> str:
    """The trace to continue: `received` if it is well formed, else one made from the call id."""
    if received is not None and _TRACEPARENT.fullmatch(received):
        return received
    digest = hashlib.sha256(call_id.encode()).hexdigest()
    return f"00-{digest[:32]}-{digest[32:48]}-01"
