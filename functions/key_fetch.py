"""Fetches the published keys of Azure Communication Services."""

import ssl

import aiohttp

from functions.limits import MAX_KEY_SET_BYTES


class KeyFetch:
    """`acs_jwt.Fetch` over aiohttp. A session per fetch: there is one an hour."""

    def __init__(self, ca_file: str | None) -> None:
        """`ca_file`: an extra certificate authority, for a simulator."""
        self._ssl = ssl.create_default_context(cafile=ca_file) if ca_file else True

    async def __call__(self, url: str) -> bytes:
        """The document; raises OSError or ValueError where there is none."""
        try:
            async with (
                aiohttp.ClientSession(raise_for_status=True) as session,
                session.get(url, ssl=self._ssl) as response,
            ):
                document = bytearray()
                async for chunk in response.content.iter_any():
                    document += chunk
                    if len(document) > MAX_KEY_SET_BYTES:
                        raise ValueError("oversized key set")
                return bytes(document)
        except aiohttp.ClientError as error:
            raise OSError(str(error)) from error
