"""`make bench`: our worker beside plain bridges, in turn, and what each costs.

CPU is that of the bridge's process, in milliseconds per call and second (10 is one percent of a
core); latency is what the bridge adds, counted in samples. The machine is shared with whatever else
runs on it: read the ratios.
"""

import argparse
import asyncio
import os
import platform
import pstats
import statistics
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.contenders import CONTENDERS, Contender, Door, answered_call, bridge, ledger_of, pin
from bench.load import Board, Service, caller, listening
from simulator.world import World, simulated_azure

WARM_UP_S = 2.0
PROFILE_LINES = 12


@dataclass(frozen=True)
class Round:
    """One contender, once."""

    cpu_ms: float
    """Per call and second."""
    memory_kb: float
    """Per call."""
    board: Board


async def measure(
    contender: Contender,
    world: World,
    *,
    calls: int,
    seconds: float,
    profile: Path | None = None,
) -> Round:
    """Puts `calls` callers through the contender for `seconds`, after a warm-up."""
    boards = [Board()]
    service = Service(lambda: boards[0], contender.service_rate)
    async with (
        listening(service.app) as service_url,
        ledger_of(world) as ledger,
        bridge(contender, world, service_url, profile=profile) as (process, port),
    ):
        doors = [await door(contender, ledger, index, port) for index in range(calls)]
        idle = process.memory_info().rss
        async with asyncio.TaskGroup() as callers:
            for index, entrance in enumerate(doors):
                name = f"gpt-bench-{index}"
                run = caller(
                    entrance.url,
                    entrance.headers,
                    name,
                    boards[0],
                    contender.rate,
                    WARM_UP_S + seconds,
                )
                callers.create_task(run)
                await asyncio.sleep(0.02 / calls)
            await asyncio.sleep(WARM_UP_S)
            boards[0].forget()
            before, start = cpu_s(process), asyncio.get_running_loop().time()
            await asyncio.sleep(seconds - 0.5)
            took = asyncio.get_running_loop().time() - start
            used, memory = cpu_s(process) - before, process.memory_info().rss - idle
    return Round(used * 1000 / calls / took, memory / 1024 / calls, boards[0])


async def door(contender: Contender, ledger: object, index: int, port: int) -> Door:
    name = f"gpt-bench-{index}"
    if contender.ours:
        return await answered_call(ledger, name, port, contender.rate)  # type: ignore[arg-type]
    return Door(f"http://127.0.0.1:{port}/media/{name}/x", {})


def cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def show(results: dict[Contender, list[Round]]) -> None:
    """One line a contender: the median of its rounds, and the ratio to the plain bridge."""
    print(
        f"\n{'':50} {'CPU':>6} {'ratio':>6}  {'in p50':>7} {'p99':>6}  {'out p50':>7} {'p99':>6}"
        f"  {'KB/call':>7}  {'late p99':>8}"
    )
    for contender, rounds in results.items():
        plain = next(c for c in results if not c.ours and c.rate == contender.rate)
        pairs = zip(rounds, results[plain], strict=True)
        ratio = statistics.median(ours.cpu_ms / theirs.cpu_ms for ours, theirs in pairs)
        late = sorted(ms for r in rounds for ms in r.board.late_ms)
        cells = [
            f"{statistics.median(r.cpu_ms for r in rounds):6.2f} {ratio:6.2f}",
            *(
                f"{median_of(rounds, side, 0.5):7.2f} {median_of(rounds, side, 0.99):6.2f}"
                for side in ("inbound", "outbound")
            ),
            f"{statistics.median(r.memory_kb for r in rounds):7.0f}",
            f"{late[int(0.99 * len(late))]:8.2f}",
        ]
        print(f"{contender.name:50} {'  '.join(cells)}")


def median_of(rounds: list[Round], side: str, share: float) -> float:
    return statistics.median(r.board.percentile(side, share) for r in rounds)


def show_profile(path: Path) -> None:
    """Where our worker's time goes: the next step is in the first lines."""
    stats = pstats.Stats(str(path))
    rows = sorted(stats.stats.items(), key=lambda row: -row[1][2])  # type: ignore[attr-defined]
    total = sum(row[1][2] for row in rows)
    print(f"\nwhere the worker's time goes (own CPU time, start included, of {total:.1f} s)")
    for (file, line, function), (_, calls, own, *_) in rows[:PROFILE_LINES]:
        where = function if file == "~" else f"{Path(file).name}:{line} {function}"
        print(f"{own / total:6.1%}  {calls:9} calls  {where}")


async def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--calls", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    pin(psutil.Process(), last=False)
    print(
        f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores; "
        f"{options.calls} calls, {options.rounds} rounds of {options.seconds:g} s, in turn.\n"
        "CPU: ms per call and second. in/out: added latency in ms, to and from the service.\n"
        "late: how late the load itself was, in ms: a large figure means a busy machine."
    )
    results: dict[Contender, list[Round]] = defaultdict(list)
    async with simulated_azure(keep_audio=False) as world:
        for number in range(options.rounds):
            for contender in CONTENDERS:
                print(f"round {number + 1}: {contender.name} …", flush=True)
                results[contender].append(
                    await measure(contender, world, calls=options.calls, seconds=options.seconds)
                )
        show(results)
        profile = Path(tempfile.mkdtemp(prefix="switchboard-bench-")) / "worker.prof"
        await measure(
            CONTENDERS[0], world, calls=options.calls, seconds=options.seconds, profile=profile
        )
    show_profile(profile)


if __name__ == "__main__":
    asyncio.run(main())
