"""`make bench`: our worker beside plain bridges, in turn, and what each costs; then many calls on
either bridge; then how soon the second one is heard. All of it takes some six minutes.

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
from pathlib import Path

import psutil

from bench.contenders import CONTENDERS, Contender, pin
from bench.conversations import REALTIME_SPEECH, VOICE_LIVE, Cast, hold, probe, show_conversations
from bench.first_sounds import (
    AGENTS,
    AT_ONCE,
    SCRIPT,
    SENTENCES,
    first_words,
    greetings,
    show_first_words,
    show_greetings,
    show_ms,
)
from bench.load import percentile
from bench.measure import WINDOW_S, Round, measure
from bench.stage import stage
from simulator.world import simulated_azure

PROFILE_LINES = 15


def show(results: dict[Contender, list[Round]]) -> None:
    """One line a contender: the median of its rounds, and the ratio to the plain bridge."""
    print(
        f"\n{'':50} {'CPU':>6} {'ratio':>6}  {'in p50':>7} {'p99':>6}  {'out p50':>7} {'p99':>6}"
        f"  {'KB/call':>7}  {'late p99':>8}"
    )
    for contender in CONTENDERS:
        rounds = results[contender]
        plain = next(c for c in CONTENDERS if not c.ours and c.rate == contender.rate)
        pairs = zip(rounds, results[plain], strict=True)
        ratio = statistics.median(ours.cpu_ms / theirs.cpu_ms for ours, theirs in pairs)
        columns = [r.latencies.inbound for r in rounds], [r.latencies.outbound for r in rounds]
        cells = [
            f"{statistics.median(r.cpu_ms for r in rounds):6.2f} {ratio:6.2f}",
            *(f"{_median(column, 0.5):7.2f} {_median(column, 0.99):6.2f}" for column in columns),
            f"{statistics.median(r.memory_kb for r in rounds):7.0f}",
            f"{_median([r.latencies.late for r in rounds], 0.99):8.2f}",
        ]
        print(f"{contender.name:50} {'  '.join(cells)}")


def _median(rounds: list[list[float]], share: float) -> float:
    return statistics.median(percentile(values, share) for values in rounds)


def show_profile(path: Path, frames: float) -> None:
    """Where our worker's time goes: the next step is in the first lines."""
    stats = pstats.Stats(str(path))
    rows = sorted(stats.stats.items(), key=lambda row: -row[1][2])  # type: ignore[attr-defined]  # not in its stubs
    total = sum(row[1][2] for row in rows)
    print(
        "\nwhere the worker's Python spends its time, while calls go on (the kernel's sends are in "
        "_write_websocket_frame)\n   own  calls per caller frame"
    )
    for (file, line, function), (_, calls, own, *_) in rows[:PROFILE_LINES]:
        where = function if file == "~" else f"{Path(file).name}:{line} {function}"
        print(f"{own / total:6.1%}  {calls / frames:7.2f}  {where}")


async def compare(calls: int, seconds: float, rounds: int) -> None:
    """The contenders, in turn, and a profile of our worker."""
    print(
        f"{calls} calls, {rounds} rounds of {seconds:g} s, in turn; medians of the rounds. The\n"
        "plain bridges run on asyncio's own loop, as samples do; the worker on uvloop.\n"
        "CPU: ms per call and second. in/out: added latency in ms, to and from the service.\n"
        "late: how late the load itself was, in ms: a large figure means a busy machine."
    )
    results: dict[Contender, list[Round]] = defaultdict(list)
    async with simulated_azure(keep_audio=False) as world:
        for number in range(rounds):
            print(f"round {number + 1}", flush=True)
            for contender in CONTENDERS if number % 2 else reversed(CONTENDERS):
                measured = await measure(contender, world, calls=calls, seconds=seconds)
                results[contender].append(measured)
        show(results)
        profile = Path(tempfile.mkdtemp(prefix="switchboard-bench-")) / "worker.prof"
        measured = await measure(
            CONTENDERS[0], world, calls=calls, seconds=seconds, profile=profile
        )
    show_profile(profile, len(measured.latencies.inbound))


async def converse(calls: int, cast: Cast) -> None:
    """So many calls at once; 0: none."""
    if calls:
        show_conversations(await hold(calls, cast), cast)


async def hear_first(turns: int, calls: int) -> None:
    """The second bridge's first words and greetings; 0: none."""
    if not (turns or calls):
        return
    late: list[float] = []
    waiting = ["--sentences", SENTENCES.agent]
    async with (
        stage(
            max_calls=100, agents=AGENTS, scripts=[SCRIPT], speech=AT_ONCE, observed=waiting
        ) as on,
        asyncio.TaskGroup() as beside,
    ):
        probing = beside.create_task(probe(late))
        if turns:
            show_first_words(await first_words(on, turns))
        if calls:
            show_greetings(await greetings(on, calls))
        probing.cancel()
    show_ms("the load's own lateness", late)


async def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, epilog="0: leave it out"
    )
    parser.add_argument("--calls", type=int, default=40, help="for the comparison")
    parser.add_argument("--seconds", type=float, default=WINDOW_S)
    parser.add_argument("--rounds", type=int, default=2, help="0: no comparison")
    parser.add_argument("--at-once", type=int, default=120, help="on voice_live")
    parser.add_argument("--speech-at-once", type=int, default=60, help="on realtime_speech")
    parser.add_argument("--first-words", type=int, default=100, help="turns of each kind")
    parser.add_argument("--greetings", type=int, default=50, help="calls")
    options = parser.parse_args()
    pin(psutil.Process(), last=False)
    version = f"{platform.python_implementation()} {platform.python_version()}"
    print(f"{version}, {os.cpu_count()} cores")
    if options.rounds:
        await compare(options.calls, options.seconds, options.rounds)
    await converse(options.at_once, VOICE_LIVE)
    await converse(options.speech_at_once, REALTIME_SPEECH)
    await hear_first(options.first_words, options.greetings)


if __name__ == "__main__":
    asyncio.run(main())
