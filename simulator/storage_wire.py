"""What the queue and the blob service share on the wire: requests, replies, errors, dates, limits.

Source: the Azure Storage REST reference ("Common REST API error codes", "Status and error codes",
"Representation of date-time values in headers"). No I/O, no clock: `now` is always handed in.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from xml.etree import ElementTree as ET

ACCOUNT = "devstoreaccount1"
"""The account, first segment of every path ("path style", as the official emulator does it)."""

_CONTAINER_NAME = re.compile(r"[a-z0-9](?:-?[a-z0-9])*")


@dataclass(frozen=True)
class Request:
    """One request, as the service sees it. `path` is raw, as sent; `query` is decoded;
    header names are lower case; `parts` are the decoded path segments after the account."""

    method: str
    path: str
    parts: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Reply:
    """A finished reply: status, headers and body."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class StorageError(Exception):
    """A refusal with the service's own code. `details` become further elements of the body."""

    def __init__(self, status: int, code: str, message: str, **details: object) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.details = details
        self.headers: dict[str, str] = {}

    def reply(self) -> Reply:
        """The XML error body. Without `<Message>` the SDK raises TypeError, not HttpResponseError
        (azure-storage-queue 12.18.1, azure-storage-blob 12.31.1)."""
        root = ET.Element("Error")
        text = {"Code": self.code, "Message": self.message, **self.details}
        for name, value in text.items():
            ET.SubElement(root, name).text = str(value)
        return Reply(self.status, {"x-ms-error-code": self.code, **self.headers}, xml(root))


def xml(root: ET.Element) -> bytes:
    """The element as a UTF-8 document with its declaration."""
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def http_date(at: float) -> str:
    """RFC 1123, as every date of the two services: whole seconds, GMT."""
    return formatdate(at, usegmt=True)


def unknown_operation(request: Request) -> StorageError:
    """501, which the SDKs do not retry: the call is real, but outside what is simulated."""
    return StorageError(
        501,
        "NotImplemented",
        f"The storage simulator has no {request.method} {'/'.join(request.parts)}"
        f" with {dict(request.query)}.",
    )


def check_resource_name(name: str) -> None:
    """Queues and containers: 3 to 63 lower-case letters, digits and single dashes.

    Source: "Naming queues and metadata", "Naming and referencing containers".
    """
    if not 3 <= len(name) <= 63:
        raise StorageError(
            400, "OutOfRangeInput", "The specified resource name length is not within limits."
        )
    if not _CONTAINER_NAME.fullmatch(name):
        raise StorageError(
            400, "InvalidResourceName", "The specified resource name contains invalid characters."
        )


def number(
    request: Request, name: str, *, default: int, low: int, high: int, but: tuple[int, ...] = ()
) -> int:
    """The query parameter as a whole number within `low`..`high` or one of `but`; raises 400."""
    text = request.query.get(name)
    if text is None:
        return default
    try:
        value = int(text)
    except ValueError:
        raise StorageError(
            400,
            "InvalidQueryParameterValue",
            "Value for one of the query parameters specified in the request URI is invalid.",
            QueryParameterName=name,
            QueryParameterValue=text,
        ) from None
    if not low <= value <= high and value not in but:
        raise StorageError(
            400,
            "OutOfRangeQueryParameterValue",
            "One of the query parameters specified in the request URI is outside the permissible"
            " range.",
            QueryParameterName=name,
            QueryParameterValue=value,
            MinimumAllowed=low,
            MaximumAllowed=high,
        )
    return value


def metadata_of(request: Request) -> dict[str, str]:
    """The `x-ms-meta-*` headers, without their prefix."""
    prefix = "x-ms-meta-"
    return {k[len(prefix) :]: v for k, v in request.headers.items() if k.startswith(prefix)}


def metadata_headers(metadata: Mapping[str, str]) -> dict[str, str]:
    """The way back: metadata as `x-ms-meta-*` headers."""
    return {f"x-ms-meta-{name}": value for name, value in metadata.items()}
