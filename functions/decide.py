"""What to do about an incoming call: event + directory + time -> answer, reject or ignore. Pure.

The event is `Microsoft.Communication.IncomingCall` (ACS docs, "Incoming call concepts"; its fields
as in the recorded events of Microsoft's SDK tests). It is read tolerantly, since PSTN,
anonymous, VoIP and Teams Phone callers differ, but nothing in it is used unchecked.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from functions.limits import MAX_CONTEXT_CHARS
from switchboard.directory import Directory, Route
from switchboard.limits import EVENT_MAX_AGE_S
from switchboard.session import call_id_of

INCOMING_CALL = "Microsoft.Communication.IncomingCall"
ANONYMOUS = "anonymous"

_RAW_ID = re.compile(r"[!-~]{1,256}")
_OPAQUE_ID = re.compile(r"[!-~]{0,2048}")
_CONTEXT = re.compile(rf"[!-~]{{1,{MAX_CONTEXT_CHARS}}}")
_PHONE_NUMBER = re.compile(r"\+?[0-9]{2,15}")


@dataclass(frozen=True)
class Envelope:
    """What Event Grid's own schema and CloudEvents 1.0 have in common."""

    type: str
    source: str
    """The resource that raised it: `topic`, in CloudEvents `source`."""

    time: float | None
    """Unix seconds."""

    data: object


@dataclass(frozen=True)
class IncomingCall:
    """One ringing call, as far as it is needed to answer it."""

    call_id: str
    called: str
    """ACS raw id."""

    caller: str
    """ACS raw id, or `anonymous`."""

    caller_name: str
    correlation_id: str
    server_call_id: str
    rung_at: float
    context: str = field(repr=False)
    """`incomingCallContext`: opaque, and a capability to answer the call. Never logged."""


@dataclass(frozen=True)
class Answer:
    """This call is ours, and this agent takes it."""

    call: IncomingCall
    route: Route
    generation: str
    """Of the directory that decided."""


@dataclass(frozen=True)
class Reject:
    """The call is ours and nobody takes it: the caller hears the busy tone at once."""

    call: IncomingCall
    why: str


@dataclass(frozen=True)
class Ignore:
    """Nothing to do; `call_id` where the event got as far as having one."""

    why: str
    call_id: str | None = None


Decision: TypeAlias = Answer | Reject | Ignore


def decide(
    event: Envelope,
    directory: Directory | None,
    *,
    acs_resource_id: str,
    unmapped: Literal["default", "reject"],
    now: float,
) -> Decision:
    """Decides about one event at wall time `now`. Raises nothing, whatever the event holds.

    `directory` is None while there is no usable `agents.toml`: then the call is left to ring out,
    so that a mended file still finds the next delivery of the event.
    """
    if event.type != INCOMING_CALL:
        return Ignore("not an incoming call")
    if event.source.rstrip("/").lower() != acs_resource_id.lower():
        return Ignore("raised by another resource")
    call = _incoming_call(event)
    if isinstance(call, str):
        return Ignore(call)
    if now - call.rung_at > EVENT_MAX_AGE_S:
        return Ignore("too old: the phone has stopped ringing, or is about to", call.call_id)
    if directory is None:
        return Ignore("there is no usable directory", call.call_id)
    route = directory.route(call.called)
    if route is not None and (route.matched == "number" or unmapped == "default"):
        return Answer(call, route, directory.generation)
    if call.called.startswith("4:"):
        return Reject(call, "no agent for the number")
    return Ignore("no agent for this identity, which may be another application's", call.call_id)


def _incoming_call(event: Envelope) -> IncomingCall | str:
    """The call that the event tells of, or why it tells of none."""
    data = event.data
    if not isinstance(data, Mapping):
        return "malformed: data"
    called = raw_id_of(data.get("to"))
    context = data.get("incomingCallContext")
    if called is None:
        return "malformed: to"
    if not isinstance(context, str) or not _CONTEXT.fullmatch(context):
        return "malformed: incomingCallContext"
    if event.time is None:
        return "malformed: no time"
    correlation_id = _opaque(data.get("correlationId"))
    return IncomingCall(
        call_id=call_id_of(event.time, correlation_id, called, context),
        called=called,
        caller=_caller(data.get("from")),
        caller_name=_display_name(data.get("callerDisplayName")),
        correlation_id=correlation_id,
        server_call_id=_opaque(data.get("serverCallId")),
        rung_at=event.time,
        context=context,
    )


def raw_id_of(identifier: object) -> str | None:
    """The ACS raw id of a communication identifier; rebuilt from its parts if it has none.

    Raw ids begin with `4:` (phone number), `8:acs:` (ACS user), `8:orgid:` (Teams user) or
    `28:orgid:` (Teams app, also a Teams Phone resource account).
    """
    if not isinstance(identifier, Mapping):
        return None
    raw_id = identifier.get("rawId")
    if isinstance(raw_id, str) and raw_id:
        return raw_id if _RAW_ID.fullmatch(raw_id) else None
    number = _inner(identifier, "phoneNumber", "value")
    if number is not None and _PHONE_NUMBER.fullmatch(number):
        return f"4:{number}"
    user = _inner(identifier, "communicationUser", "id")
    return user if user is not None and _RAW_ID.fullmatch(user) else None


def _caller(identifier: object) -> str:
    """The caller's raw id; `anonymous` when withheld or unusable."""
    raw_id = raw_id_of(identifier)
    if raw_id is None or raw_id.lower() in ("4:anonymous", ANONYMOUS):
        return ANONYMOUS
    number = identifier.get("phoneNumber") if isinstance(identifier, Mapping) else None
    if isinstance(number, Mapping) and number.get("isAnonymous") is True:
        return ANONYMOUS
    return raw_id


def _inner(identifier: Mapping[str, Any], kind: str, name: str) -> str | None:
    inner = identifier.get(kind)
    value = inner.get(name) if isinstance(inner, Mapping) else None
    return value if isinstance(value, str) else None


def _display_name(value: object) -> str:
    """At most 128 printable characters of what the network says the caller is called."""
    if not isinstance(value, str):
        return ""
    return "".join(character for character in value if character.isprintable())[:128].strip()


def _opaque(value: object) -> str:
    return value if isinstance(value, str) and _OPAQUE_ID.fullmatch(value) else ""
