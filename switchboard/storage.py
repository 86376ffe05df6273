"""Azure Storage as the ledger uses it: records as blobs, session messages in a queue.

Messages are UTF-8 JSON text as such, no base64; both kinds have a `call_id`, and scaling only
counts them. The SDK is imported where it is used, so that this module costs a cold start nothing.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from switchboard import limits
from switchboard.ledger import StorageUnavailable, Surfacing, Versioned
from switchboard.moves import Surfaced
from switchboard.record import CallRecord, MessageRef, RecordError
from switchboard.session import SessionDescriptor, is_call_id

if TYPE_CHECKING:
    from azure.storage.blob.aio import ContainerClient
    from azure.storage.queue import QueueMessage
    from azure.storage.queue.aio import QueueClient

STALE_RECEIPT = (400, 404)
"""A receipt that no longer counts: 404 MessageNotFound by the Queue service's documentation, 400
PopReceiptMismatch by the emulator's practice."""


def storage_retry() -> dict[str, Any]:
    """Keyword arguments for the blob and queue clients: `STORAGE_TRIES` attempts, 0.2 s apart."""
    return {
        "retry_total": limits.STORAGE_TRIES - 1,
        "initial_backoff": limits.STORAGE_FIRST_BACKOFF_S,
        "increment_base": 0,  # the back-off is initial + base ** n
        "random_jitter_range": limits.STORAGE_FIRST_BACKOFF_S / 2,
        "connection_timeout": limits.STORAGE_CONNECT_S,
        "read_timeout": limits.STORAGE_READ_S,
    }


@asynccontextmanager
async def within_limits(
    what: str, limit_s: float = limits.STORAGE_OPERATION_S
) -> AsyncIterator[None]:
    """Bounds one operation; its failures become `StorageUnavailable`, without addresses or keys."""
    from azure.core.exceptions import AzureError, HttpResponseError

    try:
        async with asyncio.timeout(limit_s):
            yield
    except TimeoutError as error:
        took = f"no answer within {limit_s:g} s"
        raise StorageUnavailable(f"{what}: {took}") from error
    except HttpResponseError as error:
        code = getattr(error, "error_code", None) or ""
        code = getattr(code, "value", code)  # the SDK names the codes it knows by an enum
        raise StorageUnavailable(f"{what}: {error.status_code} {code}".rstrip()) from error
    except AzureError as error:
        raise StorageUnavailable(f"{what}: {type(error).__name__}") from error


class RecordBlobs:
    """`ledger.Records` in one container: the blobs `calls/CALL_ID.json`."""

    def __init__(self, container: "ContainerClient") -> None:
        """`container`: built with `storage_retry()`; whoever built it closes it."""
        self._container = container

    async def get(self, call_id: str) -> Versioned | None:
        """The record, its version and age; None if there is none."""
        from azure.core.exceptions import ResourceNotFoundError

        headers: dict[str, str] = {}
        blob = self._container.get_blob_client(_blob_name(call_id))
        async with within_limits("reading a call's record"):
            try:
                download = await blob.download_blob(
                    raw_response_hook=lambda reply: headers.update(reply.http_response.headers)
                )
                if download.size > limits.RECORD_MAX_BYTES:
                    raise RecordError(f"oversized: {download.size} bytes")
                text = await download.readall()
            except ResourceNotFoundError:
                return None
        return Versioned(CallRecord.from_json(text), download.properties.etag, _age_s(headers))

    async def put(self, record: CallRecord, etag: str | None) -> bool:
        """Writes over that version (None: only if there is none); False on 409 and 412."""
        from azure.core import MatchConditions
        from azure.core.exceptions import ResourceExistsError, ResourceModifiedError

        condition: dict[str, Any] = {"overwrite": False}
        if etag is not None:
            unchanged = MatchConditions.IfNotModified
            condition = {"overwrite": True, "etag": etag, "match_condition": unchanged}
        blob = self._container.get_blob_client(_blob_name(record.call_id))
        async with within_limits("writing a call's record"):
            try:
                await blob.upload_blob(record.to_json().encode(), **condition)
            except (ResourceExistsError, ResourceModifiedError):
                return False
        return True


