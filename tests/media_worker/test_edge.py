import asyncio

from media_worker.edge import contained, for_ever
from media_worker.limits import RESTART_S
from tests.virtual_time import run


def test_a_defect_ends_its_own_work_and_nothing_beside_it() -> None:
    async def broken() -> int:
        raise KeyError("defect")

    async def sound() -> int:
        await asyncio.sleep(1)
        return 7

    async def scenario() -> None:
        async with asyncio.TaskGroup() as group:
            first = group.create_task(contained("call", broken()))
            second = group.create_task(contained("call", sound()))
        assert (first.result(), second.result()) == (None, 7)

    run(scenario())


def test_a_loop_that_a_defect_ended_begins_anew_after_a_pause() -> None:
    async def scenario() -> None:
        begun: list[float] = []

        async def loop() -> None:
            begun.append(asyncio.get_running_loop().time())
            raise ValueError("defect")

        async with asyncio.TaskGroup() as group:
            runs = group.create_task(for_ever("loop", loop))
            await asyncio.sleep(2.5 * RESTART_S)
            runs.cancel()
        assert begun == [0.0, RESTART_S, 2 * RESTART_S]

    run(scenario())


def test_a_cancelled_work_stays_cancelled() -> None:
    async def scenario() -> None:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(contained("call", asyncio.sleep(60)))
            await asyncio.sleep(1)
            task.cancel()
        assert task.cancelled()

    run(scenario())
