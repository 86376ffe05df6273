"""Who may call simulated ACS: the access key's HMAC, or an Entra token."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator.clock import wall_now

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
    """Bearer tokens: audience and expiry are checked, the issuer if one is given.

    The signature is not: the simulated identity service stands for Entra, and who can reach it
    is trusted.
    """

    issuer: str | None = None
    audience: str = AUDIENCE

    def refuses(self, request: Received) -> str | None:
        """Why the token is not good; None: it is."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer":
            return "no bearer token"
        claims = _claims(token)
        if claims is None:
            return "the token is not a JWT"
        if str(claims.get("aud", "")).rstrip("/") != self.audience.rstrip("/"):
            return f"audience {claims.get('aud')!r}, expected {self.audience!r}"
        if self.issuer is not None and claims.get("iss") != self.issuer:
            return f"issuer {claims.get('iss')!r}, expected {self.issuer!r}"
        expires = claims.get("exp")
        if not isinstance(expires, int | float) or expires <= wall_now():
            return "the token has expired"
        return None


def _spellings(target: str) -> list[str]:
    """The async SDK 1.6.0 signs `4%3A%2B1…` but sends `4:%2B1…` (azure-sdk-for-python 39419)."""
    path, mark, query = target.partition("?")
    tail = mark + query
    quoted = path.replace(":", "%3A")
    head, slash, last = path.rpartition("/")
    return [target, quoted + tail, head + slash + last.replace(":", "%3A") + tail]


def _claims(token: str) -> dict[str, Any] | None:
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return None
    return claims if isinstance(claims, dict) else None
