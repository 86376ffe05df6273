"""The blob service: containers and block blobs, by the Azure Storage REST reference.

No I/O and no clock: `Blobs.answer(request, now)` takes a request and the wall time and returns
the reply or raises `StorageError`.
"""

import base64
import hashlib
import re
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

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_PAGE = 5000
"""Blobs in one List Blobs reply when the client names no smaller number."""


@dataclass
class Blob:
    """One block blob; times are wall time in seconds, `etag` holds its quotes."""

    content: bytes
    etag: str
    modified: float
    created: float
    content_type: str
    metadata: dict[str, str]

    @property
    def md5(self) -> str:
        return base64.b64encode(hashlib.md5(self.content, usedforsecurity=False).digest()).decode()

    def headers(self) -> dict[str, str]:
        """The headers of Get Blob and Get Blob Properties."""
        return {
            "ETag": self.etag,
            "Last-Modified": http_date(self.modified),
            "x-ms-creation-time": http_date(self.created),
            "x-ms-blob-type": "BlockBlob",
            "x-ms-lease-status": "unlocked",
            "x-ms-lease-state": "available",
            "x-ms-server-encrypted": "true",
            "Accept-Ranges": "bytes",
            "Content-Type": self.content_type,
            **metadata_headers(self.metadata),
        }


@dataclass
class Container:
    """Blobs by name."""

    etag: str
    modified: float
    metadata: dict[str, str]
    blobs: dict[str, Blob] = field(default_factory=dict)


class Blobs:
    """All containers of the account."""

    def __init__(self) -> None:
        self.containers: dict[str, Container] = {}
        self._last_tick = 0

    def operation(self, request: Request) -> str:
        """The operation's name as in Storage's own logs, `Unknown` for anything else."""
        comp, kind = request.query.get("comp"), request.query.get("restype")
        match request.method, request.parts:
            case "PUT", (_,) if kind == "container" and comp is None:
                return "CreateContainer"
            case "DELETE", (_,) if kind == "container" and comp is None:
                return "DeleteContainer"
            case "GET" | "HEAD", (_,) if kind == "container" and comp is None:
                return "GetContainerProperties"
            case "GET", (_,) if kind == "container" and comp == "list":
                return "ListBlobs"
            case "PUT", (_, _, *_) if comp is None and "x-ms-copy-source" not in request.headers:
                return "PutBlob"
            case "GET", (_, _, *_) if comp is None:
                return "GetBlob"
            case "HEAD", (_, _, *_) if comp is None:
                return "GetBlobProperties"
            case "DELETE", (_, _, *_) if comp is None:
                return "DeleteBlob"
            case _:
                return "Unknown"

    def answer(self, request: Request, now: float) -> Reply:
        """Carries the request out at wall time `now`."""
        act: dict[str, Callable[[Request, Container, float], Reply]] = {
            "DeleteContainer": self._delete_container,
            "GetContainerProperties": self._container_properties,
            "ListBlobs": self._list,
            "PutBlob": self._put,
            "GetBlob": self._get,
            "GetBlobProperties": self._properties,
            "DeleteBlob": self._delete,
        }
        operation = self.operation(request)
        if operation == "CreateContainer":
            return self._create_container(request, now)
        if operation not in act:
            raise unknown_operation(request)
        check_resource_name(request.parts[0])
        container = self.containers.get(request.parts[0])
        if container is None:
            raise StorageError(404, "ContainerNotFound", "The specified container does not exist.")
        return act[operation](request, container, now)

    # Containers

    def create_container(self, name: str, now: float, metadata: dict[str, str]) -> Container:
        """Makes an empty container, as Create Container and as a test's starting point."""
        self.containers[name] = Container(self._new_etag(now), now, metadata)
        return self.containers[name]

    def _create_container(self, request: Request, now: float) -> Reply:
        name = request.parts[0]
        check_resource_name(name)
        if name in self.containers:
            raise StorageError(
                409, "ContainerAlreadyExists", "The specified container already exists."
            )
        made = self.create_container(name, now, metadata_of(request))
        return Reply(201, {"ETag": made.etag, "Last-Modified": http_date(made.modified)})

    def _delete_container(self, request: Request, _container: Container, _now: float) -> Reply:
        del self.containers[request.parts[0]]
        return Reply(202)

    def _container_properties(self, _: Request, container: Container, _now: float) -> Reply:
        return Reply(
            200,
            {
                "ETag": container.etag,
                "Last-Modified": http_date(container.modified),
                "x-ms-lease-status": "unlocked",
                "x-ms-lease-state": "available",
                "x-ms-has-immutability-policy": "false",
                "x-ms-has-legal-hold": "false",
                **metadata_headers(container.metadata),
            },
        )

    def _list(self, request: Request, container: Container, _now: float) -> Reply:
        if "delimiter" in request.query:
            raise unknown_operation(request)
        prefix, marker = request.query.get("prefix", ""), request.query.get("marker", "")
        most = number(request, "maxresults", default=_PAGE, low=1, high=_PAGE)
        names = sorted(n for n in container.blobs if n.startswith(prefix) and n >= marker)
        root = ET.Element("EnumerationResults", ContainerName=request.parts[0])
        ET.SubElement(root, "Prefix").text = prefix
        listed = ET.SubElement(root, "Blobs")
        with_metadata = "metadata" in request.query.get("include", "").split(",")
        for name in names[:most]:
            listed.append(_listed(name, container.blobs[name], with_metadata=with_metadata))
        # The next page begins with the first name left out; no name, no page.
        ET.SubElement(root, "NextMarker").text = names[most] if len(names) > most else ""
        return Reply(200, body=xml(root))

    # Blobs

    def _put(self, request: Request, container: Container, now: float) -> Reply:
        kind = request.headers.get("x-ms-blob-type")
        if kind != "BlockBlob":
            raise StorageError(
                400,
                "InvalidHeaderValue" if kind else "MissingRequiredHeader",
                "Only block blobs are simulated: x-ms-blob-type must be BlockBlob.",
                HeaderName="x-ms-blob-type",
            )
        name = _blob_name(request)
        known = container.blobs.get(name)
        if known and request.headers.get("if-none-match") == "*":
            raise StorageError(409, "BlobAlreadyExists", "The specified blob already exists.")
        _check_conditions(request, known)
        kind = request.headers.get("x-ms-blob-content-type", "application/octet-stream")
        created, etag = known.created if known else now, self._new_etag(now)
        blob = Blob(request.body, etag, now, created, kind, metadata_of(request))
        _check_md5(request, blob)
        container.blobs[name] = blob
        stamps = {"ETag": etag, "Last-Modified": http_date(now), "Content-MD5": blob.md5}
        return Reply(201, {**stamps, "x-ms-request-server-encrypted": "true"})

    def _get(self, request: Request, container: Container, _now: float) -> Reply:
        blob = _existing(request, container)
        _check_conditions(request, blob)
        whole = {**blob.headers(), "Content-MD5": blob.md5}
        asked = request.headers.get("x-ms-range") or request.headers.get("range")
        found = _RANGE.fullmatch(asked) if asked else None
        if found is None:
            return Reply(200, whole, blob.content)
        first, size = int(found[1]), len(blob.content)
        last = min(int(found[2]) if found[2] else size - 1, size - 1)
        if first >= size:
            raise StorageError(416, "InvalidRange", "The range specified is invalid for the blob.")
        part = {
            **blob.headers(),
            "Content-Range": f"bytes {first}-{last}/{size}",
            "x-ms-blob-content-md5": blob.md5,
        }
        return Reply(206, part, blob.content[first : last + 1])

    def _properties(self, request: Request, container: Container, _now: float) -> Reply:
        blob = _existing(request, container)
        _check_conditions(request, blob)
        size = {"Content-Length": str(len(blob.content)), "Content-MD5": blob.md5}
        return Reply(200, {**blob.headers(), **size})

    def _delete(self, request: Request, container: Container, _now: float) -> Reply:
        _check_conditions(request, _existing(request, container))
        del container.blobs[_blob_name(request)]
        return Reply(202, {"x-ms-delete-type-permanent": "true"})

    def _new_etag(self, now: float) -> str:
        """Unique and growing: 100 ns ticks, as the service's own ETags look."""
        self._last_tick = max(self._last_tick + 1, int(now * 1e7))
        return f'"0x8{self._last_tick:015X}"'


