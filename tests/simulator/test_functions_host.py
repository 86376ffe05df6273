"""The Functions host, over a small app of its own in the v2 programming model."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from simulator.functions_app import unload
from simulator.functions_host import FunctionsHost, main
from tests.virtual_time import run

APP = """
    import asyncio
    import json
    import os

    import azure.functions as func

    SETTING = os.environ.get("SHOP_SETTING", "unset")
    app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
    seen = []

    @app.event_grid_trigger(arg_name="event")
    async def ring(event: func.EventGridEvent) -> None:
        if event.get_json().get("bad"):
            raise ValueError("a bad event")
        await asyncio.sleep(event.get_json().get("sleep", 0))
        seen.append([event.id, event.event_type, event.topic])

    @app.event_grid_trigger(arg_name="event")
    async def ring_cloud(event: func.CloudEvent) -> None:
        seen.append([event.id, event.type, event.source, event.get_json()])

    @app.route(route="seen", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    async def show(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse(json.dumps(seen), mimetype="application/json")

    @app.route(route="calls/{call_id}/{token}", methods=["POST"])
    async def callback(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        body = {
            "params": dict(req.route_params),
            "query": dict(req.params),
            "body": req.get_json(),
            "header": req.headers.get("X-Test"),
            "traceparent": context.trace_context.trace_parent,
            "setting": SETTING,
        }
        return func.HttpResponse(
            json.dumps(body), status_code=203, headers={"x-made-by": "app"}
        )

    @app.route(route="text/{n:int}/{rest?}")
    def text(req: func.HttpRequest) -> str:
        return f"{req.method} {req.route_params}"

    @app.route(route="fails")
    async def fails(req: func.HttpRequest) -> func.HttpResponse:
        raise RuntimeError("on purpose")
"""

Visit = Callable[[FunctionsHost, aiohttp.ClientSession], Coroutine[Any, Any, None]]
EVENT = {
    "id": "1",
    "topic": "/subscriptions/s/acs",
    "subject": "s",
    "eventType": "Microsoft.Communication.IncomingCall",
    "eventTime": "2026-11-22T10:00:00Z",
    "dataVersion": "1.0",
    "data": {},
}
NOTIFICATION = {"aeg-event-type": "Notification"}


@pytest.fixture(scope="module")
def app_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = tmp_path_factory.mktemp("app")
    (made / "function_app.py").write_text(textwrap.dedent(APP))
    (made / "host.json").write_text('{"version": "2.0"}')
    yield made
    unload()


def _visit(app_dir: Path, visit: Visit, **options: Any) -> None:
    async def go() -> None:
        async with FunctionsHost(app_dir, **options) as host, aiohttp.ClientSession() as http:
            await visit(host, http)

    run(go())


async def _seen(host: FunctionsHost, http: aiohttp.ClientSession) -> list[Any]:
    async with http.get(f"{host.url}/api/seen") as reply:
        found: list[Any] = await reply.json()
        return found


def test_every_event_of_a_delivery_is_an_invocation_of_its_own(app_dir: Path) -> None:
    async def visit(host: FunctionsHost, http: aiohttp.ClientSession) -> None:
        loop = asyncio.get_running_loop()
        events = [{**EVENT, "id": f"n{n}", "data": {"sleep": 5}} for n in range(3)]
        started = loop.time()
        url = host.event_grid_url("ring")
        async with http.post(url, json=events, headers=NOTIFICATION) as reply:
            assert reply.status == 202
        assert loop.time() - started == pytest.approx(5)  # side by side
        seen = [s for s in await _seen(host, http) if s[0].startswith("n")]
        assert sorted(s[0] for s in seen) == ["n0", "n1", "n2"]
        assert seen[0][1:] == [EVENT["eventType"], EVENT["topic"]]

    _visit(app_dir, visit)


def test_one_failing_event_fails_the_delivery(app_dir: Path) -> None:
    async def visit(host: FunctionsHost, http: aiohttp.ClientSession) -> None:
        events = [{**EVENT, "id": "good"}, {**EVENT, "data": {"bad": True}}]
        url = host.event_grid_url("ring")
        async with http.post(url, json=events, headers=NOTIFICATION) as reply:
            assert reply.status == 500
            assert await reply.text() == "Exception while executing function: Functions.ring"
        assert "good" in [s[0] for s in await _seen(host, http)]
        (failure,) = host.failures
        assert "ValueError: a bad event" in failure
        assert "function_app.py" in failure

    _visit(app_dir, visit)


def test_a_cloud_event_is_delivered_after_its_own_handshake(app_dir: Path) -> None:
    async def visit(host: FunctionsHost, http: aiohttp.ClientSession) -> None:
        url = host.event_grid_url("ring_cloud")
        asks = {"WebHook-Request-Origin": "eventgrid.azure.net"}
        async with http.options(url, headers=asks) as reply:
            assert reply.status == 200
            assert reply.headers["WebHook-Allowed-Origin"] == "eventgrid.azure.net"
        async with http.options(url) as reply:
            assert reply.status == 400
        event = {"specversion": "1.0", "id": "c", "type": "T", "source": "/acs", "data": {"a": 1}}
        async with http.post(url, json=event, headers=NOTIFICATION) as reply:
            assert reply.status == 202
        assert ["c", "T", "/acs", {"a": 1}] in await _seen(host, http)

    _visit(app_dir, visit)


@pytest.mark.parametrize(
    ("kind", "body", "status", "answer"),
    [
        ("SubscriptionValidation", [{"data": {"validationCode": "5"}}], 200, '{"validationR'),
        ("SubscriptionValidation", {"data": '{"validationCode": "5"}'}, 200, '{"validationR'),
        ("SubscriptionValidation", [], 500, ""),
        ("Unsubscribe", [], 202, ""),
        ("Something", [], 400, ""),
        (None, [], 400, ""),
        ("Notification", "text", 400, ""),
    ],
)
def test_the_kind_of_a_delivery_stands_in_its_header(
    app_dir: Path, kind: str | None, body: Any, status: int, answer: str
) -> None:
    async def visit(host: FunctionsHost, http: aiohttp.ClientSession) -> None:
        headers = {"aeg-event-type": kind} if kind else {}
        async with http.post(host.event_grid_url("ring"), json=body, headers=headers) as reply:
            assert reply.status == status
            assert (await reply.text()).startswith(answer)

    _visit(app_dir, visit)


@pytest.mark.parametrize("name", ["missing", "callback", ""])
def test_an_event_for_no_event_function_is_not_found(app_dir: Path, name: str) -> None:
    async def visit(host: FunctionsHost, http: aiohttp.ClientSession) -> None:
        url = host.event_grid_url(name)
        async with http.post(url, json=[EVENT], headers=NOTIFICATION) as reply:
            assert reply.status == 404

    _visit(app_dir, visit)


def test_an_http_function_sees_the_whole_request(app_dir: Path) -> None:
    async def visit(host: FunctionsHost, http: aiohttp.ClientSession) -> None:
        trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        async with http.post(
            f"{host.url}/API/Calls/20261123-ab/t%2Fo?x=1",
            json=[{"type": "a"}],
            headers={"X-Test": "here", "traceparent": trace},
        ) as reply:
            assert (reply.status, reply.headers["x-made-by"]) == (203, "app")
            got = json.loads(await reply.text())
        assert got["params"] == {"call_id": "20261123-ab", "token": "t/o"}
        assert (got["query"], got["body"]) == ({"x": "1"}, [{"type": "a"}])
        assert got["header"] == "here"
        version, trace_id, span, flags = got["traceparent"].split("-")
        assert (version, trace_id, flags) == ("00", "0af7651916cd43dd8448eb211c80319c", "01")
        assert span != "b7ad6b7169203331"

    _visit(app_dir, visit)


def test_a_plain_function_may_return_text(app_dir: Path) -> None:
    async def visit(host: FunctionsHost, http: aiohttp.ClientSession) -> None:
        async with http.get(f"{host.url}/api/text/7") as reply:
            assert await reply.text() == "GET {'n': '7'}"
        async with http.put(f"{host.url}/api/text/7/more") as reply:
            assert await reply.text() == "PUT {'n': '7', 'rest': 'more'}"

    _visit(app_dir, visit)


def test_a_function_that_raises_is_a_500_without_its_reason(app_dir: Path) -> None:
    async def visit(host: FunctionsHost, http: aiohttp.ClientSession) -> None:
        async with http.get(f"{host.url}/api/fails") as reply:
            assert (reply.status, await reply.text()) == (500, "")
        assert "RuntimeError: on purpose" in host.failures[0]

    _visit(app_dir, visit)


def test_with_a_key_everything_but_anonymous_functions_wants_it(app_dir: Path) -> None:
    async def visit(host: FunctionsHost, http: aiohttp.ClientSession) -> None:
        for path in ("/api/text/7", "/admin/functions", "/runtime/webhooks/eventgrid"):
            async with http.get(host.url + path) as reply:
                assert reply.status == 401, path
        async with http.get(f"{host.url}/api/seen") as reply:
            assert reply.status == 200
        async with http.get(f"{host.url}/api/text/7?code=k") as reply:
            assert reply.status == 200
        async with http.get(f"{host.url}/api/text/7", headers={"x-functions-key": "k"}) as reply:
            assert reply.status == 200
        url = host.event_grid_url("ring")
        async with http.post(url, json=[EVENT], headers=NOTIFICATION) as reply:
            assert reply.status == 202

    _visit(app_dir, visit, key="k")


def test_the_functions_are_listed(app_dir: Path) -> None:
    async def visit(host: FunctionsHost, http: aiohttp.ClientSession) -> None:
        async with http.get(f"{host.url}/admin/functions") as reply:
            listed = {f["name"]: f["config"]["bindings"] for f in await reply.json()}
        assert set(listed) == {"ring", "ring_cloud", "show", "callback", "text", "fails"}
        assert listed["ring"][0]["type"] == "eventGridTrigger"

    _visit(app_dir, visit)


def test_the_command_says_why_it_cannot_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--app-dir", str(tmp_path)]) == 1
    assert "cannot be loaded" in capsys.readouterr().err


def test_a_port_that_is_taken_is_told(app_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["--app-dir", str(app_dir), "--port", port]) == 1
    error = capsys.readouterr().err
    assert error.startswith("The Functions host cannot start: ")
    assert port in error


def test_its_own_process_serves_until_it_is_told_to_stop(app_dir: Path, tmp_path: Path) -> None:
    port_file = tmp_path / "port"
    command = [sys.executable, "-m", "simulator.functions_host", "--app-dir", str(app_dir)]
    process = subprocess.Popen(
        [*command, "--port-file", str(port_file)],
        env={**os.environ, "SHOP_SETTING": "from the parent"},
        stderr=subprocess.PIPE,
    )
    with contextlib.ExitStack() as stack:
        stack.callback(process.kill)
        deadline = time.monotonic() + 15
        while not port_file.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        url = f"http://127.0.0.1:{port_file.read_text()}/api/calls/a/b"
        with urllib.request.urlopen(url, data=b"{}", timeout=5) as reply:
            assert json.load(reply)["setting"] == "from the parent"
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=5)
    assert process.returncode == 0
    assert b"Traceback" not in errors
