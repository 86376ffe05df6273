"""The client end of a media WebSocket, as ACS opens it towards the product."""

import socket
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass

import aiohttp

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""More than any message to ACS; the docs speak of 64 kB packets."""
CLOSE_LIMIT_S = 1.0
"""How long the other side may take to answer a close frame."""


class MediaRefused(Exception):
    """The socket could not be opened; `status` is that of the refusal, None if nobody answered."""

    def __init__(self, status: int | None) -> None:
        super().__init__(f"refused with {status}" if status else "not reachable")
        self.status = status


@dataclass(frozen=True)
class Closed:
    """The other side is gone; `code` 1006 where it closed without a word."""

    code: int


class MediaSocket:
    """One open socket. Its HTTP session is its own, so that it can be broken off by itself."""

    def __init__(
        self, http: aiohttp.ClientSession, websocket: aiohttp.ClientWebSocketResponse
    ) -> None:
        self._http = http
        self._socket = websocket

    @classmethod
    async def open(cls, url: str, headers: Mapping[str, str]) -> "MediaSocket":
        """Upgrades `url`. Raises MediaRefused. The caller bounds the time."""
        connector = aiohttp.TCPConnector(limit=1, force_close=True)
        async with AsyncExitStack() as stack:  # closes the session unless all goes well
            http = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
            try:
                websocket = await http.ws_connect(
                    url,
                    headers=headers,
                    compress=0,
                    max_msg_size=MAX_MESSAGE_BYTES,
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_LIMIT_S),
                )
            except aiohttp.WSServerHandshakeError as error:
                raise MediaRefused(error.status) from error
            except (aiohttp.ClientError, OSError, ValueError) as error:
                raise MediaRefused(None) from error
            stack.pop_all()
            return cls(http, websocket)

    async def send(self, text: str) -> bool:
        """False if the socket is gone."""
        try:
            await self._socket.send_str(text)
        except (ConnectionError, RuntimeError, aiohttp.ClientError):
            return False
        return True

    async def receive(self) -> str | bytes | Closed:
        """The next message."""
        message = await self._socket.receive()
        match message.type:
            case aiohttp.WSMsgType.TEXT | aiohttp.WSMsgType.BINARY:
                data: str | bytes = message.data
                return data
            case aiohttp.WSMsgType.CLOSING:
                return Closed(1000)  # by us: `close` is at work, and needs the session
            case _:
                code = self._socket.close_code
                await self._http.close()
                return Closed(1006 if code is None else code)

    async def close(self, code: int) -> None:
        """Says goodbye with `code`, and waits a moment for the answer."""
        try:
            await self._socket.close(code=code)
        finally:
            await self._http.close()

    async def break_off(self) -> None:
        """Drops the connection without a close frame, even where the other side does not read."""
        connection = self._socket.get_extra_info("socket")
        if connection is not None:
            with suppress(OSError):  # it is gone already
                connection.shutdown(socket.SHUT_RDWR)
        await self._http.close()
