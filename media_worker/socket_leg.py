"""The caller's leg over an accepted WebSocket."""

import asyncio

from aiohttp import ClientError, WSMsgType, web

from media_worker.limits import LEG_CLOSE_S, MAX_FRAME_BYTES

REPLACED = 4409
"""Close code for a socket whose call is carried by a newer one; private use (RFC 6455 §7.4.2)."""


def media_socket() -> "web.WebSocketResponse[bool]":
    """A response for the upgrade: no compression (it costs more CPU than all else and PCM barely
    shrinks), text handed on as bytes, and frames bounded. No heartbeat: the service sends 50 frames
    a second, each of which would set the timer back, and `LEG_STALLED_S` sees when it does not."""
    return web.WebSocketResponse(
        timeout=LEG_CLOSE_S,
        compress=False,
        max_msg_size=MAX_FRAME_BYTES,
        decode_text=False,
    )


class SocketLeg:
    """A `Leg` (see `media_worker.leg`); its first message can be awaited without being taken."""

    def __init__(
        self, socket: "web.WebSocketResponse[bool]", transport: asyncio.BaseTransport | None
    ) -> None:
        """`transport`: the one below `socket`; None: the peer has gone already."""
        self._socket = socket
        self._transport = transport
        self._sending = 0
        self._first: bytes | None = None
        self._closed = asyncio.Event()

    @property
    def is_closed(self) -> bool:
        """Whether the leg is known to be closed."""
        return self._closed.is_set()

    async def spoke(self, limit_s: float) -> bool:
        """Waits for the first message and keeps it for `receive`; False: closed, or too late."""
        try:
            async with asyncio.timeout(limit_s):
                self._first = await self.receive()
        except TimeoutError:
            return False
        return self._first is not None

    async def receive(self) -> bytes | None:
        """See `media_worker.leg.Leg`."""
        if self._first is not None:
            first, self._first = self._first, None
            return first
        if self._closed.is_set():
            return None
        message = await self._socket.receive()
        if message.type is WSMsgType.TEXT:
            data: bytes = message.data
            return data
        if message.type is WSMsgType.BINARY:
            return b""
        self._closed.set()
        return None

    async def send(self, data: bytes) -> None:
        """See `media_worker.leg.Leg`."""
        self._sending += 1
        try:
            await self._socket.send_frame(data, WSMsgType.TEXT)
        except ClientError as error:
            raise ConnectionError("the media socket is closed") from error
        finally:
            self._sending -= 1

    async def close(self, code: int) -> None:
        """See `media_worker.leg.Leg`."""
        self._closed.set()
        if not self._sending:
            try:
                async with asyncio.timeout(LEG_CLOSE_S):
                    await self._socket.close(code=code)
            except TimeoutError:
                pass
        # With a send under way the peer does not read: a close frame would wait behind it for ever.
        if isinstance(self._transport, asyncio.WriteTransport):
            self._transport.abort()

    async def closed(self) -> None:
        """Returns when the leg is closed, whoever closed it, as far as anybody has noticed."""
        await self._closed.wait()
