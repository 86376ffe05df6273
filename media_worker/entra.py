"""Entra tokens that are there before a call asks: one scope, refreshed in the background."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeAlias

from azure.core.credentials import AccessToken
from azure.core.exceptions import AzureError

from media_worker import log
from media_worker.limits import TOKEN_CHECK_S, TOKEN_WAIT_S
from switchboard.clock import wall_now

Loops: TypeAlias = dict[str, Callable[[], Awaitable[None]]]
"""What runs for ever beside the calls, by name."""


class Credential(Protocol):
    """What this module asks of an `azure.identity.aio` credential."""

    async def get_token(self, *scopes: str) -> AccessToken:
        """The token for `scopes`, from the credential's cache or from Entra."""
        ...


class Tokens:
    """The newest access token for one scope.

    `azure-identity` caches and knows when a token is due (`refresh_on`, else five minutes before
    it expires), but it fetches in the middle of whichever request comes first then. `keep_fresh`
    is that request, so that no call ever waits for Entra.
    """

    def __init__(self, credential: Credential, scope: str) -> None:
        self._credential = credential
        self._scope = scope
        self._token: AccessToken | None = None

    async def keep_fresh(self) -> None:
        """Runs for ever beside the calls; an outage of Entra is logged and tried again."""
        while True:
            try:
                await self._ask()
            except (AzureError, TimeoutError) as error:
                log.event("entra_unavailable", "warning", error=type(error).__name__)
            await asyncio.sleep(TOKEN_CHECK_S)

    async def bearer(self) -> str:
        """The token's text, at once unless none is valid (the start, or a long outage).

        Raises `azure.core.exceptions.AzureError` or TimeoutError if none can be had.
        """
        token = self._token
        if token is None or token.expires_on <= wall_now():
            token = await self._ask()
        return token.token

    async def _ask(self) -> AccessToken:
        async with asyncio.timeout(TOKEN_WAIT_S):
            self._token = token = await self._credential.get_token(self._scope)
        return token


class BlockingCredential:
    """A credential for the Speech SDK, which asks from threads of its own and waits."""

    def __init__(self, credential: Credential, loop: asyncio.AbstractEventLoop) -> None:
        self._credential, self._loop = credential, loop

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        """See `azure.core.credentials.TokenCredential`; never on the loop's own thread."""
        asking = asyncio.run_coroutine_threadsafe(self._get_token(*scopes), self._loop)
        return asking.result(TOKEN_WAIT_S)

    async def _get_token(self, *scopes: str) -> AccessToken:
        return await self._credential.get_token(*scopes)
