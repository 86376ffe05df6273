"""A small stand-in for Azure Communication Services: one scripted reply per request."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from aiohttp import web

from simulator.serving import serve
from switchboard.acs_calls import Accepted, AnswerRequest, CallAutomation, NoVerdict, Refused
from switchboard.azure_clients import acs_client
from switchboard.shared_settings import Shared
from tests.virtual_time import run

T = TypeVar("T")
ENVIRON = {
    "ACS_ACCESS_KEY": "c2VjcmV0LWtleQ==",
    "ACS_IMMUTABLE_RESOURCE_ID": "9f1d2c1a-0000-4000-8000-00155d012345",
    "STORAGE_CONNECTION_STRING": "AccountName=unused",
    "CREDENTIAL": "none",
}
CONNECTION = "411f0b00-0000-4000-8000-00155d012345"
REQUEST = AnswerRequest(
    context="eyJhbGciOiJub25lIn0.e30.",
    callback_url="https://app.test/api/calls/20261118-0/token",
    media_url="wss://worker.test/media/20261118-0/token",
    cognitive_services_endpoint="https://ai.test",
    audio_rate=24000,
    repeatability_id="7b6c3a52-0000-5000-8000-00155d012345",
    first_sent=1_795_000_000.0,
)


class Stand:
    """Answers from a script, one reply per request; the last one for ever after."""

    def __init__(self, *replies: "Reply | None") -> None:
        self._replies = list(replies)
        self.requests: list[tuple[str, str, Mapping[str, str], bytes]] = []
        self.at: list[float] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.at.append(asyncio.get_running_loop().time())
        self.requests.append(
            (request.method, request.path, request.headers.copy(), await request.read())
        )
        reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        if reply is None:
            await asyncio.sleep(3600)
        assert reply is not None
        status, body, headers = reply
        if status == 0:
            assert request.transport is not None
            request.transport.abort()
        return web.json_response(body, status=status, headers=headers)

    def bodies(self) -> list[Any]:
        return [json.loads(body) if body else None for _, _, _, body in self.requests]


Reply = tuple[int, Any, Mapping[str, str]]
"""Status, JSON body, headers."""

HANG = None
DROP: Reply = (0, None, {})
THROTTLED: Reply = (429, {"error": {"code": "8516", "message": "throttled"}}, {})
CALL = {
    "callConnectionId": CONNECTION,
    "callConnectionState": "connecting",
    "targets": [],
    "callbackUri": "https://app.test",
}
OK: Reply = (200, CALL, {})
DONE: Reply = (202, {}, {})


def refusal(status: int, code: str) -> Reply:
    return status, {"error": {"code": code, "message": "no"}}, {}


def using(stand: Stand, what: Callable[[CallAutomation], Awaitable[T]]) -> T:
    async def whole() -> T:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", stand.answer)
        async with serve(app) as url:
            settings = Shared.from_env(ENVIRON | {"ACS_ENDPOINT": url})
            async with await asyncio.to_thread(acs_client, settings, None) as client:
                return await what(CallAutomation(client))

    return run(whole())


def answer(*replies: Any) -> tuple[Stand, Accepted | Refused | NoVerdict]:
    stand = Stand(*replies)
    return stand, using(stand, lambda calls: calls.answer(REQUEST))
