"""The owner's edits, in the file and published, over the real Storage SDK in virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from simulator.storage import Fault, Storage
from switchboard.generations import Generations
from switchboard.limits import (
    DIRECTORY_FIRST_WAIT_S,
    DIRECTORY_LOOK_EVERY_S,
    DIRECTORY_PROMISED_S,
    DIRECTORY_WAIT_S,
)
from switchboard.live_directory import LiveDirectory, News
from tests.switchboard.published import publish, publishes
from tests.virtual_time import run

AGENTS = """
default_agent = "NAME"

[agents.NAME]
bridge = "voice_live"
model = "gpt-realtime"
"""
OUT = 10_000
"""Requests that fail: more than any scene makes."""


def file_of(name: str) -> str:
    """A directory whose only agent has this name."""
    return AGENTS.replace("NAME", name)


@dataclass
class Scene:
    """One process with its directory, and a storage account."""

    storage: Storage
    generations: Generations
    live: LiveDirectory
    file: Path
    news: list[News]

    async def answers(self) -> str | None:
        """Who would answer a call that begins now, which then is over."""
        directory = await self.live.current()
        await self.live.freshen()
        return None if directory is None else directory.default_agent

    async def restart(self) -> None:
        """Another process, with the same file and storage."""
        now = asyncio.get_running_loop().time
        self.live = LiveDirectory(self.file, self.generations, now, self.news.append)

    def told(self) -> list[tuple[str, str | None, int | None]]:
        """What was reported, and forgets it."""
        told: list[tuple[str, str | None, int | None]] = [
            (news.event, news.what, news.line) for news in self.news
        ]
        self.news.clear()
        return told


@asynccontextmanager
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    file = tmp_path / "agents.toml"
    file.write_text(file_of("packaged"))
    async with Storage() as storage, publishes(storage) as generations:
        news: list[News] = []
        now = asyncio.get_running_loop().time
        live = LiveDirectory(file, generations, now, news.append)
        yield Scene(storage, generations, live, file, news)


async def took(s: Scene) -> tuple[str | None, float]:
    """Who answers, and how long the caller's phone rang for it."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    directory = await s.live.current()
    name = None if directory is None else directory.default_agent
    return name, loop.time() - began


