from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from simulator.serving import serve
from simulator.storage import Fault
from tests.doctor.stage import NOBODY, ward
from tests.virtual_time import run

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _server(answer: Answer) -> web.Application:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    return app


def test_both_doors_refuse_a_stranger_as_ours_do(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ward(tmp_path) as here:
            found = await here.examined()
            assert "401 by our door" in found.detail("worker.door")
            assert "401 by our function" in found.detail("functions.callback")
            assert found.detail("worker.reachable") == "it carries 0 calls"

    run(scenario())


def test_a_worker_that_prefers_tokens_refuses_for_want_of_a_call(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ward(tmp_path, worker_env={"MEDIA_AUTH": "prefer"}) as here:
            assert "MEDIA_AUTH=prefer" in (await here.examined()).detail("worker.door")

    run(scenario())


def test_a_worker_that_is_not_there_is_red_until_media_url_is_right(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ward(tmp_path) as here:
            found = await here.examined(MEDIA_URL=f"ws://{NOBODY}")
            assert found.red == ["worker.reachable", "worker.door"]
            assert "Check MEDIA_URL" in found.mend("worker.reachable")
            assert (await here.examined()).red == []

    run(scenario())


def test_somebody_else_at_media_url_is_not_taken_for_our_worker(tmp_path: Path) -> None:
    async def takes_all(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        if not socket.can_prepare(request):
            return web.json_response({"status": "ok"}, headers={"Server": "somebody"})
        await socket.prepare(request)
        return socket

    async def scenario() -> None:
        async with ward(tmp_path) as here, serve(_server(takes_all)) as url:
            found = await here.examined(MEDIA_URL=url.replace("http", "ws"))
            assert found.red == ["worker.reachable", "worker.door"]
            assert found.detail("worker.reachable") == "200 by somebody"
            assert found.detail("worker.door").startswith("101 ")
            assert "what answers there is not its door" in found.mend("worker.door")

    run(scenario())


def test_a_proxy_that_takes_the_handshake_away_is_told_as_that(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ward(tmp_path) as here, aiohttp.ClientSession() as http:
            worker = here.system.worker.url

            async def passes_on(request: web.Request) -> web.StreamResponse:
                async with http.get(worker + request.path) as reply:
                    return web.Response(status=reply.status, body=await reply.read())

            async with serve(_server(passes_on)) as url:
                found = await here.examined(MEDIA_URL=url.replace("http", "ws"))
            assert found.red == ["worker.door"]
            assert "Let the proxy or ingress before the worker pass Upgrade on" in found.mend(
                "worker.door"
            )

    run(scenario())


def test_a_worker_that_cannot_read_records_says_so_at_its_door(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ward(tmp_path) as here:
            fault = Fault(times=100, operation="GetBlob", path="records/calls/*", status=403)
            here.world.storage.faults.append(fault)
            found = await here.examined()
            assert found.red == ["worker.door"]
            assert "it cannot read call records" in found.detail("worker.door")

    run(scenario())


def test_a_functions_app_that_is_down_is_red_for_its_callback_alone(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ward(tmp_path) as here:
            found = await here.examined(CALLBACK_URL=f"http://{NOBODY}/api")
            assert found.red == ["functions.callback"]
            assert "Check CALLBACK_URL" in found.mend("functions.callback")

    run(scenario())


def test_a_callback_url_without_api_is_red_and_its_mend_makes_it_green(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ward(tmp_path) as here:
            bare = here.env["CALLBACK_URL"].removesuffix("/api")
            found = await here.examined(CALLBACK_URL=bare)
            assert found.red == ["functions.callback"]
            assert "Set CALLBACK_URL to https://NAME.azurewebsites.net/api" in found.mend(
                "functions.callback"
            )
            assert (await here.examined(CALLBACK_URL=f"{bare}/api")).red == []

    run(scenario())


@pytest.mark.parametrize(
    ("status", "mend"),
    [
        (401, "Turn off App Service authentication"),
        (403, "Let Communication Services in"),
        (503, "Look at the Functions app's log"),
        (200, "somebody else answers"),
    ],
)
def test_whoever_else_answers_the_callback_is_not_taken_for_our_function(
    status: int, mend: str, tmp_path: Path
) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status)

    async def scenario() -> None:
        async with ward(tmp_path) as here, serve(_server(answer)) as url:
            found = await here.examined(CALLBACK_URL=f"{url}/api")
            assert found.red == ["functions.callback"]
            assert mend in found.mend("functions.callback")
            assert found.detail("functions.callback").startswith(f"{status} by Python")

    run(scenario())
