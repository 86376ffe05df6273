"""The directory as it is published: every generation of `agents.toml` ever live, in blob storage.

One container: the blobs `generations/GENERATION.toml`, each written once and never again, and
`current`, a small JSON that names the one that is live and changes under its ETag only. The SDK is
imported where it is used, so that this module costs a cold start nothing.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from switchboard import limits
from switchboard.clock import wall_now
from switchboard.storage import within_limits

if TYPE_CHECKING:
    from azure.storage.blob.aio import ContainerClient

_POINTER = "current"
_FOLDER, _ENDING = "generations/", ".toml"
_NAME = re.compile(r"[0-9a-f]{12}")


class Unusable(Exception):
    """What is published is not what was published once: the text says what is wrong with it, and
    quotes nothing."""


class Seen(Enum):
    """What a conditional look may find in place of a pointer."""

    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Pointer:
    """Which generation is live."""

    generation: str | None
    """None: the pointer says something else."""

    since: str
    """When it was made live: ISO 8601, UTC, whole seconds."""

    etag: str


@dataclass(frozen=True)
class Kept:
    """A generation in the container."""

    generation: str
    published: str
    """When it was first published, as in `Pointer`."""


class Generations:
    """One container. Every method raises `StorageUnavailable`, and `Unusable` where it says so."""

    def __init__(
        self, container: "ContainerClient", limit_s: float = limits.STORAGE_OPERATION_S
    ) -> None:
        """`container`: built with `storage_retry()`; whoever built it closes it. `limit_s`: for one
        operation."""
        self._container = container
        self._limit_s = limit_s

    async def pointer(self, known: str | None = None) -> Pointer | Seen | None:
        """The live generation: one request. `Seen.UNCHANGED` while the pointer's ETag is `known`;
        None: nothing is published."""
        from azure.core import MatchConditions
        from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

        condition: dict[str, Any] = {}
        if known is not None:
            condition = {"etag": known, "match_condition": MatchConditions.IfModified}
        async with within_limits("reading which directory is live", self._limit_s):
            try:
                download = await self._container.download_blob(_POINTER, **condition)
                small = download.size <= limits.POINTER_MAX_BYTES
                content = await download.readall() if small else b""
            except ResourceNotFoundError:
                return None
            except HttpResponseError as error:
                if error.status_code == 304:  # the SDK has an error of another name for it
                    return Seen.UNCHANGED
                raise
        return _pointer_of(content, download.properties.etag)

    async def content(self, generation: str) -> bytes:
        """The file as it was published. Raises `Unusable` too: it is not there, or too large."""
        from azure.core.exceptions import ResourceNotFoundError

        async with within_limits("reading a published directory", self._limit_s):
            try:
                download = await self._container.download_blob(_blob_name(generation))
                if download.size > limits.DIRECTORY_MAX_BYTES:
                    raise Unusable(f"generation {generation} has {download.size} bytes")
                return await download.readall()
            except ResourceNotFoundError as error:
                raise Unusable(f"there is no generation {generation}") from error

    async def add(self, generation: str, content: bytes) -> bool:
        """Keeps the file for good; the container is made if need be. False: it was there already.
        Raises `Unusable` too: another file is there under this name."""
        from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError

        async with within_limits("publishing a directory", self._limit_s):
            for _ in range(2):
                try:
                    await self._container.upload_blob(_blob_name(generation), content)
                except ResourceNotFoundError:
                    await self._make_container()
                except ResourceExistsError:
                    break
                else:
                    return True
        if await self.content(generation) != content:
            raise Unusable(f"generation {generation} is kept with another content")
        return False

    async def make_live(self, generation: str, over: Pointer | None) -> bool:
        """Moves the pointer from where it was seen (None: nowhere). False: somebody else moved it
        meanwhile, and nothing was changed."""
        from azure.core import MatchConditions
        from azure.core.exceptions import ResourceExistsError, ResourceModifiedError

        since = datetime.fromtimestamp(wall_now(), UTC).isoformat(timespec="seconds")
        condition: dict[str, Any] = {"overwrite": False}
        if over is not None:
            unchanged = MatchConditions.IfNotModified
            condition = {"overwrite": True, "etag": over.etag, "match_condition": unchanged}
        content = json.dumps({"generation": generation, "since": since}).encode()
        async with within_limits("making a directory live", self._limit_s):
            try:
                await self._container.upload_blob(_POINTER, content, **condition)
            except (ResourceExistsError, ResourceModifiedError):
                pass  # no verdict: a lost reply looks the same, as the library sends again
            else:
                return True
        seen = await self.pointer()
        return isinstance(seen, Pointer) and (seen.generation, seen.since) == (generation, since)

    async def kept(self) -> list[Kept]:
        """All generations, the newest first."""
        from azure.core.exceptions import ResourceNotFoundError

        found: list[Kept] = []
        async with within_limits("listing the published directories", self._limit_s):
            try:
                async for blob in self._container.list_blobs(name_starts_with=_FOLDER):
                    name = blob.name.removeprefix(_FOLDER).removesuffix(_ENDING)
                    made = blob.creation_time.astimezone(UTC).isoformat(timespec="seconds")
                    found.append(Kept(name, made))
            except ResourceNotFoundError:
                return []
        return sorted(found, key=lambda kept: kept.published, reverse=True)

    async def _make_container(self) -> None:
        from azure.core.exceptions import ResourceExistsError

        try:
            await self._container.create_container()
        except ResourceExistsError:
            return  # somebody else was quicker


def is_generation(text: str) -> bool:
    """Whether `text` is written as a generation is."""
    return _NAME.fullmatch(text) is not None


def _pointer_of(content: bytes, etag: str) -> Pointer:
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        fields = {}
    generation = str(fields.get("generation"))
    known = generation if is_generation(generation) else None
    return Pointer(known, str(fields.get("since", "")), etag)


def _blob_name(generation: str) -> str:
    assert is_generation(generation), "generations are checked where they come in"
    return f"{_FOLDER}{generation}{_ENDING}"
