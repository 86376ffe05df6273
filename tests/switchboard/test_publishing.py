"""An owner publishes, over the real Storage SDK against the simulated account."""

import pytest

from simulator.storage import Fault, Storage
from switchboard.directory import DirectoryError, parse_directory
from switchboard.generations import Generations, Pointer, Unusable
from switchboard.ledger import StorageUnavailable
from switchboard.limits import DIRECTORY_MAX_BYTES
from switchboard.publishing import Publication, back_to, listing, opened, publish
from tests.switchboard.published import publishes
from tests.switchboard.test_live_directory import file_of
from tests.virtual_time import run


async def publish_text(generations: Generations, text: str) -> Publication:
    content = text.encode()
    return await publish(generations, parse_directory(content, source="mine"), content)


async def live(generations: Generations) -> str | None:
    pointer = await generations.pointer()
    return pointer.generation if isinstance(pointer, Pointer) else None


def test_publishing_makes_the_file_live_and_going_back_an_earlier_one() -> None:
    async def scenario() -> None:
        async with Storage() as storage, publishes(storage) as generations:
            first = await publish_text(generations, file_of("first"))
            assert (first.outcome, first.before) == ("published", None)
            second = await publish_text(generations, file_of("second"))
            assert (second.outcome, second.before) == ("published", first.generation)
            assert (await publish_text(generations, file_of("second"))).outcome == "already live"
            assert await live(generations) == second.generation
            assert (await back_to(generations, first.generation)).outcome == "published"
            shown = await listing(generations)
            assert shown.live is not None
            assert shown.live.generation == first.generation
            assert {kept.generation for kept in shown.kept} == {
                first.generation,
                second.generation,
            }

    run(scenario())


def test_an_owner_who_was_overtaken_is_told_and_replaces_nothing() -> None:
    async def scenario() -> None:
        async with Storage() as storage, publishes(storage) as mine, publishes(storage) as theirs:
            await publish_text(mine, file_of("first"))

            class Overtaken(Generations):
                async def add(self, generation: str, content: bytes) -> bool:
                    await publish_text(theirs, file_of("theirs"))
                    return await mine.add(generation, content)

            overtaken = Overtaken(mine._container)
            assert (await publish_text(overtaken, file_of("mine"))).outcome == "overtaken"
            theirs_named = parse_directory(file_of("theirs"), source="theirs").generation
            assert await live(mine) == theirs_named

    run(scenario())


def test_going_back_to_what_is_no_good_directory_changes_nothing() -> None:
    async def scenario() -> None:
        async with Storage() as storage, publishes(storage) as generations:
            first = await publish_text(generations, file_of("first"))
            await generations.add("0123456789ab", b"[agents]")
            await generations.add("ba9876543210", file_of("other").encode())
            with pytest.raises(DirectoryError):
                await back_to(generations, "0123456789ab")
            with pytest.raises(Unusable, match="was changed"):
                await back_to(generations, "ba9876543210")
            for name in ("000000000000", "../calls/x"):
                with pytest.raises(Unusable, match="no generation"):
                    await back_to(generations, name)
            assert await live(generations) == first.generation

    run(scenario())


def test_what_nobody_could_read_is_not_published() -> None:
    async def scenario() -> None:
        async with Storage() as storage, publishes(storage) as generations:
            with pytest.raises(Unusable, match="bytes"):
                await publish_text(generations, file_of("big") + "#" * DIRECTORY_MAX_BYTES)
            storage.faults.append(Fault(times=99, operation="PutBlob", status=503))
            with pytest.raises(StorageUnavailable, match="503 ServerBusy"):
                await publish_text(generations, file_of("first"))
            storage.faults.clear()
            assert await live(generations) is None

    run(scenario())


def test_it_publishes_where_the_environment_says() -> None:
    async def scenario() -> None:
        async with Storage() as storage:
            environ = {
                "STORAGE_CONNECTION_STRING": storage.connection_string,
                "CREDENTIAL": "none",
                "DIRECTORY_CONTAINER": "elsewhere",
            }
            async with opened(environ) as generations:
                done = await publish_text(generations, file_of("first"))
            assert set(storage.blobs("elsewhere")) == {
                "current",
                f"generations/{done.generation}.toml",
            }

    run(scenario())


def test_who_was_overtaken_reads_what_to_do() -> None:
    overtaken = Publication("overtaken", "0123456789ab", None)
    assert not overtaken.good
    assert "publish again to replace them" in "\n".join(overtaken.lines())
    assert overtaken.to_json()["ok"] is False
