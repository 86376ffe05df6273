"""Getting a connection to an AI service: address, sign-in, retries, and what a refusal means."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import aiohttp
from aiohttp import WSMsgType
from azure.core.exceptions import AzureError

from media_worker.bridges import Failed
from media_worker.bridges import server_events as wire
from media_worker.bridges.endpoints import Endpoints
from media_worker.limits import (
    BRIDGE_CLOSE_S,
    BRIDGE_HEARTBEAT_S,
    CONNECT_BACKOFF_S,
    CONNECT_S,
    CONNECT_TRIES,
    CONNECT_TRY_S,
    MAX_EVENT_BYTES,
    SESSION_OPEN_S,
    SHUN_S,
)

_MENDS = {
    400: "the service did not understand the request: check model or agent name and api-version",
    401: "not signed in: check the credential, or the key; agent mode takes no keys",
    403: "give the worker's identity the roles Cognitive Services User and Foundry User",
    404: "no such endpoint, model or agent: check the endpoint and the agent in agents.toml",
    429: "the resource's quota of connections or tokens is used up: raise it or spread the load",
}
_NOT_AGAIN = frozenset({400, 401, 403, 404})
"""Answers to a handshake that the next try would get, too."""

Socket: TypeAlias = "aiohttp.ClientWebSocketResponse[Literal[False]]"
"""A WebSocket whose text messages are bytes."""


class Access(Protocol):
    """How to reach a service and sign in: with an Entra token, else with the key."""

    @property
    def http(self) -> aiohttp.ClientSession:
        """From `http_session`."""
        ...

    @property
    def endpoints(self) -> Endpoints:
        """Base URLs of the resources."""
        ...

    @property
    def bearer(self) -> Callable[[], Awaitable[str]] | None:
        """Raises `AzureError` or TimeoutError when there is no token."""
        ...

    @property
    def key(self) -> str | None:
        """For `api-key`."""
        ...


@dataclass(frozen=True)
class RealtimeAccess:
    """Where Azure OpenAI Realtime is; see `Access`."""

    http: aiohttp.ClientSession
    endpoints: Endpoints
    bearer: Callable[[], Awaitable[str]] | None
    key: str | None = None


@dataclass(frozen=True)
class VoiceLiveAccess:
    """Where Voice Live is; see `Access`."""

    http: aiohttp.ClientSession
    endpoints: Endpoints
    api_version: str
    bearer: Callable[[], Awaitable[str]] | None
    key: str | None = None


def http_session(tls: ssl.SSLContext | None = None) -> aiohttp.ClientSession:
    """A session for all calls of the process. The connector's usual limit of 100 connections would
    leave call 101 waiting for ever."""
    connector = aiohttp.TCPConnector(limit=0, ssl=tls if tls is not None else True)
    return aiohttp.ClientSession(connector=connector)


class ConnectError(Exception):
    """There is no conversation to be had; `failed` says why."""

    def __init__(self, code: str, message: str, *, again: bool, after_s: float = 0.0) -> None:
        super().__init__(code)
        self.failed = Failed(code, message)
        self.again = again
        self.after_s = after_s


async def connect(access: Access, address: Callable[[str], str], at: str | None = None) -> Socket:
    """A connection, after as many tries as `limits.py` allows, to one resource or the next.
    `address`: the WebSocket address at the resource of this base URL; `at`: only there.

    Raises:
        ConnectError: the last try's.
    """
    now = asyncio.get_running_loop().time
    deadline = now() + CONNECT_S
    pause_s = CONNECT_BACKOFF_S
    tried: set[str] = set()
    for tries_left in range(CONNECT_TRIES - 1, -1, -1):
        url = at or access.endpoints.best(now(), tried) or access.endpoints.best(now())
        assert url is not None, "there is one resource at least"
        try:
            socket = await _try(access, address(url), min(CONNECT_TRY_S, deadline - now()))
        except ConnectError as error:
            tried.add(url)
            access.endpoints.shun(url, now(), error.after_s or SHUN_S)
            another = at is None and access.endpoints.best(now(), tried) is not None
            wait_s = 0.0 if another else max(pause_s, error.after_s)
            hopeless = not (error.again or another)
            if hopeless or not tries_left or now() + wait_s >= deadline:
                raise
            await asyncio.sleep(wait_s)
            pause_s *= 1 if another else 2
        else:
            access.endpoints.connected(url, now())
            return socket
    raise AssertionError("the last try returns or raises")


@asynccontextmanager
async def opening() -> AsyncIterator[None]:
    """Bounds the opening of a session on a new connection. Raises `ConnectError`."""
    try:
        async with asyncio.timeout(SESSION_OPEN_S):
            yield
    except TimeoutError as error:
        mend = "the service accepted the connection, but did not open a session"
        raise ConnectError("session_timeout", mend, again=False) from error
    except (ConnectionError, aiohttp.ClientError) as error:
        mend = "the service closed the connection while the session opened"
        raise ConnectError("session_closed", mend, again=False) from error


async def settle(
    connection: Socket, update: bytes, without: Callable[[str], bytes | None] = lambda param: None
) -> wire.SessionCreated | None:
    """Sends `session.update` and waits until it is in force; what the service said of the session
    before. `without`: the settings without a field that was refused, if a call can do without.
    Within `opening`. Raises `ConnectError` where the settings are refused."""
    created: wire.SessionCreated | None = None
    await connection.send_frame(update, WSMsgType.TEXT)
    while True:
        message = await connection.receive()
        if message.type is WSMsgType.BINARY:
            continue
        if message.type is not WSMsgType.TEXT:
            raise ConnectionResetError
        match wire.decode(message.data):
            case wire.SessionCreated() as created:
                pass
            case wire.SessionUpdated():
                return created
            case wire.Trouble(fatal=True, code=code, param=param):
                if (fewer := without(param)) is not None:
                    await connection.send_frame(fewer, WSMsgType.TEXT)
                    continue
                text = f"the service refuses the agent's settings ({param or 'no field named'})"
                raise ConnectError(f"session_refused:{code}", text, again=False)
            case _:
                pass


def abort(connection: Socket) -> None:
    """Ends a connection at once. Closing alone waits until what was written has been read, and
    with it whoever is suspended in a send: for ever, when the peer does not read."""
    # aiohttp has no public way to the transport of a client's WebSocket.
    if (transport := connection._writer.transport) is not None:
        transport.abort()


async def _try(access: Access, address: str, limit_s: float) -> Socket:
    try:
        async with asyncio.timeout(limit_s):
            return await access.http.ws_connect(
                address,
                headers=await _credentials(access),
                compress=0,
                heartbeat=BRIDGE_HEARTBEAT_S,
                max_msg_size=MAX_EVENT_BYTES,
                timeout=aiohttp.ClientWSTimeout(ws_close=BRIDGE_CLOSE_S),
                decode_text=False,
            )
    except aiohttp.WSServerHandshakeError as error:
        raise _refusal(error.status, error.headers or {}) from error
    except TimeoutError as error:
        message = "no answer to the handshake: check network and endpoint"
        raise ConnectError("connect_timeout", message, again=True) from error
    except (aiohttp.ClientError, OSError) as error:
        message = "no connection: check network and endpoint"
        raise ConnectError("connect_failed", message, again=True) from error
    except AzureError as error:
        message = "no Entra token: check the worker's identity"
        raise ConnectError("no_token", message, again=True) from error


def _refusal(status: int, headers: Mapping[str, str]) -> ConnectError:
    mend = _MENDS.get(status, "the service is unwell: check its health")
    after = headers.get("Retry-After", "")
    after_s = float(after) if after.isdecimal() else 0.0
    return ConnectError(f"http_{status}", mend, again=status not in _NOT_AGAIN, after_s=after_s)


async def _credentials(access: Access) -> dict[str, str]:
    if access.bearer is not None:
        return {"Authorization": f"Bearer {await access.bearer()}"}
    return {"api-key": access.key or ""}
