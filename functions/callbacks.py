"""Hears what Azure Communication Services calls back about a call, and recovers its media.

The media worker learns all it needs from its socket; this is the net under it. Only three events
move anything: media failed, media stopped, and connected, when no media follows.
"""

import asyncio
import json
import logging
import re
from dataclasses import dataclass

from functions.limits import MAX_CALLBACK_BYTES
from functions.loading import Services
from functions.log import log
from switchboard.acs_jwt import Refused
from switchboard.ledger import StorageUnavailable
from switchboard.limits import MEDIA_AFTER_CONNECT_S
from switchboard.moves import ConnectedWithoutMedia, Doubt, MediaDown
from switchboard.record import Answered, CallRecord, RecordError, Ringing
from switchboard.recovery import Recovered, recover
from switchboard.session import is_call_id, is_token, tokens_match

MARK = {"x-switchboard": "call_events"}
"""On every reply: whoever asks whether callbacks arrive sees that it was no proxy that answered."""

_PREFIX = "Microsoft.Communication."
_TYPE = re.compile(r"[A-Za-z.]{1,80}")
_CONNECTION_ID = re.compile(r"[A-Za-z0-9-]{1,128}")


@dataclass(frozen=True)
class CallEvent:
    """One event about one call, as far as it is used here."""

    type: str
    """Without its prefix: `CallConnected`."""

    connection_id: str
    code: str
    """`resultInformation`, such as `400/8581`; empty if there is none."""


async def hear(
    services: Services, call_id: str, token: str, authorization: str | None, body: bytes
) -> int:
    """Handles one callback; returns the HTTP status.

    401: the JWT is not Azure Communication Services' for our resource. 403: the token in the path
    is not this call's. 400: the body is no list of events. 503: the record cannot be reached. Every
    kind of event that we do not use gets its 200.
    """
    named = call_id if is_call_id(call_id) else None
    verdict = await services.tokens.verify(authorization)
    if isinstance(verdict, Refused):
        log(
            "callback_refused",
            logging.WARNING,
            call_id=named,
            claim=verdict.claim,
            expected=verdict.expected,
            received=verdict.received,
        )
        return 401
    try:
        record = await _record_of(services, call_id, token)
        if record is None:
            log("callback_refused", logging.WARNING, call_id=named, claim="token in the path")
            return 403
        events = parse_events(body)
        if events is None:
            log("callback_malformed", logging.WARNING, call_id=call_id, bytes=len(body))
            return 400
        for event in events:
            log("call_event", call_id=call_id, type=event.type, code=event.code)
        await _recover_if_in_doubt(services, record, events)
    except StorageUnavailable as error:
        log("callback_left", logging.ERROR, call_id=call_id, why=str(error))
        return 503
    except RecordError as error:
        log("record_unreadable", logging.ERROR, call_id=call_id, why=str(error))
    return 200


async def _record_of(services: Services, call_id: str, token: str) -> CallRecord | None:
    """The call's record, if `token` is the one of its callbacks."""
    if not is_call_id(call_id) or not is_token(token):
        return None
    found = await services.ledger.records.get(call_id)
    if found is None or not tokens_match(token, found.record.callback_token_hash):
        return None
    return found.record


async def _recover_if_in_doubt(
    services: Services, record: CallRecord, events: list[CallEvent]
) -> None:
    doubt: Doubt | None = None
    for event in events:
        if event.type in ("MediaStreamingFailed", "MediaStreamingStopped"):
            doubt = MediaDown(event.connection_id)
        elif event.type == "CallConnected" and doubt is None:
            doubt = ConnectedWithoutMedia(event.connection_id)
    if isinstance(doubt, ConnectedWithoutMedia):
        await asyncio.sleep(MEDIA_AFTER_CONNECT_S)
        newest = await services.ledger.records.get(record.call_id)
        if newest is None or not isinstance(newest.record.state, Ringing | Answered):
            return
    if doubt is not None:
        recovered = await recover(services.ledger, services.calls, record.call_id, doubt)
        log(
            "call_recovered",
            call_id=record.call_id,
            doubt=type(doubt).__name__,
            became=recovered.value,
        )
        if recovered is Recovered.ENDED:
            reason = await services.ledger.end_reason(record.call_id)
            log("call_ended", call_id=record.call_id, reason=reason)


def parse_events(body: bytes) -> list[CallEvent] | None:
    """The events in a callback's body: a JSON array of CloudEvents 1.0, or one alone (ACS docs,
    "Call Automation webhook events"). None: no such thing. A malformed event among others is
    passed over."""
    if len(body) > MAX_CALLBACK_BYTES:
        return None
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if isinstance(document, dict):
        document = [document]
    if not isinstance(document, list) or (document and not any(map(_event_of, document))):
        return None
    return [event for event in map(_event_of, document) if event is not None]


def _event_of(entry: object) -> CallEvent | None:
    if not isinstance(entry, dict) or not isinstance(entry.get("data"), dict):
        return None
    type_, data = entry.get("type"), entry["data"]
    connection_id = data.get("callConnectionId")
    if not isinstance(type_, str) or not _TYPE.fullmatch(type_):
        return None
    if not isinstance(connection_id, str) or not _CONNECTION_ID.fullmatch(connection_id):
        return None
    return CallEvent(type_.removeprefix(_PREFIX), connection_id, _code_of(data))


def _code_of(data: dict[str, object]) -> str:
    result = data.get("resultInformation")
    if not isinstance(result, dict):
        return ""
    numbers = result.get("code"), result.get("subCode")
    return "/".join(str(number) for number in numbers if isinstance(number, int))
