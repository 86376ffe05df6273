"""The IncomingCall event as ACS hands it to Event Grid, for every kind of caller. No I/O.

Shapes: azure-sdk-for-go azsystemevents test data and events recorded by azure-sdk-for-python; the
Teams Phone form from the Teams Phone extensibility quickstart.
"""

import base64
import hashlib
import json
import random
from typing import Any

from simulator.acs_wire import identifier

INCOMING_CALL = "Microsoft.Communication.IncomingCall"
CONTEXT_BYTES = 8192
"""Recorded contexts are 6 to 10 kB long."""


def incoming_call_context(seed: str) -> str:
    """An opaque capability of some 8 kB in the form of the real ones: header `alg: none`, empty
    signature, equal for equal `seed`."""
    header = _base64url(json.dumps({"alg": "none", "typ": "JWT"}).encode())
    noise = random.Random(seed).randbytes(CONTEXT_BYTES * 9 // 16)
    payload = {"cc": "H4sI" + base64.b64encode(noise).decode()}
    return f"{header}.{_base64url(json.dumps(payload).encode())}."


def server_call_id(correlation_id: str) -> str:
    """Opaque and long, base64 of a URL, as real ones are."""
    digest = hashlib.sha256(correlation_id.encode()).hexdigest()
    url = f"https://api.flightproxy.skype.com/api/v2/cp/conv-simulated.conv.skype.com/conv/{digest}"
    return base64.b64encode(url.encode()).decode()


def incoming_call_data(
    to: str,
    from_: str,
    correlation_id: str,
    context: str,
    *,
    display_name: str = "",
    custom_context: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The event's `data`. `to` and `from_` are raw ids (`4:+1…`, `4:anonymous`, `8:acs:…`,
    `28:orgid:…`)."""
    data: dict[str, Any] = {
        "to": identifier(to),
        "from": identifier(from_),
        "serverCallId": server_call_id(correlation_id),
        "callerDisplayName": display_name,
        "incomingCallContext": context,
        "correlationId": correlation_id,
    }
    if custom_context:
        data["customContext"] = custom_context
    return data


def subject(to: str, from_: str) -> str:
    """The event's `subject`."""
    return f"/caller/{from_}/recipient/{to}"


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
