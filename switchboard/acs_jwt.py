"""Checks the tokens that Azure Communication Services puts on callbacks and media sockets.

RS256 by a published key set; `iss` is the Call Automation service, `aud` our resource's immutable
id, a callback's token lives 5 minutes, a socket's 24 hours (ACS docs, "Secure webhook endpoint").
The key set is kept here, without threads and without ever blocking the loop.
"""

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from switchboard import limits
from switchboard.clock import wall_now

Fetch = Callable[[str], Awaitable[bytes]]
"""Fetches the key set document; OSError, TimeoutError or ValueError mean that it could not (so wrap
an HTTP client's own errors into OSError)."""


class KeySet:
    """The published keys, by key id: fetched when first needed, fetched again when an hour old or
    when an unknown id turns up, served stale when the endpoint is down.

    `now` is the loop's clock.
    """

    def __init__(self, url: str, fetch: Fetch, now: Callable[[], float]) -> None:
        self._url = url
        self._fetch = fetch
        self._now = now
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._one_at_a_time = asyncio.Lock()

    async def key(self, kid: str) -> jwt.PyJWK | None:
        """The key of that id, or None when no such key is published (or none could be had)."""
        known = self._keys.get(kid)
        if known is not None and (self._is_fresh() or self._one_at_a_time.locked()):
            return known  # somebody fetches already: a known key does not wait for that
        await self.refresh()
        return self._keys.get(kid)

    async def refresh(self) -> None:
        """Fetches the key set, unless that was tried less than five seconds ago. Never raises for
        what the endpoint does."""
        async with self._one_at_a_time:
            if self._now() - self._tried_at < limits.KEYS_FETCHED_EVERY_S:
                return
            self._tried_at = self._now()
            try:
                async with asyncio.timeout(limits.KEYS_FETCH_S):
                    document = await self._fetch(self._url)
                keys = usable_keys(document)
            except (OSError, TimeoutError, ValueError, RecursionError):
                return
            if keys:
                self._keys, self._fetched_at = keys, self._now()

    async def keep_fresh(self) -> None:
        """Fetches now and every half hour, for ever: for a long-lived process's task group, so
        that no call waits for the endpoint."""
        while True:
            await self.refresh()
            await asyncio.sleep(limits.KEYS_FRESH_S / 2)

    def _is_fresh(self) -> bool:
        return self._now() - self._fetched_at < limits.KEYS_FRESH_S


def usable_keys(document: bytes) -> dict[str, jwt.PyJWK]:
    """The RSA signing keys of a JWK set (RFC 7517), by `kid`; other entries are passed over."""
    published = json.loads(document)
    entries = published.get("keys") if isinstance(published, dict) else None
    keys: dict[str, jwt.PyJWK] = {}
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict) or entry.get("kty") != "RSA":
            continue
        if entry.get("use", "sig") != "sig" or not isinstance(entry.get("kid"), str):
            continue
        try:
            keys[entry["kid"]] = jwt.PyJWK(entry, algorithm="RS256")
        except (jwt.PyJWTError, ValueError, KeyError, TypeError):
            continue
    return keys


@dataclass(frozen=True)
class Verified:
    """A genuine token's claims."""

    claims: Mapping[str, Any]


@dataclass(frozen=True)
class Refused:
    """Which claim failed, what was expected and what was received: fit for a log, never the token
    itself."""

    claim: str
    expected: str
    received: str


class AcsTokens:
    """Verifies `Authorization` headers against one issuer and one audience."""

    def __init__(
        self, keys: KeySet, issuer: str, audience: str, leeway_s: float = limits.TOKEN_LEEWAY_S
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._leeway_s = leeway_s

    async def verify(self, header: str | None) -> Verified | Refused:
        """Judges the value of an `Authorization` header. Raises nothing for any text."""
        token = _bearer_token(header)
        if isinstance(token, Refused):
            return token
        try:
            unverified = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, RecursionError):
            return Refused("header", "a JSON Web Token", "something else")
        if (algorithm := unverified.get("alg")) != "RS256":
            return Refused("alg", "RS256", _shown(algorithm))
        kid = unverified.get("kid")
        key = await self._keys.key(kid) if isinstance(kid, str) else None
        if key is None:
            return Refused("kid", "a published key", _shown(kid))
        return self._judge(token, key)

    def _judge(self, token: str, key: jwt.PyJWK) -> Verified | Refused:
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                options={
                    "require": ["exp", "iss", "aud"],
                    "verify_exp": False,  # against our one wall clock, below
                    "verify_nbf": False,
                    "verify_iat": False,
                    "verify_aud": False,
                    "verify_iss": False,
                },
            )
        except jwt.MissingRequiredClaimError as error:
            return Refused(error.claim, "present", "missing")
        except jwt.PyJWTError as error:
            return Refused("signature", "by the published key", type(error).__name__)
        return self._judge_claims(claims)

    def _judge_claims(self, claims: Mapping[str, Any]) -> Verified | Refused:
        now = wall_now()
        if claims["iss"] != self._issuer:
            return Refused("iss", self._issuer, _shown(claims["iss"]))
        audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        if self._audience not in audiences:
            return Refused("aud", self._audience, _shown(claims["aud"]))
        expires, begins = claims["exp"], claims.get("nbf", 0)
        if not _is_time(expires) or expires + self._leeway_s < now:
            return Refused("exp", f"after {now:.0f}", _shown(expires))
        if not _is_time(begins) or begins - self._leeway_s > now:
            return Refused("nbf", f"before {now:.0f}", _shown(begins))
        return Verified(claims)


def _bearer_token(header: str | None) -> str | Refused:
    """The one token in the header (RFC 6750)."""
    if not header:
        return Refused("authorization", "Bearer token", "nothing")
    if len(header) > limits.TOKEN_MAX_CHARS or not header.isascii():
        return Refused("authorization", "Bearer token", f"{len(header)} unusable characters")
    words = header.split()
    if len(words) != 2 or words[0].lower() != "bearer" or "," in header:
        return Refused("authorization", "Bearer token", f"{len(words)} words")
    return words[1]


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and type(value) is not bool and math.isfinite(value)


def _shown(value: object) -> str:
    return repr(value)[:80]
