"""Azure Storage on a laptop: the queue and the blob service of one account, each on its port.

The real `azure-storage-queue` and `azure-storage-blob` clients, sync and async, are served with
Azure's semantics, codes and bodies. The same contract tests run against the official emulator.
Every date, visibility timeout and expiry follows `simulator.clock.wall_now()`, so virtual time
works.
"""

import asyncio
import ssl
import uuid
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from simulator.clock import wall_now
from simulator.serving import serve
from simulator.storage_auth import KEY, Accept, authorize
from simulator.storage_blobs import Blobs
from simulator.storage_queues import Message, Queue, Queues
from simulator.storage_wire import ACCOUNT, Reply, Request, StorageError, http_date

MAX_BODY = 80 * 1024 * 1024
"""The SDK sends a blob of up to 64 MiB in one Put Blob."""

AZURE_STALE_RECEIPT = (404, "MessageNotFound")
EMULATOR_STALE_RECEIPT = (400, "PopReceiptMismatch")

_FAULT_CODES = {
    403: "AuthorizationPermissionMismatch",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServerBusy",
    504: "OperationTimedOut",
}


@dataclass
class Fault:
    """What goes wrong with the next `times` requests that match, after letting `skip` pass.

    `operation` and `path` are shell patterns: PutMessage, GetMessages, PeekMessages, UpdateMessage,
    DeleteMessage, ClearMessages, CreateQueue, GetQueueMetadata; PutBlob, GetBlob,
    GetBlobProperties, DeleteBlob, ListBlobs, CreateContainer, GetContainerProperties; and the
    path after the account, as in `records/20261123-*`.
    """

    times: int = 1
    skip: int = 0
    operation: str = "*"
    path: str = "*"
    status: int | None = None
    """Answer with this instead of carrying the request out (503 ServerBusy, 500, 429, 504; 403
    AuthorizationPermissionMismatch, as for an identity without the role)."""
    drop_request: bool = False
    """Close the connection and do nothing."""
    drop_reply: bool = False
    """Carry it out, then close the connection without a reply."""
    delay_s: float = 0.0
    """Wait before carrying it out."""
    reply_delay_s: float = 0.0
    """Wait between carrying it out and replying."""

    def strikes(self, operation: str, path: str) -> bool:
        """Whether this request is hit; counts it."""
        if self.times <= 0:
            return False
        if not (fnmatchcase(operation, self.operation) and fnmatchcase(path, self.path)):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= 1
        return True


