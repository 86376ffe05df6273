"""Publishes the directory, for `python -m switchboard publish`: a good file is kept as a generation
and made live, or an earlier generation is made live again."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Literal, assert_never

from switchboard import azure_clients, limits
from switchboard.agents import JSON
from switchboard.directory import Directory, parse_directory
from switchboard.generations import Generations, Kept, Pointer, Unusable, is_generation
from switchboard.shared_settings import BlobAccess

Outcome = Literal["published", "already live", "not the first", "overtaken"]


@dataclass(frozen=True)
class Publication:
    """What became of making a generation live. `not the first`: another one was live already, and
    only the first was to be published; `overtaken`: somebody else made another one live in the
    meantime. That one is live in both cases."""

    outcome: Outcome
    generation: str
    before: str | None
    """What was live; None: nothing was published."""

    @property
    def good(self) -> bool:
        """Whether what was asked for is done."""
        return self.outcome != "overtaken"

    def lines(self) -> Iterator[str]:
        """For a terminal."""
        match self.outcome:
            case "published":
                yield f"Generation {self.generation} is published."
                yield f"Calls that begin {limits.DIRECTORY_PROMISED_S:g} s from now get it."
                if self.before is not None:
                    yield f"To undo this: python -m switchboard publish --back-to {self.before}"
            case "already live":
                yield f"Generation {self.generation} is live already: nothing was changed."
            case "not the first":
                yield f"Generation {self.before} is live, and stays so: nothing was changed."
            case "overtaken":
                yield "Somebody else published in the meantime, and that is live: --list shows it."
                yield "Bring their changes into your file, or publish again to replace them."
            case _:
                assert_never(self.outcome)

    def to_json(self) -> dict[str, JSON]:
        """The same for programs."""
        return {"ok": self.good, **vars(self)}


@dataclass(frozen=True)
class Listing:
    """Everything that was ever published, the newest first."""

    kept: list[Kept]
    live: Pointer | None
    good: bool = True

    def lines(self) -> Iterator[str]:
        """For a terminal."""
        if not self.kept:
            yield "Nothing is published: the file that was deployed counts."
        for one in self.kept:
            since = f"   live since {self.live.since}" if self.live and self._is_live(one) else ""
            yield f"{one.generation}   published {one.published}{since}"

    def to_json(self) -> dict[str, JSON]:
        """The same for programs."""
        return {
            "live": self.live.generation if self.live else None,
            "since": self.live.since if self.live else None,
            "generations": [{**vars(one), "live": self._is_live(one)} for one in self.kept],
        }

    def _is_live(self, one: Kept) -> bool:
        return self.live is not None and self.live.generation == one.generation


@asynccontextmanager
async def opened(environ: Mapping[str, str]) -> AsyncIterator[Generations]:
    """The container that the environment names. Raises `SettingsError`."""
    settings = BlobAccess.from_env(environ)
    async with AsyncExitStack() as stack:
        credential = azure_clients.token_credential(settings)
        if credential is not None:
            await stack.enter_async_context(credential)
        container = await asyncio.to_thread(azure_clients.directory_container, settings, credential)
        await stack.enter_async_context(container)
        yield Generations(container, limits.PUBLISH_OPERATION_S)


async def publish(
    generations: Generations, directory: Directory, content: bytes, *, first: bool = False
) -> Publication:
    """Makes `content`, which was read as `directory`, live. `first`: only where nothing is live.

    Raises `StorageUnavailable` and `Unusable`: nothing was made live.
    """
    if len(content) > limits.DIRECTORY_MAX_BYTES:
        raise Unusable(f"the file has more than {limits.DIRECTORY_MAX_BYTES} bytes")
    seen = await _pointer(generations)
    if first and seen is not None and seen.generation not in (None, directory.generation):
        return Publication("not the first", directory.generation, seen.generation)
    await generations.add(directory.generation, content)
    return await _make_live(generations, directory.generation, seen)


async def back_to(generations: Generations, generation: str) -> Publication:
    """Makes an earlier generation live again.

    Raises `StorageUnavailable`, `Unusable`, and `DirectoryError` if this version of the program
    finds faults in it: nothing was made live.
    """
    if not is_generation(generation):
        raise Unusable(f"`{generation}` is no generation: 12 digits, as --list shows them")
    seen = await _pointer(generations)
    content = await generations.content(generation)
    if parse_directory(content, source=generation).generation != generation:
        raise Unusable(f"generation {generation} was changed after it was published")
    return await _make_live(generations, generation, seen)


async def listing(generations: Generations) -> Listing:
    """What `--list` shows. Raises `StorageUnavailable`."""
    return Listing(await generations.kept(), await _pointer(generations))


async def _pointer(generations: Generations) -> Pointer | None:
    seen = await generations.pointer()
    return seen if isinstance(seen, Pointer) else None


async def _make_live(
    generations: Generations, generation: str, seen: Pointer | None
) -> Publication:
    before = seen.generation if seen is not None else None
    if before == generation:
        return Publication("already live", generation, before)
    won = await generations.make_live(generation, seen)
    return Publication("published" if won else "overtaken", generation, before)
