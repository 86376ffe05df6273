"""The queue service: queues and their messages, by the Azure Storage REST reference.

No I/O and no clock: `Queues.answer(request, now)` takes a request and the wall time and returns
the reply or raises `StorageError`.
"""

import base64
import itertools
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

from simulator.storage_wire import (
    Reply,
    Request,
    StorageError,
    check_resource_name,
    http_date,
    metadata_headers,
    metadata_of,
    number,
    unknown_operation,
    xml,
)

MAX_TEXT = 64 * 1024
"""Bytes of one message's text ("Put Message": up to 64 KiB)."""
MAX_SECONDS = 7 * 24 * 3600
"""Longest visibility timeout, and the time to live when none is given: seven days."""
LONGEST_TTL = 2**31 - 1
"""Any positive number is allowed as time to live; -1 means for ever."""
MAX_MESSAGES = 32
"""Most messages of one Get Messages or Peek Messages."""
FOREVER = 253_402_300_799.0
"""31 Dec 9999, 23:59:59: what the service gives as expiry of a message that does not expire."""


@dataclass
class Message:
    """One message; times are wall time in seconds."""

    id: str
    text: str
    inserted: float
    expires: float
    next_visible: float
    pop_receipt: str
    dequeue_count: int = 0


@dataclass
class Queue:
    """Messages by id, in the order of insertion."""

    metadata: dict[str, str]
    messages: dict[str, Message] = field(default_factory=dict)

    def live(self, now: float) -> list[Message]:
        """Drops what has expired; the rest, hidden messages too, the next visible first."""
        for message in [m for m in self.messages.values() if m.expires <= now]:
            del self.messages[message.id]
        return sorted(self.messages.values(), key=lambda m: m.next_visible)

    def visible(self, now: float) -> list[Message]:
        """What Get Messages may hand out at this moment."""
        return [m for m in self.live(now) if m.next_visible <= now]


class Queues:
    """All queues of the account."""

    def __init__(self, *, stale_receipt: tuple[int, str] = (404, "MessageNotFound")) -> None:
        """`stale_receipt`: what a receipt that is no longer the message's own gets. Azure's
        "Delete Message" and "Update Message" say 404; the official emulator answers
        400 PopReceiptMismatch."""
        self.queues: dict[str, Queue] = {}
        self.stale_receipt = stale_receipt
        self._receipts = itertools.count(1)

    def operation(self, request: Request) -> str:
        """The operation's name as in Storage's own logs, `Unknown` for anything else."""
        peek = request.query.get("peekonly", "").lower() == "true"
        match request.method, request.parts:
            case "PUT", (_,) if "comp" not in request.query:
                return "CreateQueue"
            case "DELETE", (_,):
                return "DeleteQueue"
            case "GET" | "HEAD", (_,) if request.query.get("comp") == "metadata":
                return "GetQueueMetadata"
            case "POST", (_, "messages"):
                return "PutMessage"
            case "GET", (_, "messages"):
                return "PeekMessages" if peek else "GetMessages"
            case "DELETE", (_, "messages"):
                return "ClearMessages"
            case "PUT", (_, "messages", _):
                return "UpdateMessage"
            case "DELETE", (_, "messages", _):
                return "DeleteMessage"
            case _:
                return "Unknown"

    def answer(self, request: Request, now: float) -> Reply:
        """Carries the request out at wall time `now`."""
        act: dict[str, Callable[[Request, Queue, float], Reply]] = {
            "DeleteQueue": self._delete_queue,
            "GetQueueMetadata": self._properties,
            "PutMessage": self._put,
            "GetMessages": self._get,
            "PeekMessages": self._peek,
            "ClearMessages": self._clear,
            "UpdateMessage": self._update,
            "DeleteMessage": self._delete,
        }
        operation = self.operation(request)
        if operation == "CreateQueue":
            return self._create_queue(request)
        if operation not in act:
            raise unknown_operation(request)
        check_resource_name(request.parts[0])
        queue = self.queues.get(request.parts[0])
        if queue is None:
            raise StorageError(404, "QueueNotFound", "The specified queue does not exist.")
        return act[operation](request, queue, now)

    # Queues

    def _create_queue(self, request: Request) -> Reply:
        name, metadata = request.parts[0], metadata_of(request)
        check_resource_name(name)
        known = self.queues.get(name)
        if known is None:
            self.queues[name] = Queue(metadata)
            return Reply(201)
        if known.metadata == metadata:
            return Reply(204)  # "Create Queue": same name and metadata is a success
        raise StorageError(409, "QueueAlreadyExists", "The specified queue already exists.")

    def _delete_queue(self, request: Request, _queue: Queue, _now: float) -> Reply:
        del self.queues[request.parts[0]]
        return Reply(204)

    def _properties(self, _request: Request, queue: Queue, now: float) -> Reply:
        # The count holds hidden messages too: "not lower than the actual number".
        count = {"x-ms-approximate-messages-count": str(len(queue.live(now)))}
        return Reply(200, {**metadata_headers(queue.metadata), **count})

    # Messages

    def _put(self, request: Request, queue: Queue, now: float) -> Reply:
        text = _message_text(request)
        ttl = number(request, "messagettl", default=MAX_SECONDS, low=1, high=LONGEST_TTL, but=(-1,))
        hidden = number(request, "visibilitytimeout", default=0, low=0, high=MAX_SECONDS)
        if 0 < ttl <= hidden:
            raise _visibility_past_expiry(hidden, ttl)
        message = Message(
            id=str(uuid.uuid4()),
            text=text,
            inserted=now,
            expires=FOREVER if ttl == -1 else now + ttl,
            next_visible=now + hidden,
            pop_receipt=self._new_receipt(),
        )
        queue.messages[message.id] = message
        return Reply(201, body=_listing([_element(message, receipt=True)]))

    def _get(self, request: Request, queue: Queue, now: float) -> Reply:
        many = number(request, "numofmessages", default=1, low=1, high=MAX_MESSAGES)
        hidden = number(request, "visibilitytimeout", default=30, low=1, high=MAX_SECONDS)
        taken = queue.visible(now)[:many]
        for message in taken:
            message.dequeue_count += 1
            message.next_visible = now + hidden
            message.pop_receipt = self._new_receipt()
        return Reply(200, body=_listing([_element(m, receipt=True, content=True) for m in taken]))

    def _peek(self, request: Request, queue: Queue, now: float) -> Reply:
        many = number(request, "numofmessages", default=1, low=1, high=MAX_MESSAGES)
        return Reply(
            200, body=_listing([_element(m, content=True) for m in queue.visible(now)[:many]])
        )

    def _clear(self, _request: Request, queue: Queue, _now: float) -> Reply:
        queue.messages.clear()
        return Reply(204)

    def _update(self, request: Request, queue: Queue, now: float) -> Reply:
        if "visibilitytimeout" not in request.query:
            raise _missing("visibilitytimeout")
        message = self._own(request, queue, now)
        hidden = number(request, "visibilitytimeout", default=0, low=0, high=MAX_SECONDS)
        if now + hidden > message.expires:
            raise _visibility_past_expiry(hidden, int(message.expires - now))
        if request.body:
            message.text = _message_text(request)
        message.next_visible = now + hidden
        message.pop_receipt = self._new_receipt()
        return Reply(
            204,
            {
                "x-ms-popreceipt": message.pop_receipt,
                "x-ms-time-next-visible": http_date(message.next_visible),
            },
        )

    def _delete(self, request: Request, queue: Queue, now: float) -> Reply:
        del queue.messages[self._own(request, queue, now).id]
        return Reply(204)

    def _own(self, request: Request, queue: Queue, now: float) -> Message:
        """The message of the path, if the request's receipt is its newest one. A receipt outlives
        the visibility timeout for as long as nobody else has received the message."""
        receipt = request.query.get("popreceipt")
        if receipt is None:
            raise _missing("popreceipt")
        queue.live(now)
        message = queue.messages.get(request.parts[2])
        if message is None:
            raise StorageError(404, "MessageNotFound", "The specified message does not exist.")
        if message.pop_receipt != receipt:
            status, code = self.stale_receipt
            raise StorageError(status, code, "The receipt is not the message's newest one.")
        return message

    def _new_receipt(self) -> str:
        # Opaque. Ends in "=" and may hold "+" and "/", so that a client must encode it.
        return base64.b64encode(b"\xfb\xef\xff" + next(self._receipts).to_bytes(10, "big")).decode()