class Storage:
    """`async with Storage(queues=["sessions"], containers=["records"]) as storage:` serves until
    the block ends."""

    def __init__(
        self,
        *,
        queues: tuple[str, ...] | list[str] = (),
        containers: tuple[str, ...] | list[str] = (),
        accept: Accept = "any",
        token_key: Any = None,
        stale_receipt: tuple[int, str] = AZURE_STALE_RECEIPT,
        latency_s: float = 0.0,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        """`queues` and `containers` exist from the start. `accept`: account keys, Entra tokens or
        both; `token_key` verifies the tokens' signature (None: only their claims are checked).
        The SDKs send tokens over https alone: give an `ssl_context` (see `simulator.tls`).
        """
        self.accept, self.token_key = accept, token_key
        self.latency_s = latency_s
        self.faults: list[Fault] = []
        self.counts: Counter[str] = Counter()
        """Requests carried out so far, by operation, refused ones too."""
        self.queues, self.blob_service = Queues(stale_receipt=stale_receipt), Blobs()
        for name in queues:
            self.queues.queues[name] = Queue({})
        for name in containers:
            self.blob_service.create_container(name, wall_now(), {})
        self.blob_endpoint = ""
        """As https://account.blob.core.windows.net would be: ends in the account, no slash."""
        self.queue_endpoint = ""
        self._ssl = ssl_context
        self._stack = AsyncExitStack()

    @property
    def connection_string(self) -> str:
        """Endpoints and key in the SDKs' `from_connection_string` form."""
        return (
            f"DefaultEndpointsProtocol={'https' if self._ssl else 'http'};"
            f"AccountName={ACCOUNT};AccountKey={KEY};"
            f"BlobEndpoint={self.blob_endpoint};QueueEndpoint={self.queue_endpoint};"
        )

    def messages(self, queue: str) -> list[Message]:
        """Every message on the queue, hidden ones too, the next visible first."""
        return self.queues.queues[queue].live(wall_now())

    def blobs(self, container: str) -> dict[str, bytes]:
        """The container's blobs by name."""
        blobs = self.blob_service.containers[container].blobs
        return {name: blob.content for name, blob in blobs.items()}

    async def __aenter__(self) -> "Storage":
        async with AsyncExitStack() as stack:
            self.blob_endpoint = await self._open(stack, self.blob_service)
            self.queue_endpoint = await self._open(stack, self.queues)
            self._stack = stack.pop_all()
        return self

    async def _open(self, stack: AsyncExitStack, service: Queues | Blobs) -> str:
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_route("*", "/{path:.*}", _Door(self, service).answer)
        base = await stack.enter_async_context(serve(app, ssl_context=self._ssl))
        return f"{base}/{ACCOUNT}"

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()


class _Door:
    """HTTP in front of one service: faults, authorization, common headers."""

    def __init__(self, storage: Storage, service: Queues | Blobs) -> None:
        self.storage, self.service = storage, service

    async def answer(self, http: web.Request) -> web.StreamResponse:
        request = await _read(http)
        operation = self.service.operation(request)
        path = "/".join(request.parts)
        fault = next((f for f in self.storage.faults if f.strikes(operation, path)), Fault())
        await asyncio.sleep(self.storage.latency_s + fault.delay_s)
        if fault.drop_request:
            return _hang_up(http)
        reply = self._reply(request, operation, fault)
        await asyncio.sleep(fault.reply_delay_s)
        if fault.drop_reply:
            return _hang_up(http)
        return web.Response(
            status=reply.status,
            headers={**_common_headers(request), **reply.headers},
            body=None if http.method == "HEAD" else reply.body,
        )

    def _reply(self, request: Request, operation: str, fault: Fault) -> Reply:
        storage, now = self.storage, wall_now()
        storage.counts[operation] += 1
        try:
            if fault.status is not None:
                code = _FAULT_CODES.get(fault.status, "InternalError")
                raise StorageError(fault.status, code, "The simulator was told to fail.")
            authorize(request, accept=storage.accept, token_key=storage.token_key, now=now)
            return self.service.answer(request, now)
        except StorageError as error:
            return error.reply()


async def _read(http: web.Request) -> Request:
    raw = http.raw_path.partition("?")[0]
    account, *parts = raw.strip("/").split("/")
    if account != ACCOUNT:
        raise web.HTTPBadRequest(text=f"The path must begin with /{ACCOUNT}.")
    return Request(
        method=http.method,
        path=raw,
        parts=tuple(unquote(part) for part in parts),
        query=dict(http.query),
        headers={name.lower(): value for name, value in http.headers.items()},
        body=await http.read(),
    )


def _common_headers(request: Request) -> dict[str, str]:
    headers = {
        "Date": http_date(wall_now()),
        "Server": "Switchboard storage simulator",
        "x-ms-request-id": str(uuid.uuid4()),
        "x-ms-version": request.headers.get("x-ms-version", "2021-12-02"),
    }
    if "x-ms-client-request-id" in request.headers:
        headers["x-ms-client-request-id"] = request.headers["x-ms-client-request-id"]
    if request.method != "HEAD":
        headers["Content-Type"] = "application/xml"
    return headers


def _hang_up(http: web.Request) -> web.StreamResponse:
    """Closes the connection; what is returned can no longer be written."""
    if http.transport is not None:
        http.transport.abort()
    return web.Response()
