"""A Functions host on a laptop: HTTP in front of a function app run by Microsoft's own runtime.

Event Grid deliveries go to `/runtime/webhooks/eventgrid?functionName=NAME` and are treated as the
Event Grid extension treats them (azure-sdk-for-net, Microsoft.Azure.WebJobs.Extensions.EventGrid:
HttpRequestProcessor, EventGridExtensionConfigProvider); HTTP triggers are at `/{routePrefix}/…`.
Not simulated: timers and other triggers, output bindings, function timeouts, host.json beyond its
route prefix.

    python -m simulator.functions_host --app-dir . --port 7071
"""

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from simulator.functions_app import App, AppLoadError, InvocationFailed, load
from simulator.functions_messages import RpcHttp, TypedData
from simulator.functions_routes import Route
from simulator.processes import put_file
from simulator.serving import serve

log = logging.getLogger("simulator.functions_host")

MAX_BODY = 210 * 1024 * 1024
"""The cloud's own limit on an HTTP request, in bytes (Functions hosting options)."""


class FunctionsHost:
    """`async with FunctionsHost(Path(".")) as host:` serves the app until the block ends.

    In one process all hosts share the app: see `simulator.functions_app`.
    """

    def __init__(
        self,
        app_dir: Path,
        *,
        env: Mapping[str, str] | None = None,
        anew: tuple[str, ...] = (),
        key: str | None = None,
        port: int = 0,
    ) -> None:
        """`env`: app settings, in the process's environment while the host runs. `anew`: packages
        to import again with the app, so that they read these settings. `key`: what `?code=` or
        `x-functions-key` must say, for Event Grid and for HTTP functions that are not anonymous;
        None opens them all.
        """
        self.url = ""
        self.failures: list[str] = []
        """What the functions raised, with traceback."""
        self._app_dir = app_dir.resolve()
        self._anew, self._key, self._port = anew, key, port
        self._env = dict(env or {})
        self._stack = AsyncExitStack()

    @property
    def app(self) -> App:
        """The loaded app."""
        return self._app

    def event_grid_url(self, function: str) -> str:
        """Where Event Grid delivers for the function."""
        code = f"&code={self._key}" if self._key else ""
        return f"{self.url}/runtime/webhooks/eventgrid?functionName={function}{code}"

    async def __aenter__(self) -> "FunctionsHost":
        async with AsyncExitStack() as stack:
            stack.callback(self._put_environment())
            self._app = await load(self._app_dir, anew=self._anew)
            http = [f for f in self._app.functions.values() if f.has_trigger("httpTrigger")]
            self._routes = [Route.of(f, self._app.route_prefix) for f in http]
            app = web.Application(client_max_size=MAX_BODY)
            app.router.add_route("*", "/runtime/webhooks/eventgrid", self._event_grid)
            app.router.add_get("/admin/functions", self._list)
            app.router.add_route("*", "/{path:.*}", self._http)
            self.url = await stack.enter_async_context(serve(app, port=self._port))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def _put_environment(self) -> Callable[[], None]:
        """Sets the app settings; returns what puts the environment back."""
        before = {name: os.environ.get(name) for name in self._env}
        os.environ.update(self._env)

        def put_back() -> None:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value

        return put_back

    def _may(self, request: web.Request) -> bool:
        given = request.query.get("code") or request.headers.get("x-functions-key")
        return self._key is None or given == self._key

    async def _list(self, request: web.Request) -> web.Response:
        if not self._may(request):
            return web.Response(status=401)
        functions = self._app.functions.values()
        listed = [
            {"name": f.name, "language": "python", "config": {"bindings": list(f.bindings)}}
            for f in functions
        ]
        return web.json_response(listed)

    # Event Grid

    async def _event_grid(self, request: web.Request) -> web.Response:
        if not self._may(request):
            return web.Response(status=401)
        name = request.query.get("functionName", "")
        function = self._app.functions.get(name)
        if function is None or not function.has_trigger("eventGridTrigger"):
            return web.Response(status=404, text=f"cannot find function: '{name}'")
        if request.method == "OPTIONS":
            return _allow_deliveries(request)
        try:
            body = json.loads(await request.read() or b"null")
        except ValueError:
            return web.Response(status=500)  # the extension lets its parser's exception pass
        match request.headers.get("aeg-event-type", "").lower():
            case "subscriptionvalidation":
                return _validate(body)
            case "notification" if isinstance(body, list | dict):
                events = body if isinstance(body, list) else [body]
                return await self._deliver(name, events, request.headers.get("traceparent"))
            case "unsubscribe":
                return web.Response(status=202)
            case _:
                return web.Response(status=400)

    async def _deliver(self, name: str, events: list[Any], traceparent: str | None) -> web.Response:
        """Every event is an invocation of its own, side by side; one failure fails the delivery,
        and Event Grid sends all of it again."""
        async with asyncio.TaskGroup() as group:
            runs = [group.create_task(self._one_event(name, e, traceparent)) for e in events]
        if all(run.result() for run in runs):
            return web.Response(status=202)
        return web.Response(
            status=500, text=f"Exception while executing function: Functions.{name}"
        )

    async def _one_event(self, name: str, event: Any, traceparent: str | None) -> bool:
        try:
            await self._app.invoke(name, TypedData(json=json.dumps(event)), traceparent=traceparent)
        except InvocationFailed as failure:
            self._failed(name, failure)
            return False
        return True

    # HTTP triggers

    async def _http(self, request: web.Request) -> web.Response:
        path = request.raw_path.partition("?")[0]
        for route in self._routes:
            found = route.pattern.fullmatch(path)
            if found and (not route.methods or request.method in route.methods):
                level = str(route.function.trigger.get("authLevel", "function")).lower()
                if level != "anonymous" and not self._may(request):
                    return web.Response(status=401)
                return await self._call(request, route.function.name, found.groupdict())
        return web.Response(status=404)  # a wrong method too: it is part of the route

    async def _call(
        self, request: web.Request, name: str, params: Mapping[str, str | None]
    ) -> web.Response:
        http = RpcHttp(
            method=request.method,
            url=str(request.url),
            headers={k.lower(): ", ".join(request.headers.getall(k)) for k in request.headers},
            params={k: unquote(v) for k, v in params.items() if v is not None},
            query=dict(request.query),
            body=TypedData(bytes=await request.read()),
        )
        traceparent = request.headers.get("traceparent")
        try:
            value = await self._app.invoke(name, TypedData(http=http), traceparent=traceparent)
        except InvocationFailed as failure:
            self._failed(name, failure)
            return web.Response(status=500)
        return _response(value)

    def _failed(self, name: str, failure: InvocationFailed) -> None:
        self.failures.append(str(failure))
        log.error("function %s failed: %s", name, failure)