class SessionQueue:
    """`ledger.Messages` in one queue; what is set aside goes to the records' container."""

    def __init__(self, queue: "QueueClient", container: "ContainerClient") -> None:
        """Both built with `storage_retry()`; whoever built them closes them."""
        self._queue = queue
        self._container = container

    async def send_setup(self, descriptor: SessionDescriptor) -> MessageRef:
        """The whole descriptor. Raises `DescriptorError` too, when it is too large."""
        return await self._send(descriptor.to_json(), limits.SETUP_HIDDEN_S)

    async def send_live(self, call_id: str) -> MessageRef:
        """Says only that the call is in progress: the record has the descriptor."""
        text = json.dumps({"version": 1, "kind": "live", "call_id": call_id})
        return await self._send(text, limits.LIVE_HIDDEN_S)

    async def renew(self, message: MessageRef) -> MessageRef | None:
        """Hides the message anew. None: this receipt no longer counts."""
        from azure.core.exceptions import HttpResponseError

        async with within_limits("renewing a session's message"):
            try:
                # Without a visibility_timeout the SDK sends 0, which shows the message to all.
                renewed = await self._queue.update_message(
                    message.id, message.receipt, visibility_timeout=limits.LIVE_HIDDEN_S
                )
            except HttpResponseError as error:
                if error.status_code in STALE_RECEIPT:
                    return None
                raise
        return MessageRef(message.id, str(renewed.pop_receipt))

    async def delete(self, message: MessageRef) -> None:
        """Deletes the message; one that is gone, or somebody else's by now, is left."""
        from azure.core.exceptions import HttpResponseError

        async with within_limits("deleting a session's message"):
            try:
                await self._queue.delete_message(message.id, message.receipt)
            except HttpResponseError as error:
                if error.status_code not in STALE_RECEIPT:
                    raise

    async def receive(self, most: int) -> list[Surfacing]:
        """At most `most` (1 to 32) messages, from one request."""
        pages = self._queue.receive_messages(
            messages_per_page=most, visibility_timeout=limits.SURFACED_HIDDEN_S
        ).by_page()
        async with within_limits("receiving session messages"):
            async for page in pages:
                return [_surfacing(message) async for message in page]
        return []

    async def set_aside(self, message: MessageRef, text: str, why: str) -> None:
        """Copies the message to the blob `dead-letters/MESSAGE_ID.txt`, then deletes it."""
        blob = self._container.get_blob_client(f"dead-letters/{message.id}.txt")
        async with within_limits("setting a message aside"):
            await blob.upload_blob(text.encode(), overwrite=True, metadata={"why": why})
        await self.delete(message)

    async def _send(self, text: str, hidden_s: int) -> MessageRef:
        async with within_limits("sending a session's message"):
            sent = await self._queue.send_message(
                text, visibility_timeout=hidden_s, time_to_live=limits.MESSAGE_TTL_S
            )
        return MessageRef(sent.id, str(sent.pop_receipt))


def _surfacing(message: "QueueMessage") -> Surfacing:
    text = str(message.content)
    ref = MessageRef(message.id, str(message.pop_receipt))
    return Surfacing(call_id_in(text), Surfaced(ref, message.dequeue_count or 0, text))


def call_id_in(text: str) -> str | None:
    """The call that a message speaks of; None: it is not a message of ours."""
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return None
    call_id = fields.get("call_id") if isinstance(fields, dict) else None
    return call_id if isinstance(call_id, str) and is_call_id(call_id) else None


def _blob_name(call_id: str) -> str:
    assert is_call_id(call_id), "call ids are checked where they come in"
    return f"calls/{call_id}.json"


def _age_s(headers: dict[str, str]) -> float:
    """Since the last write, both times by the storage's clock; in whole seconds."""
    lower = {name.lower(): value for name, value in headers.items()}
    now, then = (parsedate_to_datetime(lower[name]) for name in ("date", "last-modified"))
    return max(0.0, (now - then).total_seconds())