def _blob_name(request: Request) -> str:
    return "/".join(request.parts[1:])


def _existing(request: Request, container: Container) -> Blob:
    blob = container.blobs.get(_blob_name(request))
    if blob is None:
        raise StorageError(404, "BlobNotFound", "The specified blob does not exist.")
    return blob


def _check_conditions(request: Request, blob: Blob | None) -> None:
    """If-Match and If-None-Match ("Specifying conditional headers for Blob service operations").
    A read whose If-None-Match fails is 304; everything else that fails is 412."""
    for name in ("if-modified-since", "if-unmodified-since"):
        if name in request.headers:
            raise StorageError(501, "NotImplemented", f"The storage simulator has no {name}.")
    wanted, unwanted = request.headers.get("if-match"), request.headers.get("if-none-match")
    failed = StorageError(
        412,
        "ConditionNotMet",
        "The condition specified using HTTP conditional header(s) is not met.",
    )
    if wanted is not None and (blob is None or wanted not in ("*", blob.etag)):
        raise failed
    if unwanted is not None and blob is not None and unwanted in ("*", blob.etag):
        if request.method in ("GET", "HEAD"):
            failed.status = 304
        raise failed


def _check_md5(request: Request, blob: Blob) -> None:
    claimed = request.headers.get("content-md5")
    if claimed is not None and claimed != blob.md5:
        raise StorageError(
            400, "Md5Mismatch", "The MD5 value specified in the request did not match."
        )


def _listed(name: str, blob: Blob, *, with_metadata: bool) -> ET.Element:
    root = ET.Element("Blob")
    ET.SubElement(root, "Name").text = name
    properties = ET.SubElement(root, "Properties")
    fields = {
        "Creation-Time": http_date(blob.created),
        "Last-Modified": http_date(blob.modified),
        "Etag": blob.etag.strip('"'),  # the listing, unlike the header, has no quotes
        "Content-Length": str(len(blob.content)),
        "Content-Type": blob.content_type,
        "Content-MD5": blob.md5,
        "BlobType": "BlockBlob",
        "LeaseStatus": "unlocked",
        "LeaseState": "available",
        "ServerEncrypted": "true",
    }
    for key, value in fields.items():
        ET.SubElement(properties, key).text = value
    if with_metadata:
        metadata = ET.SubElement(root, "Metadata")
        for key, value in blob.metadata.items():
            ET.SubElement(metadata, key).text = value
    return root
