"""What the worker's log says of one call: which claims of its media token were in doubt."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from doctor.verdicts import Fail, NotChecked, Ok, Verdict
from switchboard.limits import TOKEN_LEEWAY_S

HOW = (
    "az containerapp logs show --name WORKER --resource-group GROUP --follow --format text "
    "> worker.log beside doctor --first-call --worker-log worker.log"
)
"""How an admin gets the log."""

_CLAIM_MENDS = {
    "aud": "Set ACS_IMMUTABLE_RESOURCE_ID to the resource's immutable id (az communication show "
    "--query immutableResourceId), for both deployables.",
    "iss": "Set ACS_ISSUER to the issuer that came, or leave it unset.",
    "kid": "See the lines acs.keys and acs.issuer: the key that signed is not among those "
    "published at ACS_JWKS_URL.",
    "signature": "Check ACS_JWKS_URL: the key of that id there did not sign this token.",
    "exp": "Set the worker's clock right (NTP): the token seems to have expired.",
    "nbf": "Set the worker's clock right (NTP): the token does not seem to be valid yet.",
    "authorization": "Let the ingress before the worker pass the Authorization header on.",
    "x-ms-call-connection-id": "Let the ingress pass x-ms-call-connection-id on.",
    "calls": "Add replicas, or raise MAX_CALLS: the worker was full.",
    "rate": "Add replicas: too many handshakes came at once.",
}
_TIME = re.compile(r"-?\d+(\.\d+)?")


def claim_mend(claim: str) -> str:
    """What to do when the door refused this claim."""
    return _CLAIM_MENDS.get(claim, "See the worker's media_refused line for this call.")


@dataclass(frozen=True)
class Said:
    """One line, as far as it is used here."""

    event: str
    claim: str
    expected: str
    received: str


def lines_of(log: Iterable[str], call_id: str) -> Iterator[Said]:
    """The lines about the call; whatever else the log holds is passed over."""
    for line in log:
        start = line.find("{")
        try:
            told: Any = json.loads(line[start:]) if start >= 0 else None
        except (ValueError, RecursionError):
            continue
        if isinstance(told, dict) and told.get("call_id") == call_id:
            names = ("event", "claim", "expected", "received")
            yield Said(*(str(told.get(name) or "") for name in names))


def token_verdict(said: Iterable[Said]) -> Verdict:
    """What the worker says of the call's media token."""
    lines = list(said)
    for line in lines:
        if line.event in ("media_refused", "media_token_doubtful"):
            return Fail(_claim(line), claim_mend(line.claim))
    if not any(line.event == "call_taken" for line in lines):  # which comes after the door's
        return NotChecked("the worker's log does not reach back to the beginning of this call", HOW)
    return Ok(f"no claim of it was in doubt, its times right to within {TOKEN_LEEWAY_S:.0f} s")


def _claim(line: Said) -> str:
    times = _TIME.search(line.expected), _TIME.search(line.received)
    skew = ""
    if line.claim in ("exp", "nbf") and times[0] and times[1]:
        off_s = abs(float(times[0][0]) - float(times[1][0]))
        skew = f", {off_s:.0f} s apart"
    return f"{line.event}: {line.claim}, expected {line.expected}, received {line.received}{skew}"
