"""A credential that is asked once for each scope.

The worker fetches tokens ahead of its calls; here each check would wait for its own. That counts
with `az`, which takes a second or two each time, as long as a bridge's whole handshake may.
"""

from types import TracebackType
from typing import TYPE_CHECKING, Any

from azure.core.credentials import AccessToken

from doctor.limits import TOKEN_SPARE_S
from switchboard.clock import wall_now

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential


class Remembered:
    """See `azure.core.credentials_async.AsyncTokenCredential`; closes what it asks."""

    def __init__(self, credential: "AsyncTokenCredential") -> None:
        self._credential = credential
        self._tokens: dict[tuple[str, ...], AccessToken] = {}

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """The token for `scopes`; a claims challenge is passed on, as a new one is wanted then."""
        known = self._tokens.get(scopes)
        if known is None or options.get("claims") or known.expires_on - TOKEN_SPARE_S <= wall_now():
            known = self._tokens[scopes] = await self._credential.get_token(*scopes, **options)
        return known

    async def close(self) -> None:
        """Closes the credential."""
        await self._credential.close()

    async def __aenter__(self) -> "Remembered":
        await self._credential.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        await self._credential.__aexit__(kind, error, trace)
