"""Published directories by the real client: the simulator beside Microsoft's emulator."""

import asyncio

import pytest

from simulator.storage import Fault, Storage
from switchboard.generations import Generations, Pointer, Seen, Unusable
from switchboard.ledger import StorageUnavailable
from switchboard.limits import STORAGE_OPERATION_S
from tests.simulator.conftest import Account, Play
from tests.simulator.conftest import azurite as azurite
from tests.simulator.conftest import play as play
from tests.switchboard.published import publishes
from tests.virtual_time import run

ONE, TWO = "0123456789ab", "ba9876543210"


async def pointer(generations: Generations) -> Pointer:
    found = await generations.pointer()
    assert isinstance(found, Pointer)
    return found


def test_nothing_is_published_until_somebody_does_and_then_it_is_live(play: Play) -> None:
    async def scenario(account: Account) -> None:
        async with account.container() as container:
            generations = Generations(container)
            assert await generations.pointer() is None
            assert await generations.kept() == []
            assert await generations.add(ONE, b"one")
            assert await generations.pointer() is None
            assert await generations.make_live(ONE, None)
            live = await pointer(generations)
            assert live.generation == ONE
            assert await generations.content(ONE) == b"one"
            assert await generations.pointer(live.etag) is Seen.UNCHANGED
            assert [kept.generation for kept in await generations.kept()] == [ONE]

    play(scenario)


def test_of_two_owners_who_publish_at_once_the_second_is_refused(play: Play) -> None:
    async def scenario(account: Account) -> None:
        async with account.container() as container:
            generations = Generations(container)
            for name in (ONE, TWO):
                await generations.add(name, name.encode())
            assert await generations.make_live(ONE, None)
            assert not await generations.make_live(TWO, None), "both saw nothing published"
            seen = await pointer(generations)
            assert seen.generation == ONE
            assert await generations.make_live(TWO, seen)
            await asyncio.sleep(1.1)  # `since` has whole seconds
            assert not await generations.make_live(ONE, seen), "both saw the first generation"
            assert (await pointer(generations)).generation == TWO

    play(scenario)


def test_a_generation_is_never_written_twice(play: Play) -> None:
    async def scenario(account: Account) -> None:
        async with account.container() as container:
            generations = Generations(container)
            assert await generations.add(ONE, b"one")
            assert not await generations.add(ONE, b"one")
            with pytest.raises(Unusable, match="another content"):
                await generations.add(ONE, b"two")
            assert await generations.content(ONE) == b"one"
            with pytest.raises(Unusable, match=f"no generation {TWO}"):
                await generations.content(TWO)

    play(scenario)


def test_a_publication_whose_reply_was_lost_has_happened_nevertheless() -> None:
    async def scenario() -> None:
        async with Storage() as storage, publishes(storage) as generations:
            await generations.add(ONE, b"one")
            storage.faults.append(Fault(operation="PutBlob", drop_reply=True))
            assert await generations.make_live(ONE, None)
            storage.faults.append(Fault(operation="PutBlob", drop_reply=True))
            assert await generations.make_live(TWO, await pointer(generations))
            assert (await pointer(generations)).generation == TWO

    run(scenario())


@pytest.mark.parametrize("text", ["", "[]", '{"generation": "../calls"}', "x" * 5000, "{"])
def test_a_pointer_that_says_something_else_names_no_generation(text: str) -> None:
    async def scenario() -> None:
        async with Storage(containers=["directory"]) as storage, publishes(storage) as generations:
            await generations.add(ONE, b"one")
            assert await generations.make_live(ONE, None)
            blobs = storage.blob_service.containers["directory"].blobs
            blobs["current"].content = text.encode()
            assert (await pointer(generations)).generation is None

    run(scenario())


def test_storage_that_does_not_answer_is_given_up_within_the_limit() -> None:
    async def scenario() -> None:
        async with Storage() as storage, publishes(storage) as generations:
            storage.faults.append(Fault(times=99, delay_s=60))
            loop = asyncio.get_running_loop()
            began = loop.time()
            for operation in (
                generations.pointer(),
                generations.content(ONE),
                generations.add(ONE, b""),
                generations.make_live(ONE, None),
                generations.kept(),
            ):
                with pytest.raises(StorageUnavailable):
                    await operation
            assert loop.time() - began <= 5 * STORAGE_OPERATION_S

    run(scenario())
