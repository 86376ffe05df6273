"""Publishes directories to a simulated storage account."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from azure.storage.blob.aio import ContainerClient

from simulator.storage import Storage
from switchboard.directory import parse_directory
from switchboard.generations import Generations, Pointer
from switchboard.storage import storage_retry


@asynccontextmanager
async def publishes(storage: Storage) -> AsyncIterator[Generations]:
    """The container `directory`, which need not exist."""
    text, options = storage.connection_string, storage_retry() | {"use_env_settings": False}
    container = await asyncio.to_thread(
        ContainerClient.from_connection_string, text, "directory", **options
    )
    async with container:
        yield Generations(container)


async def publish(generations: Generations, text: str, name: str | None = None) -> str:
    """Makes `text` live; the name of its generation (`name`: under a false one)."""
    content = text.encode()
    name = name or parse_directory(content, source="published").generation
    seen = await generations.pointer()
    await generations.add(name, content)
    assert await generations.make_live(name, seen if isinstance(seen, Pointer) else None)
    return name
