"""Serving on the loopback interface."""

import asyncio

import aiohttp
import pytest
from aiohttp import web

from simulator.serving import serve
from tests.virtual_time import run


async def _hello(_: web.Request) -> web.Response:
    return web.Response(text="hello")


async def _never(_: web.Request) -> web.Response:
    await asyncio.sleep(3600)
    return web.Response()


def _app() -> web.Application:
    app = web.Application()
    app.router.add_get("/", _hello)
    app.router.add_get("/never", _never)
    return app


def test_an_application_answers_at_its_base_url() -> None:
    async def visit() -> str:
        async with serve(_app()) as base, aiohttp.ClientSession() as http:
            assert base.startswith("http://127.0.0.1:")
            async with http.get(f"{base}/") as reply:
                return await reply.text()

    assert run(visit()) == "hello"


def test_a_port_that_is_taken_is_an_error() -> None:
    async def clash() -> None:
        async with serve(_app()) as base, serve(_app(), port=int(base.rpartition(":")[2])):
            pass

    with pytest.raises(OSError, match="address already in use"):
        run(clash())


def test_a_request_that_never_ends_does_not_hold_the_shutdown_up() -> None:
    async def ask(http: aiohttp.ClientSession, url: str) -> None:
        with pytest.raises(aiohttp.ClientError):
            await http.get(url)

    async def leave() -> float:
        loop = asyncio.get_running_loop()
        async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as group:
            async with serve(_app()) as base:
                group.create_task(ask(http, f"{base}/never"))
                await asyncio.sleep(1)
                started = loop.time()
            return loop.time() - started

    assert run(leave()) < 2


def test_the_url_is_free_again_after_the_block() -> None:
    async def twice() -> None:
        async with serve(_app()) as base:
            port = int(base.rpartition(":")[2])
        async with serve(_app(), port=port) as again:
            assert again == base

    asyncio.run(twice())
