"""Many calls at once, in real time, through the Functions app and one worker: all of them talk."""

import asyncio
from dataclasses import dataclass

import aiohttp

from bench.load import percentile
from bench.measure import cpu_s
from bench.stage import NUMBER, Stage, stage
from simulator.acs_calls import SimulatedCall
from simulator.report import describe
from simulator.script import AfterAgent, CallerScript, Expect, HangUp, Say, Step, Utterance

RING_EVERY_S = 0.1
"""Between two calls: the last of 120 rings while the first still talks."""
PROBE_S = 0.02
"""How often the load looks how late it is."""
POLL_S = 0.5
"""How often the worker is asked how many calls it has."""
LINES = ("When are you open?", "And on Saturday?", "How much is a full service?", "Thank you.")
CONVERSATION = CallerScript(
    (
        *(Step(Say(Utterance(line)), AfterAgent(), limit_s=60) for line in LINES),
        Step(HangUp(), AfterAgent()),
    ),
    Expect(ended_by="caller"),
)


@dataclass
class Held:
    """How it went."""

    calls: int
    faults: list[str]
    """Of the calls that did not go as scripted, one line each."""
    greetings_ms: list[float]
    """From the open media socket to the first sample at the caller's ear."""
    rings_ms: list[float]
    """From the first ring to the same sample."""
    replies_ms: list[float]
    """From the caller's last sample to the agent's first one; the detector's wait is in it."""
    at_once: int = 0
    """Most calls that the worker had at a time."""
    cpu_share: float = 0.0
    """Of one core, the worker's, over the whole time."""
    late_ms: list[float] | None = None
    """How late the load itself was."""


async def hold(calls: int) -> Held:
    """Places the calls and waits for their ends."""
    loop = asyncio.get_running_loop()
    held = Held(calls, [], [], [], [])
    late: list[float] = []
    async with stage(max_calls=calls * 2) as on:
        before, start = cpu_s(on.worker), loop.time()
        async with asyncio.TaskGroup() as beside:
            probes = [
                beside.create_task(_probe(late)),
                beside.create_task(_count(on, held)),
            ]
            placed = []
            for number in range(calls):
                placed.append(await on.world.call(NUMBER, CONVERSATION, from_=f"+1425{number:07}"))
                await asyncio.sleep(RING_EVERY_S)
            for call in placed:
                await call.ended()
            for probe in probes:
                probe.cancel()
        held.cpu_share = (cpu_s(on.worker) - before) / (loop.time() - start)
        for call in placed:
            _add(held, call)
    held.late_ms = sorted(late)
    return held


def _add(held: Held, call: SimulatedCall) -> None:
    report = describe(call)
    if report["faults"]:
        held.faults.append("; ".join(report["faults"]))
    first = report["greeting_first_sample_ms"]
    if first is not None and report["media_connected_ms"] is not None:
        held.greetings_ms.append(first - report["media_connected_ms"])
        held.rings_ms.append(first)
    replies = (turn["reply_latency_ms"] for turn in report["turns"])
    held.replies_ms += [ms for ms in replies if ms is not None]


async def _probe(late_ms: list[float]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + PROBE_S
        await asyncio.sleep(PROBE_S)
        late_ms.append((loop.time() - due) * 1000)


async def _count(on: Stage, held: Held) -> None:
    async with aiohttp.ClientSession() as http:
        while True:
            async with http.get(f"{on.worker_url}/healthz") as reply:
                held.at_once = max(held.at_once, (await reply.json())["calls"])
            await asyncio.sleep(POLL_S)


def show_conversations(held: Held) -> None:
    """Five lines."""
    good = held.calls - len(held.faults)
    print(
        f"\n{held.calls} conversations through one worker, in real time: {good} went as scripted; "
        f"at most {held.at_once} at once, {held.cpu_share:.0%} of a core over all"
    )
    for name, values in (
        ("greeting, from the open socket", held.greetings_ms),
        ("greeting, from the first ring", held.rings_ms),
        ("reply, with the detector's wait for silence", held.replies_ms),
        ("the load's own lateness", held.late_ms),
    ):
        if values:
            values.sort()
            p50, p95 = percentile(values, 0.5), percentile(values, 0.95)
            print(f"  {name:45} p50 {p50:8.1f} ms   p95 {p95:8.1f} ms   of {len(values)}")
    if held.faults:
        print(f"  {len(held.faults)} did not, such as: {held.faults[0]}")