def _missing(name: str) -> StorageError:
    return StorageError(
        400,
        "MissingRequiredQueryParameter",
        "A query parameter that's mandatory for this request is not specified.",
        QueryParameterName=name,
    )


def _visibility_past_expiry(hidden: int, ttl: int) -> StorageError:
    return StorageError(
        400,
        "OutOfRangeQueryParameterValue",
        "One of the query parameters specified in the request URI is outside the permissible"
        " range: a message must become visible before it expires.",
        QueryParameterName="visibilitytimeout",
        QueryParameterValue=hidden,
        MinimumAllowed=0,
        MaximumAllowed=max(ttl - 1, 0),
    )


def _message_text(request: Request) -> str:
    try:
        node = ET.fromstring(request.body).find("MessageText")
    except ET.ParseError:
        raise StorageError(400, "InvalidXmlDocument", "XML specified is not valid.") from None
    if node is None:
        raise StorageError(
            400, "MissingRequiredXmlNode", "A required XML node was not specified in the body."
        )
    text = node.text or ""
    if len(text.encode()) > MAX_TEXT:
        raise StorageError(
            413,
            "RequestBodyTooLarge",
            "The request body is too large and exceeds the maximum permissible limit.",
            MaxLimit=MAX_TEXT,
        )
    return text


def _element(message: Message, *, receipt: bool = False, content: bool = False) -> ET.Element:
    fields = {
        "MessageId": message.id,
        "InsertionTime": http_date(message.inserted),
        "ExpirationTime": http_date(message.expires),
    }
    if receipt:
        fields["PopReceipt"] = message.pop_receipt
        fields["TimeNextVisible"] = http_date(message.next_visible)
    if content:
        fields["DequeueCount"] = str(message.dequeue_count)
        fields["MessageText"] = message.text
    root = ET.Element("QueueMessage")
    for name, value in fields.items():
        ET.SubElement(root, name).text = value
    return root


def _listing(messages: list[ET.Element]) -> bytes:
    root = ET.Element("QueueMessagesList")
    root.extend(messages)
    return xml(root)
