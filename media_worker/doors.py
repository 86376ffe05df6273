"""Who may open a media socket: decided before the upgrade. No I/O.

Three proofs, one behind the other (Azure Communication Services docs, "Secure webhook endpoint" and
"Audio streaming"): the service's own token, the call's token in the path, and the call connection
id that the call has in its record. Draining is no ground to refuse: the caller is already answered.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, assert_never

from media_worker.limits import HANDSHAKE_BURST, HANDSHAKES_PER_S
from switchboard.acs_jwt import Refused, Verified
from switchboard.record import (
    Answered,
    CallRecord,
    Closing,
    Ended,
    Live,
    Lost,
    Ringing,
    state_name,
)
from switchboard.session import is_call_id, is_token, tokens_match

CONNECTION_ID = "x-ms-call-connection-id"
"""Upgrade header that names the call connection (audio streaming docs)."""

MediaAuth = Literal["require", "prefer"]


@dataclass(frozen=True)
class Knock:
    """An upgrade request, reduced to what decides. The token is the path's, not the header's."""

    call_id: str
    token: str
    connection_id: str | None
    origin: str | None

    @classmethod
    def of(cls, path: Mapping[str, str], headers: Mapping[str, str]) -> "Knock":
        """The request with these path parts (`call_id`, `token`) and headers."""
        connection_id, origin = headers.get(CONNECTION_ID), headers.get("Origin")
        return cls(path["call_id"], path["token"], connection_id, origin)


@dataclass(frozen=True)
class Refusal:
    """Why the door stays shut. `claim` names what failed; values of secrets are never in here."""

    status: Literal[401, 403, 404, 409, 426, 429, 503]
    claim: str
    expected: str = ""
    received: str = ""


class Handshakes:
    """A token bucket over handshakes of the process, against floods. `now` in seconds."""

    def __init__(self, now: float) -> None:
        self._level = float(HANDSHAKE_BURST)
        self._at = now

    def take(self, now: float) -> bool:
        """Takes one; False when too many came at once."""
        refill = (now - self._at) * HANDSHAKES_PER_S
        self._level, self._at = min(HANDSHAKE_BURST, self._level + refill), now
        if self._level < 1:
            return False
        self._level -= 1
        return True


TOO_MANY = Refusal(429, "rate", f"at most {HANDSHAKES_PER_S} handshakes a second")


def shape(knock: Knock) -> Refusal | None:
    """What the request shows by itself, before any key or record is looked at."""
    if not is_call_id(knock.call_id):
        return Refusal(404, "call_id", "a call id")
    if not is_token(knock.token):
        return Refusal(403, "token", "a media token")
    if knock.origin is not None:
        return Refusal(403, "origin", "none: media sockets are not for browsers", knock.origin)
    return None


def identity(verdict: Verified | Refused, auth: MediaAuth) -> Refusal | None:
    """The service's token; under `prefer` a bad one is for the log only."""
    match verdict:
        case Verified():
            return None
        case Refused() if auth == "prefer":
            return None
        case Refused(claim, expected, received):
            return Refusal(401, claim, expected, received)
        case _:
            assert_never(verdict)


def admission(knock: Knock, record: CallRecord | None) -> Refusal | None:
    """The call itself: its token, its connection, and whether it still wants media."""
    if record is None:
        return Refusal(404, "call_id", "a call with a record", knock.call_id)
    if not tokens_match(knock.token, record.media_token_hash):
        return Refusal(403, "token", "the call's media token", "another")
    if not knock.connection_id or record.connection_id not in (None, knock.connection_id):
        expected = record.connection_id or "any"
        return Refusal(403, CONNECTION_ID, expected, knock.connection_id or "none")
    match record.state:
        case Ringing() | Answered() | Live() | Lost():
            return None
        case Closing() | Ended():
            wanted = "ringing, answered, live or lost"
            return Refusal(409, "state", wanted, state_name(record.state))
        case _:
            assert_never(record.state)


def room(other_calls: int, max_calls: int) -> Refusal | None:
    """The process's hard limit. `other_calls`: a new socket of a running call is no new call."""
    if other_calls >= max_calls:
        return Refusal(503, "calls", f"fewer than {max_calls}", str(other_calls))
    return None
