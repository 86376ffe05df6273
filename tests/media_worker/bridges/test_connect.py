import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from aiohttp import web
from azure.core.exceptions import ClientAuthenticationError

from media_worker.bridges.connect import (
    ConnectError,
    RealtimeAccess,
    connect,
    http_session,
)
from media_worker.bridges.endpoints import Endpoints
from media_worker.limits import CONNECT_S, CONNECT_TRIES
from tests.virtual_time import run

TOKEN = "eyJ0b2tlbiI6MX0"


def address(endpoint: str) -> str:
    return f"{endpoint}/realtime"


Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def upgrade(request: web.Request) -> web.StreamResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for _ in socket:
        pass
    return socket


async def token() -> str:
    return TOKEN


@asynccontextmanager
async def service(
    answer: Answer,
    bearer: Callable[[], Awaitable[str]] | None = token,
    key: str | None = None,
) -> AsyncIterator[RealtimeAccess]:
    app = web.Application()
    app.router.add_get("/realtime", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with http_session() as http:
            endpoint = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield RealtimeAccess(http, Endpoints([endpoint]), bearer, key)
    finally:
        await runner.cleanup()


def refused(answer: Answer, bearer: Callable[[], Awaitable[str]] = token) -> tuple[str, float]:
    """The code of the failure, and when it came."""

    async def scenario() -> tuple[str, float]:
        async with service(answer, bearer) as access:
            with pytest.raises(ConnectError) as error:
                await connect(access, address)
            assert TOKEN not in str(error.value.failed)
            return error.value.failed.code, asyncio.get_running_loop().time()

    return run(scenario())


@pytest.mark.parametrize(
    ("status", "tries"), [(400, 1), (401, 1), (403, 1), (404, 1), (429, 3), (500, 3), (503, 3)]
)
def test_only_what_may_pass_is_tried_again(status: int, tries: int) -> None:
    seen = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request)
        return web.Response(status=status)

    assert refused(answer)[0] == f"http_{status}"
    assert len(seen) == tries <= CONNECT_TRIES


def test_the_second_try_may_succeed() -> None:
    seen = []

    async def answer(request: web.Request) -> web.StreamResponse:
        seen.append(request)
        return await upgrade(request) if len(seen) > 1 else web.Response(status=503)

    async def scenario() -> None:
        async with service(answer) as access:
            socket = await connect(access, address)
            await socket.close()

    run(scenario())
    assert len(seen) == 2


@pytest.mark.parametrize(("after", "tries"), [("1", 3), ("2", 2), ("60", 1), ("soon", 3)])
def test_retry_after_is_heeded_where_it_fits_the_callers_patience(after: str, tries: int) -> None:
    seen = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(asyncio.get_running_loop().time())
        return web.Response(status=429, headers={"Retry-After": after})

    code, ended_at = refused(answer)
    assert code == "http_429"
    assert len(seen) == tries
    assert ended_at < CONNECT_S
    if after.isdecimal() and tries > 1:
        assert seen[1] - seen[0] == pytest.approx(int(after), abs=0.01)


def test_a_service_that_does_not_answer_is_given_up_within_the_limit() -> None:
    async def answer(request: web.Request) -> web.Response:
        await asyncio.sleep(100)
        return web.Response()

    code, ended_at = refused(answer)
    assert code == "connect_timeout"
    assert ended_at <= CONNECT_S + 0.1


def test_a_port_where_nobody_listens_is_a_failed_connection() -> None:
    async def scenario() -> str:
        async with http_session() as http:
            access = RealtimeAccess(http, Endpoints(["http://127.0.0.1:1"]), token)
            with pytest.raises(ConnectError) as error:
                await connect(access, address)
            return error.value.failed.code

    assert run(scenario()) == "connect_failed"


def test_without_a_token_there_is_no_connection() -> None:
    async def no_token() -> str:
        raise ClientAuthenticationError("no identity")

    assert refused(upgrade, no_token)[0] == "no_token"


def test_the_key_is_sent_only_where_there_is_no_identity() -> None:
    seen = []

    async def answer(request: web.Request) -> web.StreamResponse:
        seen.append((request.headers.get("api-key"), request.headers.get("Authorization")))
        return await upgrade(request)

    async def scenario() -> None:
        for bearer in (None, token):
            async with service(answer, bearer, key="key") as access:
                await (await connect(access, address)).close()

    run(scenario())
    assert seen == [("key", None), (None, f"Bearer {TOKEN}")]


def test_the_101st_call_gets_its_connection() -> None:
    async def scenario() -> int:
        async with service(upgrade) as access, AsyncExitStack() as sockets:
            for _ in range(120):
                socket = await connect(access, address)
                sockets.push_async_callback(socket.close)
            return len(access.http.connector._acquired) if access.http.connector else 0

    assert run(scenario()) == 120


@pytest.mark.parametrize("status", [404, 429, 503])
def test_a_call_that_one_resource_refuses_goes_to_the_next_at_once_and_so_do_those_after_it(
    status: int,
) -> None:
    refusals = []

    async def no(request: web.Request) -> web.Response:
        refusals.append(request)
        return web.Response(status=status)

    async def scenario() -> float:
        async with service(no) as bad, service(upgrade) as good:
            urls = [*bad.endpoints.urls, *good.endpoints.urls]
            access = RealtimeAccess(good.http, Endpoints(urls), token)
            begun_at = asyncio.get_running_loop().time()
            for _ in range(3):
                await (await connect(access, address)).close()
            return asyncio.get_running_loop().time() - begun_at

    assert run(scenario()) < 0.1
    assert len(refusals) == 1


def test_what_is_at_home_in_one_resource_is_looked_for_nowhere_else() -> None:
    async def no(request: web.Request) -> web.Response:
        return web.Response(status=404)

    async def scenario() -> None:
        async with service(no) as home, service(upgrade) as other:
            urls = [*home.endpoints.urls, *other.endpoints.urls]
            access = RealtimeAccess(other.http, Endpoints(urls), token)
            with pytest.raises(ConnectError):
                await connect(access, address, urls[0])

    run(scenario())