def test_while_nothing_is_published_the_file_counts_and_an_edit_is_live_in_3_s(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        async with scene(tmp_path) as s:
            assert await s.answers() == "packaged"
            s.file.write_text(file_of("edited"))
            await asyncio.sleep(DIRECTORY_LOOK_EVERY_S)
            assert await s.answers() == "edited"
            s.file.write_text("agents = ")
            await asyncio.sleep(DIRECTORY_LOOK_EVERY_S)
            assert await s.answers() == "edited"
            await asyncio.sleep(DIRECTORY_LOOK_EVERY_S)
            assert await s.answers() == "edited"
            fault = "fault: see python -m switchboard check"
            read = ("directory_read", None, None)
            assert s.told() == [read, read, ("directory_refused", fault, 1)]

    run(scenario())


def test_what_is_published_is_live_within_30_s_however_seldom_somebody_calls(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        async with scene(tmp_path) as s:
            assert await s.answers() == "packaged"
            for name in ("first", "second", "third"):
                await asyncio.sleep(600)
                await publish(s.generations, file_of(name))
                await asyncio.sleep(DIRECTORY_PROMISED_S + 0.1)
                assert await s.answers() == name
            s.file.write_text(file_of("edited"))
            await asyncio.sleep(600)
            assert await s.answers() == "third", "the file no longer counts"

    run(scenario())


def test_a_call_within_the_30_s_does_not_wait_for_storage_and_the_next_one_has_the_edit(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        async with scene(tmp_path) as s:
            await publish(s.generations, file_of("first"))
            assert await s.answers() == "first"
            await publish(s.generations, file_of("second"))
            await asyncio.sleep(DIRECTORY_LOOK_EVERY_S)
            s.storage.latency_s = 0.3
            assert await took(s) == ("first", 0)
            await s.live.freshen()
            assert await took(s) == ("second", 0)

    run(scenario())


def test_looking_costs_one_request_and_not_more_than_one_in_3_s(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with scene(tmp_path) as s:
            await publish(s.generations, file_of("first"))
            assert await s.answers() == "first"
            before = s.storage.counts["GetBlob"]
            for _ in range(100):
                await asyncio.gather(*(s.answers() for _ in range(10)))
                await asyncio.sleep(0.3)
            assert s.storage.counts["GetBlob"] - before <= 30 / DIRECTORY_LOOK_EVERY_S + 1

    run(scenario())


def test_storage_that_hangs_delays_a_call_by_half_a_second_and_changes_nothing(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        async with scene(tmp_path) as s:
            await publish(s.generations, file_of("first"))
            assert await s.answers() == "first"
            s.told()
            fault = Fault(times=OUT, delay_s=3600)
            s.storage.faults.append(fault)
            for _ in range(3):
                await asyncio.sleep(60)
                name, waited_s = await took(s)
                assert (name, waited_s <= DIRECTORY_WAIT_S) == ("first", True)
                await s.live.freshen()
            assert [event for event, _, _ in s.told()] == ["directory_unreachable"], "told once"
            fault.times = 0
            await publish(s.generations, file_of("second"))
            await asyncio.sleep(60)
            assert await s.answers() == "second"

    run(scenario())


def test_a_new_process_waits_a_little_for_storage_and_then_takes_its_own_file(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        async with scene(tmp_path) as s:
            await publish(s.generations, file_of("published"))
            s.storage.latency_s = 0.5
            assert await took(s) == ("published", 1.0), "the pointer, then the file"
            fault = Fault(times=OUT, delay_s=3600)
            s.storage.faults.append(fault)
            await s.restart()
            assert await took(s) == ("packaged", DIRECTORY_FIRST_WAIT_S)
            fault.times = 0
            await s.live.freshen()
            assert await s.answers() == "published"

    run(scenario())


def test_slow_storage_is_read_all_the_same_once_the_call_was_seen_to(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with scene(tmp_path) as s:
            await publish(s.generations, file_of("first"))
            assert await s.answers() == "first"
            await publish(s.generations, file_of("second"))
            await asyncio.sleep(60)
            s.storage.latency_s = 2 * DIRECTORY_WAIT_S
            assert await s.answers() == "first"
            assert await s.answers() == "second"

    run(scenario())


def test_a_broken_generation_changes_nothing_and_is_told_once_by_its_lines(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        async with scene(tmp_path) as s:
            await publish(s.generations, file_of("first"))
            assert await s.answers() == "first"
            s.told()
            broken = file_of("second").replace("model", "modle")
            await publish(s.generations, broken, "0123456789ab")
            for _ in range(5):
                await asyncio.sleep(DIRECTORY_PROMISED_S + 1)
                assert await s.answers() == "first"
            fault = "fault: see python -m switchboard check"
            assert s.told() == [("directory_refused", fault, 6)]
            await s.restart()
            assert await s.answers() == "packaged", "a new process has no other good one"

    run(scenario())


def test_what_was_changed_after_it_was_published_is_not_taken(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with scene(tmp_path) as s:
            await publish(s.generations, file_of("first"))
            assert await s.answers() == "first"
            s.told()
            await publish(s.generations, file_of("smuggled"), "0123456789ab")
            await asyncio.sleep(DIRECTORY_PROMISED_S + 1)
            assert await s.answers() == "first"
            name = await publish(s.generations, file_of("third"))
            blobs = s.storage.blob_service.containers["directory"].blobs
            del blobs[f"generations/{name}.toml"]
            await asyncio.sleep(DIRECTORY_PROMISED_S + 1)
            assert await s.answers() == "first"
            blobs["current"].content, blobs["current"].etag = b"[]", '"0xFF"'
            await asyncio.sleep(DIRECTORY_PROMISED_S + 1)
            assert await s.answers() == "first"
            assert [what for _, what, _ in s.told()] == [
                "generation 0123456789ab was changed",
                f"there is no generation {name}",
                "the pointer names no generation",
            ]

    run(scenario())


def test_without_a_published_directory_any_more_the_file_counts_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with scene(tmp_path) as s:
            await publish(s.generations, file_of("published"))
            assert await s.answers() == "published"
            del s.storage.blob_service.containers["directory"]
            await asyncio.sleep(DIRECTORY_PROMISED_S + 1)
            assert await s.answers() == "packaged"
            assert [news.source for news in s.news] == ["file", "published", "file"]

    run(scenario())


def test_without_any_directory_nobody_answers_until_there_is_one(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with scene(tmp_path) as s:
            s.file.unlink()
            for _ in range(3):
                assert await s.answers() is None
                await asyncio.sleep(DIRECTORY_PROMISED_S)
            assert s.told() == [("directory_refused", "FileNotFoundError", None)], "told once"
            s.file.write_text(file_of("there"))
            assert await s.answers() == "there"

    run(scenario())
