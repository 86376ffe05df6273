"""Who may call simulated ACS: the access key's HMAC, or an Entra token."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator.clock import wall_now
from simulator.identity import TokenRefused, check_token

AUDIENCE = "https://communication.azure.com/"
"""The SDK asks for the scope `https://communication.azure.com//.default`."""


@dataclass(frozen=True)
class Received:
    """The parts of a request that its signature covers; `target` is path and query as sent."""

    method: str
    target: str
    host: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class AccessKey:
    """Base64 of the resource's key."""

    key: str

    def refuses(self, request: Received) -> str | None:
        """Why the signature is not good (ACS docs, "Sign an HTTP request"); None: it is."""
        auth = request.headers.get("Authorization", "")
        prefix = "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature="
        if not auth.startswith(prefix):
            return "no HMAC-SHA256 signature"
        content = base64.b64encode(hashlib.sha256(request.body).digest()).decode()
        if request.headers.get("x-ms-content-sha256") != content:
            return "x-ms-content-sha256 is not the body's"
        date = request.headers.get("x-ms-date", "")
        given = auth[len(prefix) :]
        for target in _spellings(request.target):
            signed = f"{request.method}\n{target}\n{date};{request.host};{content}"
            digest = hmac.new(base64.b64decode(self.key), signed.encode(), hashlib.sha256).digest()
            if hmac.compare_digest(base64.b64encode(digest).decode(), given):
                return None
        return "the signature does not match"


@dataclass(frozen=True)
class EntraTokens:
    """Bearer tokens of the simulated identity service, for the audience of ACS.

    `key` checks their signature; None where the identity service is another process, whose key
    this one does not have.
    """

    key: Any = None
    audience: str = AUDIENCE

    def refuses(self, request: Received) -> str | None:
        """Why the token is not good; None: it is."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer":
            return "no bearer token"
        try:
            check_token(token, audience=self.audience, now=wall_now(), key=self.key)
        except TokenRefused as error:
            return str(error)
        return None


def _spellings(target: str) -> list[str]:
    """The async SDK 1.6.0 signs `4%3A%2B1…` but sends `4:%2B1…` (azure-sdk-for-python 39419)."""
    path, mark, query = target.partition("?")
    tail = mark + query
    quoted = path.replace(":", "%3A")
    head, slash, last = path.rpartition("/")
    return [target, quoted + tail, head + slash + last.replace(":", "%3A") + tail]
