import asyncio

from simulator.generation import Generation, comes_within, new_id
from tests.virtual_time import run


def test_ids_are_short_enough_to_be_given_back_as_the_ids_of_items() -> None:
    first, second = new_id("item"), new_id("item")
    assert first != second
    assert len(first) <= 32


def test_a_wait_ends_when_the_response_is_cancelled_and_cancel_when_it_has_ended() -> None:
    async def scenario() -> None:
        loop, response = asyncio.get_running_loop(), Generation()

        async def write() -> None:
            await response.wait(60)
            await asyncio.sleep(1)
            response.ended.set()

        async with asyncio.TaskGroup() as group:
            group.create_task(write())
            await asyncio.sleep(2)
            await response.cancel("turn_detected")
            assert loop.time() == 3
            await response.cancel("client_cancelled")
        assert response.reason == "turn_detected"

    run(scenario())


def test_an_event_comes_in_time_or_it_does_not() -> None:
    async def scenario() -> None:
        event = asyncio.Event()
        assert not await comes_within(event, 0)
        assert not await comes_within(event, 5)
        asyncio.get_running_loop().call_later(1, event.set)
        assert await comes_within(event, 5)
        assert asyncio.get_running_loop().time() == 6

    run(scenario())
