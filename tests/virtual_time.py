"""Runs real network code in virtual time: when nothing else can happen, the clock jumps ahead.

Loopback delivery inside one process is immediate, so "no socket is ready" means "nothing happens
before the next timer", unless a thread is working: then the clock stands still until its job is
done (azure-core and aiohttp send small jobs to the executor; what else works in threads of its own,
as the native Speech SDK does, says so by `hold_while`). Keep hosts as 127.0.0.1: a name would go
through a resolver thread.
"""

import asyncio
import concurrent.futures
import selectors
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from simulator import clock as simulator_clock
from switchboard import clock as product_clock

T = TypeVar("T")
WALL_START = 1_795_000_000.0
"""Wall time at loop time 0: 2026-11-18, a fixed instant, so that runs are equal."""


_LOOK_S = 0.001
"""How soon threads that tell the loop nothing when they are done are looked at again."""


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.jobs_in_flight = 0
        self.others_at_work: list[Callable[[], bool]] = []

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0 if timeout is not None else None)
        if ready or not timeout:
            return ready
        if self.jobs_in_flight:
            return super().select(1.0)  # real time passes for the thread; the clock stands still
        if any(at_work() for at_work in self.others_at_work):
            return super().select(_LOOK_S)
        if self.others_at_work and (ready := super().select(0)):
            return ready  # the last of them told the loop something before it was done
        self.now += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A selector loop whose `time()` starts at 0 and moves only by jumps."""

    def __init__(self) -> None:
        self._default_executor: concurrent.futures.Executor | None = None
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        self._clock_resolution = 1e-9

    def time(self) -> float:
        return self._jumping.now

    def run_in_executor(  # type: ignore[override]  # the base is typed with unpacked argument tuples
        self,
        executor: concurrent.futures.Executor | None,
        func: Callable[..., T],
        *args: Any,
    ) -> "asyncio.Future[T]":
        future: asyncio.Future[T] = super().run_in_executor(executor, func, *args)
        self._jumping.jobs_in_flight += 1
        future.add_done_callback(self._job_done)
        return future

    def _job_done(self, _: object) -> None:
        self._jumping.jobs_in_flight -= 1

    @contextmanager
    def hold_while(self, at_work: Callable[[], bool]) -> Iterator[None]:
        """Within the block the clock stands still whenever `at_work` says so. It is asked on the
        loop's thread; what a thread has to tell the loop it must tell before it is done."""
        self._jumping.others_at_work.append(at_work)
        try:
            yield
        finally:
            self._jumping.others_at_work.remove(at_work)

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Joins the executor in real time: the base class bounds this with a virtual 300 s."""
        self._executor_shutdown_called = True
        if self._default_executor is not None:
            self._default_executor.shutdown(wait=True)


def run(coro: Coroutine[Any, Any, T]) -> T:
    """Runs `coro` to its end on a fresh virtual-time loop; both wall clocks follow the loop."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        loop = runner.get_loop()

        def wall() -> float:
            return WALL_START + loop.time()

        product, simulated = (
            product_clock.use_wall_clock(wall),
            simulator_clock.use_wall_clock(wall),
        )
        try:
            return runner.run(coro)
        finally:
            product_clock.use_wall_clock(product)
            simulator_clock.use_wall_clock(simulated)
