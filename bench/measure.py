"""One contender under load: what it costs and what it adds."""

import asyncio
import random
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.contenders import Contender, Door, answered_call, bridge, ledger_of
from bench.load import Board, Latencies, Service, caller, listening
from bench.profiled import TOGGLE
from simulator.world import World
from switchboard.ledger import Ledger

SPREAD_S = 3.0
"""Calls begin at random over this time: in step with one another, their timers would be, too."""
WARM_UP_S = 1.5
"""From the last call's beginning to the window that is measured."""
COOL_DOWN_S = 0.3
"""From the window to the first call's end."""
WINDOW_S = 10.0
"""Holds just one renewal of each of our calls (see `switchboard.limits.RENEW_EVERY_S`)."""


@dataclass(frozen=True)
class Round:
    """One contender, once."""

    cpu_ms: float
    """Per call and second."""
    memory_kb: float
    """Per call: growth since before the first call, one-time caches included."""
    latencies: Latencies


async def measure(
    contender: Contender, world: World, *, calls: int, seconds: float, profile: Path | None = None
) -> Round:
    """Puts `calls` callers through the contender and measures `seconds` of it, after a warm-up.

    `profile`: where to leave the profile of our worker over the same window.

    Raises:
        NotCarried: the bridge lost audio.
    """
    loop = asyncio.get_running_loop()
    board = Board()
    service = Service(board, contender.service_rate)
    async with (
        listening(service.app) as service_url,
        ledger_of(world) as ledger,
        bridge(contender, world, service_url, profile=profile) as (process, port),
    ):
        names = [f"gpt-bench-{number}" for number in range(calls)]
        doors = {name: await door(contender, ledger, name, port) for name in names}
        idle = process.memory_info().rss
        begin = loop.time() + SPREAD_S + WARM_UP_S
        until = begin + seconds + COOL_DOWN_S
        async with asyncio.TaskGroup() as callers:
            for name, entrance in doors.items():
                callers.create_task(_place(entrance, name, board, contender.rate, until))
            await asyncio.sleep(begin - loop.time())
            board.forget()
            if profile:
                process.send_signal(TOGGLE)
            before, start = cpu_s(process), loop.time()
            await asyncio.sleep(seconds)
            took, used = loop.time() - start, cpu_s(process) - before
            if profile:
                process.send_signal(TOGGLE)
            memory = process.memory_info().rss - idle
            latencies = board.read(calls, took)
    return Round(used * 1000 / calls / took, memory / 1024 / calls, latencies)


async def door(contender: Contender, ledger: Ledger, name: str, port: int) -> Door:
    """Where the caller of this name connects."""
    if contender.ours:
        return await answered_call(ledger, name, port, contender.rate)
    return Door(f"http://127.0.0.1:{port}/media/{name}/x", {})


async def _place(entrance: Door, name: str, board: Board, rate: int, until: float) -> None:
    await asyncio.sleep(random.Random(name).uniform(0.0, SPREAD_S))
    await caller(entrance.url, entrance.headers, name, board, rate, until)


def cpu_s(process: psutil.Process) -> float:
    """CPU time that the process has used, in user code and in the kernel."""
    times = process.cpu_times()
    return float(times.user + times.system)
