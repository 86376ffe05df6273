"""The client end of a media socket: opened, refused, closed, broken off."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import WSMessage, WSMsgType, web

from simulator.acs_media import Closed, MediaRefused, MediaSocket
from simulator.serving import serve
from tests.virtual_time import run


class Server:
    """Echoes texts; closes with 1013 when told to."""

    def __init__(self) -> None:
        self.url = ""
        self.headers: dict[str, str] = {}
        self.codes: list[int | None] = []

    async def media(self, request: web.Request) -> web.StreamResponse:
        self.headers = dict(request.headers)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await self._answer(socket, message)
        self.codes.append(socket.close_code)
        return socket

    async def _answer(self, socket: web.WebSocketResponse, message: WSMessage) -> None:
        if message.type is WSMsgType.TEXT and message.data == "leave":
            await socket.close(code=1013)
        elif message.type is WSMsgType.TEXT:
            await socket.send_str(message.data)
            await socket.send_bytes(b"\0")


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    server, app = Server(), web.Application()
    app.router.add_get("/media", server.media)
    async with serve(app) as url:
        server.url = url.replace("http", "ws") + "/media"
        yield server


async def _open(server: Server) -> MediaSocket:
    return await MediaSocket.open(server.url, {"x-ms-call-connection-id": "c"})


def test_messages_go_both_ways_and_the_headers_go_with_the_upgrade() -> None:
    async def body() -> None:
        async with serving() as server:
            socket = await _open(server)
            assert server.headers["x-ms-call-connection-id"] == "c"
            assert await socket.send("one")
            assert await socket.receive() == "one"
            assert await socket.receive() == b"\0"
            await socket.close(1000)
            await asyncio.sleep(0.1)
            assert server.codes == [1000]
            assert not await socket.send("two")

    run(body())


def test_the_other_sides_close_code_is_told() -> None:
    async def body() -> None:
        async with serving() as server:
            socket = await _open(server)
            await socket.send("leave")
            assert await socket.receive() == Closed(1013)

    run(body())


def test_a_connection_that_is_broken_off_says_no_goodbye() -> None:
    async def body() -> None:
        async with serving() as server:
            socket = await _open(server)
            await socket.break_off()
            await asyncio.sleep(0.1)
            assert server.codes == [1006]
            assert isinstance(await socket.receive(), Closed)

    run(body())


def test_a_refusal_has_its_status_and_an_absent_server_has_none() -> None:
    async def body() -> None:
        async with serving() as server:
            server.url += "/elsewhere"
            with pytest.raises(MediaRefused) as refused:
                await _open(server)
            assert refused.value.status == 404
            server.url = "ws://127.0.0.1:1/media"
            with pytest.raises(MediaRefused) as absent:
                await _open(server)
            assert absent.value.status is None

    run(body())