def _allow_deliveries(request: web.Request) -> web.Response:
    """The CloudEvents handshake ("HTTP 1.1 Web Hooks for Event Delivery", 4.1): Event Grid asks
    with OPTIONS before it delivers in this schema."""
    origin = request.headers.get("WebHook-Request-Origin")
    if origin is None:
        return web.Response(status=400)
    return web.Response(
        headers={"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*", "Allow": "POST"}
    )


def _validate(body: Any) -> web.Response:
    """The Event Grid handshake: an array of one event, or a CloudEvent whose data is JSON text."""
    try:
        data = body[0]["data"] if isinstance(body, list) else json.loads(body["data"])
        return web.json_response({"validationResponse": data["validationCode"]})
    except (LookupError, TypeError, ValueError):
        return web.Response(status=500)


def _response(value: Any) -> web.Response:
    """What the function returned, as HTTP: an HttpResponse, a text, or nothing (204)."""
    if value is None:
        return web.Response(status=204)
    if value.WhichOneof("data") == "string":
        return web.Response(text=value.string)
    http = value.http
    return web.Response(status=int(http.status_code), headers=http.headers, body=http.body.bytes)


async def _run(app_dir: Path, port: int, port_file: Path | None) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with FunctionsHost(app_dir, port=port) as host:
        log.info("functions host at %s: %s", host.url, ", ".join(sorted(host.app.functions)))
        if port_file is not None:
            put_file(port_file, host.url.rpartition(":")[2])
        await stopped.wait()


def main(arguments: list[str] | None = None) -> int:
    """The command line; the app's settings are this process's environment."""
    parser = argparse.ArgumentParser(prog="python -m simulator.functions_host")
    parser.add_argument("--app-dir", type=Path, default=Path())
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--port-file", type=Path, help="where to write the port")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    logging.getLogger("azure").setLevel(logging.WARNING)  # else every request's every header
    try:
        asyncio.run(_run(given.app_dir, given.port, given.port_file))
    except AppLoadError as error:
        sys.stderr.write(f"The function app cannot be loaded.\n{error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"The Functions host cannot start: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
