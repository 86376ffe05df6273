import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web

from media_worker.limits import LEG_CLOSE_S, MAX_FRAME_BYTES
from media_worker.socket_leg import SocketLeg, media_socket
from simulator.serving import serve
from tests.virtual_time import run

Scene = Callable[[SocketLeg, aiohttp.ClientWebSocketResponse], Awaitable[None]]


def with_leg(scene: Scene) -> None:
    """Runs `scene` between the two ends of a real WebSocket."""

    async def scenario() -> None:
        legs: asyncio.Queue[SocketLeg] = asyncio.Queue()
        done = asyncio.Event()

        async def accept(request: web.Request) -> web.StreamResponse:
            socket = media_socket()
            await socket.prepare(request)
            legs.put_nowait(SocketLeg(socket, request.transport))
            await done.wait()
            return socket

        app = web.Application()
        app.router.add_get("/", accept)
        async with (
            serve(app) as url,
            aiohttp.ClientSession() as http,
            http.ws_connect(url, compress=15) as peer,
        ):
            try:
                await scene(await legs.get(), peer)
            finally:
                done.set()

    run(scenario())


def test_text_comes_as_bytes_and_a_binary_message_as_nothing_in_it() -> None:
    async def scene(leg: SocketLeg, peer: aiohttp.ClientWebSocketResponse) -> None:
        await peer.send_str('{"kind":"x"}')
        await peer.send_bytes(b"\x00\x01")
        assert await leg.receive() == b'{"kind":"x"}'
        assert await leg.receive() == b""

    with_leg(scene)


def test_the_first_message_can_be_awaited_and_is_still_there_to_be_read() -> None:
    async def scene(leg: SocketLeg, peer: aiohttp.ClientWebSocketResponse) -> None:
        assert not await leg.spoke(0.5)
        await peer.send_str("one")
        await peer.send_str("two")
        assert await leg.spoke(0.5)
        assert [await leg.receive(), await leg.receive()] == [b"one", b"two"]

    with_leg(scene)


def test_a_closed_leg_says_so_ever_after() -> None:
    async def scene(leg: SocketLeg, peer: aiohttp.ClientWebSocketResponse) -> None:
        await peer.close()
        for _ in range(20):
            assert await leg.receive() is None
        assert leg.is_closed
        assert not await leg.spoke(0.5)
        await leg.closed()
        with pytest.raises(ConnectionError):
            await leg.send(b"late")

    with_leg(scene)


def test_a_reader_learns_at_once_that_another_task_closed_the_leg() -> None:
    async def scene(leg: SocketLeg, peer: aiohttp.ClientWebSocketResponse) -> None:
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(leg.receive())
            await asyncio.sleep(0.1)
            group.create_task(leg.close(4409))
            message = await peer.receive()
            assert message.type is aiohttp.WSMsgType.CLOSE
            assert message.data == 4409
        assert reading.result() is None

    with_leg(scene)


def test_an_oversized_frame_closes_the_leg_with_1009() -> None:
    async def scene(leg: SocketLeg, peer: aiohttp.ClientWebSocketResponse) -> None:
        await peer.send_str("x" * (MAX_FRAME_BYTES + 1))
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(leg.receive())
            message = await peer.receive()
            assert message.type is aiohttp.WSMsgType.CLOSE
            assert message.data == 1009
        assert reading.result() is None

    with_leg(scene)


def test_nothing_is_compressed_even_if_the_peer_offers_it() -> None:
    async def scene(_: SocketLeg, peer: aiohttp.ClientWebSocketResponse) -> None:
        assert not peer.compress

    with_leg(scene)


def test_a_leg_whose_peer_does_not_read_closes_and_frees_whoever_waits_to_send() -> None:
    async def scene(leg: SocketLeg, peer: aiohttp.ClientWebSocketResponse) -> None:
        assert not peer.closed
        peer._conn.transport.pause_reading()  # type: ignore[union-attr]  # what a stuck peer does

        async def send_for_ever() -> None:
            while True:
                await leg.send(bytes(60_000))

        async with asyncio.TaskGroup() as tasks:
            sender = tasks.create_task(_lost(send_for_ever()))
            await asyncio.sleep(5)
            assert not sender.done(), "the peer takes nothing: the send waits"
            async with asyncio.timeout(LEG_CLOSE_S + 1):
                await leg.close(4408)
                assert await sender
        assert await leg.receive() is None

    with_leg(scene)


async def _lost(work: Awaitable[None]) -> bool:
    try:
        await work
    except ConnectionError:
        return True
    return False
