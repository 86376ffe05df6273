import asyncio

from media_worker.to_person import WayToPerson
from media_worker.tools import PutThrough
from tests.virtual_time import run

WISH = PutThrough("c1")


def now() -> float:
    return asyncio.get_running_loop().time()


def test_the_way_begins_when_all_has_been_heard() -> None:
    async def scenario() -> float:
        way = WayToPerson()
        way.wish(WISH)
        await way.begin(lambda: 2.5)
        assert way.is_on
        return now()

    assert run(scenario()) == 2.5


def test_a_wish_withdrawn_in_time_begins_nothing_and_the_next_one_counts() -> None:
    async def scenario() -> float:
        way = WayToPerson()
        async with asyncio.TaskGroup() as tasks:
            begun = tasks.create_task(way.begin(lambda: 2.0))
            way.wish(WISH)
            await asyncio.sleep(1.0)
            assert way.withdraw() == WISH
            assert not way.is_on
            await asyncio.sleep(9.0)
            assert not begun.done()
            way.wish(PutThrough("c2"))
        assert way.failed() == PutThrough("c2")
        return now()

    assert run(scenario()) == 12.0


def test_what_has_begun_cannot_be_withdrawn() -> None:
    async def scenario() -> None:
        way = WayToPerson()
        way.wish(WISH)
        await way.begin(lambda: 0.0)
        assert way.withdraw() is None
        assert way.is_on
        assert way.failed() == WISH
        assert not way.is_on

    run(scenario())
