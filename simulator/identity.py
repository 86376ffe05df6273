"""Managed identity on a laptop: the token endpoint that App Service gives to an app.

Source: "How to use managed identities for App Service and Azure Functions", REST endpoint
reference, version 2019-08-01. `azure.identity`'s ManagedIdentityCredential (1.27.0) uses it when
IDENTITY_ENDPOINT and IDENTITY_HEADER are set.
"""

import asyncio
import functools
import json
import uuid
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa

from simulator.clock import machine_now, wall_now
from simulator.keys import SigningKey
from simulator.serving import serve

TENANT = "5f0c1d3e-0000-4000-8000-00000000cafe"
"""The directory that every simulated token comes from."""
ISSUER = f"https://sts.windows.net/{TENANT}/"
LIFETIME_S = 24 * 3600
"""Tokens of a managed identity live 24 hours."""
API_VERSION = "2019-08-01"


SYSTEM_ASSIGNED = "00000000-0000-4000-8000-000000000001"
"""Client id of the identity that a request without one means."""


class TokenRefused(Exception):
    """A bearer token that must not be accepted. The text says why and never holds the token."""


@functools.cache
def _entra_key() -> SigningKey:
    """One per process, and not the one that ACS signs with."""
    return SigningKey()


def make_token(
    resource: str, *, now: float, lifetime_s: float = LIFETIME_S, client_id: str = "", **claims: Any
) -> str:
    """A JWT as Entra issues it for `resource`, signed RS256; `claims` replace the usual ones."""
    usual = {
        "aud": resource,
        "iss": ISSUER,
        "iat": int(now),
        "nbf": int(now),
        "exp": int(now + lifetime_s),
        "tid": TENANT,
        "appid": client_id,
        "ver": "1.0",
    }
    return _entra_key().sign({**usual, **claims})


def check_token(token: str, *, audience: str, now: float, key: Any = None) -> dict[str, Any]:
    """The claims of a token that is good for `audience` at wall time `now`, or `TokenRefused`.

    With `key` None, as for a simulator in another process, the signature is not checked.
    A slash at the end of an audience does not matter.
    """
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            options={
                "verify_signature": key is not None,
                "verify_aud": False,
                "verify_exp": False,  # PyJWT reads the machine's clock; checked below
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
    except jwt.PyJWTError as error:
        raise TokenRefused(f"Signature validation failed: {type(error).__name__}.") from None
    if str(claims.get("aud", "")).rstrip("/") != audience.rstrip("/"):
        raise TokenRefused("Audience validation failed. Audience did not match.")
    if claims.get("iss") != ISSUER:
        raise TokenRefused("Issuer validation failed. Issuer did not match.")
    if not float(claims.get("nbf", 0)) <= now < float(claims.get("exp", 0)):
        raise TokenRefused("Lifetime validation failed. The token is expired or not yet valid.")
    return claims


@dataclass
class IdentitySwitches:
    """What the endpoint does to the next requests; change it while it runs."""

    fail_next: int = 0
    """That many requests are answered with `fail_status`."""
    fail_status: int = 500
    delay_s: float = 0.0
    """Every answer comes that much later."""
    lifetime_s: float = LIFETIME_S
    """Lifetime of the tokens issued from now on."""


class Identity:
    """`async with Identity() as identity:` serves until the block ends; `env()` is what an app
    needs in its environment."""

    def __init__(
        self,
        *,
        client_ids: tuple[str, ...] = (),
        switches: IdentitySwitches | None = None,
    ) -> None:
        """`client_ids`: the user-assigned identities; a request without client_id is the
        system-assigned identity, which always exists."""
        self.client_ids = client_ids
        self.switches = switches or IdentitySwitches()
        self.header = uuid.uuid4().hex
        self.issued: Counter[str] = Counter()
        """Tokens issued so far, by resource."""
        self._endpoint = ""
        self._stack = AsyncExitStack()

    @property
    def endpoint(self) -> str:
        """The value of IDENTITY_ENDPOINT."""
        return self._endpoint

    @property
    def token_key(self) -> rsa.RSAPublicKey:
        """The key that verifies the tokens' signature."""
        return _entra_key().public

    def env(self) -> dict[str, str]:
        """The two variables by which the SDKs find the endpoint."""
        return {"IDENTITY_ENDPOINT": self.endpoint, "IDENTITY_HEADER": self.header}

    async def __aenter__(self) -> "Identity":
        app = web.Application()
        app.router.add_get("/msi/token", self._token)
        base = await self._stack.enter_async_context(serve(app))
        self._endpoint = f"{base}/msi/token"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _token(self, request: web.Request) -> web.Response:
        if self.switches.delay_s:
            await asyncio.sleep(self.switches.delay_s)
        if self.switches.fail_next > 0:
            self.switches.fail_next -= 1
            return _refusal(self.switches.fail_status, "The simulator was told to fail.")
        if request.headers.get("X-IDENTITY-HEADER") != self.header:
            return _refusal(401, "The X-IDENTITY-HEADER is missing or wrong.")
        resource, client_id = request.query.get("resource"), request.query.get("client_id", "")
        if request.query.get("api-version") != API_VERSION or not resource:
            return _refusal(400, f"Wanted: api-version={API_VERSION} and a resource.")
        if client_id and client_id not in self.client_ids:
            return _refusal(
                400,
                "No User Assigned or Delegated Managed Identity found for specified"
                " ClientId/ResourceId/PrincipalId.",
            )
        self.issued[resource] += 1
        client_id = client_id or SYSTEM_ASSIGNED
        lifetime_s = self.switches.lifetime_s
        token = make_token(resource, now=wall_now(), lifetime_s=lifetime_s, client_id=client_id)
        # The client library compares expires_on with the machine's clock, even in virtual time.
        return _json(
            200,
            access_token=token,
            expires_on=str(int(machine_now() + lifetime_s)),
            resource=resource,
            token_type="Bearer",
            client_id=client_id,
        )


def _refusal(status: int, message: str) -> web.Response:
    return _json(status, statusCode=status, message=message)


def _json(status: int, **fields: Any) -> web.Response:
    return web.Response(status=status, text=json.dumps(fields), content_type="application/json")
