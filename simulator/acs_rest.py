"""The HTTP side of simulated ACS: who may call, faults, repeatability, then the operation."""

import asyncio
import json
import re
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import unquote

from aiohttp import web

from simulator import acs_wire as wire
from simulator.acs_auth import AccessKey, EntraTokens, Received
from simulator.acs_exchange import Refused, invalid
from simulator.acs_switches import AcsSwitches, Fault, Refusal

Json: TypeAlias = dict[str, Any]
Reply: TypeAlias = tuple[int, Json | None]
Perform: TypeAlias = Callable[["Request"], Awaitable[Reply]]

_CALLS = "/calling/callConnections"
_PATH = re.compile(rf"{_CALLS}/(?P<id>[^/:]+)(?P<rest>.*)")
MAX_REMEMBERED = 2_000
"""Responses kept for repeated requests; the real service forgets too."""


@dataclass(frozen=True)
class Request:
    """An operation asked for: its name, the connection it is about (if any), and its body."""

    name: str
    connection_id: str | None
    body: Json
    request_id: str | None


@dataclass
class Rest:
    """Takes requests as ACS does; `perform` carries them out."""

    switches: AcsSwitches
    who: AccessKey | EntraTokens
    perform: Perform
    log: deque[tuple[str, int]] = field(default_factory=lambda: deque(maxlen=MAX_REMEMBERED))
    """The latest operations, each with the status it got."""
    _remembered: dict[str, "asyncio.Future[Reply]"] = field(default_factory=dict)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Any request below `/calling/callConnections`."""
        body = await request.read()
        fault: Fault | None = None
        try:
            asked = self._read(request, body)
            fault = self._fault(asked.name)
            if fault is not None:
                await asyncio.sleep(fault.delay_s)
            status, reply = await self._once(asked, fault)
        except Refused as error:
            refusal = error.refusal
            status, reply = refusal.status, wire.error_body(refusal.code, refusal.message)
        self.log.append((_operation(request.method, request.path)[0] or request.path, status))
        if fault is not None:
            await asyncio.sleep(fault.reply_delay_s)
            if fault.lose_reply and request.transport is not None:
                request.transport.abort()
        headers = {"x-ms-client-request-id": request.headers.get("x-ms-client-request-id", "")}
        if fault is not None and fault.retry_after is not None:
            headers["Retry-After"] = fault.retry_after
        if reply is None:
            return web.Response(status=status, headers=headers)
        return web.json_response(reply, status=status, headers=headers)

    def _read(self, request: web.Request, body: bytes) -> Request:
        received = Received(
            request.method, request.raw_path, request.headers["Host"], request.headers, body
        )
        if why := self.who.refuses(received):
            raise Refused(Refusal(401, "Denied", f"Denied by the resource provider: {why}."))
        version = request.query.get("api-version")
        if version not in wire.API_VERSIONS:
            raise Refused(Refusal(400, "UnsupportedApiVersion", f"api-version: {version}"))
        name, connection_id, extra = _operation(request.method, request.path)
        if name is None:
            raise Refused(Refusal(404, "NotFound", "No such resource."))
        try:
            content = json.loads(body) if body else {}
        except ValueError as error:
            raise invalid("The body is not JSON.") from error
        if not isinstance(content, dict):
            raise invalid("The body is not an object.")
        repeated = request.headers.get("Repeatability-Request-ID")
        return Request(name, connection_id, {**content, **extra}, repeated)

    def _fault(self, name: str) -> Fault | None:
        for fault in self.switches.faults:
            if fault.times > 0 and fault.operation in (name, "*"):
                fault.times -= 1
                return fault
        return None

    async def _once(self, asked: Request, fault: Fault | None) -> Reply:
        """The same request id gets the first response again; the operation is not repeated.

        A refusal before the operation (throttling, faults) is not remembered: the repeated
        request is the first to be carried out.
        """
        if fault is not None and fault.refusal is not None:
            raise Refused(fault.refusal)
        if asked.request_id is None or not self.switches.repeatability:
            return await self._answer(asked)
        known = self._remembered.get(asked.request_id)
        if known is None:
            while len(self._remembered) >= MAX_REMEMBERED:
                del self._remembered[next(iter(self._remembered))]
            known = self._remembered[asked.request_id] = asyncio.Future()
            try:
                known.set_result(await self._answer(asked))
            finally:
                if not known.done():
                    known.cancel()
                    del self._remembered[asked.request_id]
        return await asyncio.shield(known)

    async def _answer(self, asked: Request) -> Reply:
        try:
            return await self.perform(asked)
        except Refused as error:
            refusal = error.refusal
            return refusal.status, wire.error_body(refusal.code, refusal.message)


def _operation(method: str, path: str) -> tuple[str | None, str | None, Json]:
    """The operation's name, the connection's id, and what else the path says."""
    if method == "POST" and path.startswith(f"{_CALLS}:"):
        return path.removeprefix(f"{_CALLS}:"), None, {}
    if (match := _PATH.fullmatch(path)) is None:
        return None, None, {}
    rest, connection_id = match["rest"], match["id"]
    match method, rest:
        case "GET", "":
            return "get", connection_id, {}
        case "DELETE", "":
            return "hangup", connection_id, {}
        case "POST", _ if rest.startswith(":"):
            return rest[1:], connection_id, {}
        case "GET", "/participants":
            return "participants", connection_id, {}
        case "GET", _ if rest.startswith("/participants/"):
            raw_id = unquote(rest.removeprefix("/participants/"))
            return "participant", connection_id, {"rawId": raw_id}
        case "POST", _ if rest.startswith("/participants:"):
            return rest[1:], connection_id, {}
        case _:
            return None, None, {}
