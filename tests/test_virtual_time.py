"""The clock of the tests: it jumps when nothing else can happen, and stands still for threads."""

import asyncio
import threading
import time

from tests.virtual_time import VirtualTimeLoop, run


def test_time_passes_at_once_when_nothing_else_can_happen() -> None:
    async def scenario() -> float:
        await asyncio.sleep(3600)
        return asyncio.get_running_loop().time()

    began = time.monotonic()
    assert run(scenario()) == 3600
    assert time.monotonic() - began < 10


def test_the_clock_stands_still_while_a_thread_of_somebody_elses_is_at_work() -> None:
    async def scenario() -> list[float]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        told: list[float] = []
        done = threading.Event()

        def work() -> None:
            time.sleep(0.2)
            loop.call_soon_threadsafe(lambda: told.append(loop.time()))
            done.set()

        thread = threading.Thread(target=work)
        with loop.hold_while(lambda: not done.is_set()):
            thread.start()
            await asyncio.sleep(1)
            told.append(loop.time())
        thread.join()
        await asyncio.sleep(1)
        return [*told, loop.time()]

    assert run(scenario()) == [0.0, 1.0, 2.0]
