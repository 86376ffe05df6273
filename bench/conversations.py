"""Many calls at once, in real time, through the Functions app and one worker: all of them talk."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import psutil

from bench.load import percentile
from bench.measure import cpu_s
from bench.stage import Stage, stage
from simulator.acs_calls import SimulatedCall
from simulator.report import describe
from simulator.script import (
    AfterAgent,
    AgentScript,
    CallerScript,
    DuringAgent,
    Expect,
    HangUp,
    Reply,
    Say,
    Step,
    Utterance,
)

RING_EVERY_S = 0.1
"""Between two calls: the last of 120 rings while the first still talks."""
PROBE_S = 0.02
"""How often the load looks how late it is."""
POLL_S = 0.5
"""How often the worker is asked how many calls it has."""
LINES = ("When are you open?", "And on Saturday?", "How much is a full service?", "Thank you.")


@dataclass(frozen=True)
class Cast:
    """Who calls whom, and what both say."""

    bridge: str
    number: str
    """Of an agent in the repository's agents.toml."""
    caller: CallerScript
    agent: AgentScript | None = None
    """None: it repeats what it heard."""


VOICE_LIVE = Cast(
    "voice_live",
    "+15550100001",
    CallerScript(
        (
            *(Step(Say(Utterance(line)), AfterAgent(), limit_s=60) for line in LINES),
            Step(HangUp(), AfterAgent()),
        ),
        Expect(ended_by="caller"),
    ),
)
REALTIME_SPEECH = Cast(
    "realtime_speech",
    "+15550100003",
    CallerScript(
        (
            Step(Say(Utterance("What do you have today?")), AfterAgent(), limit_s=60),
            Step(Say(Utterance("Just the rye, please.")), DuringAgent(1500), limit_s=60),
            Step(Say(Utterance("And when do you close?")), AfterAgent(), limit_s=60),
            Step(Say(Utterance("Wait, tomorrow.")), DuringAgent(1500), limit_s=60),
            Step(Say(Utterance("Thank you.")), AfterAgent(), limit_s=60),
            Step(HangUp(), AfterAgent()),
        ),
        Expect(ended_by="caller", interruptions=2),
    ),
    AgentScript(
        (
            Reply(
                Utterance("Today there is rye, there is sourdough, and there is a walnut loaf."),
                to="have today",
            ),
            Reply(Utterance("One loaf of rye, very well. We put it aside for you."), to="the rye"),
            Reply(
                Utterance("We close at six, and late in the afternoon all is half price."),
                to="you close",
            ),
            Reply(Utterance("Tomorrow we close at four."), to="tomorrow"),
            Reply(Utterance("You are welcome. See you soon."), to="thank you"),
        ),
        {},
    ),
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
    late_ms: list[float] = field(default_factory=list)
    """How late the load itself was."""
    lags_ms: list[float] = field(default_factory=list)
    """How late the worker's event loop was."""
    memory_kb: float = 0.0
    """Per call: the worker's growth since before the first, one-time caches included."""
    threads: int = 0
    """Most that the worker had, less those before the first call."""
    core_s: tuple[float, float] = (0.0, 0.0)
    """For how long the loop's thread had a core, and waited for one: because the machine was busy,
    or other threads of the worker."""
    stops_ms: list[float] = field(default_factory=list)
    """From the first sample of a caller who interrupts to StopAudio at ACS."""


async def hold(calls: int, cast: Cast) -> Held:
    """Places the calls and waits for their ends."""
    loop = asyncio.get_running_loop()
    held = Held(calls, [], [], [], [])
    scripts = [cast.agent] if cast.agent else []
    async with stage(max_calls=calls * 2, scripts=scripts, observed=()) as on:
        before, start = cpu_s(on.worker), loop.time()
        had, waited = core_s(on.worker)
        on.watch_loop()
        async with asyncio.TaskGroup() as beside:
            probes = [
                beside.create_task(probe(held.late_ms)),
                beside.create_task(_count(on, held)),
            ]
            placed = []
            for number in range(calls):
                placed.append(
                    await on.world.call(cast.number, cast.caller, from_=f"+1425{number:07}")
                )
                await asyncio.sleep(RING_EVERY_S)
            for call in placed:
                await call.ended()
            for probing in probes:
                probing.cancel()
        held.lags_ms = await on.loop_lags_ms()
        had_now, waited_now = core_s(on.worker)
        held.core_s = had_now - had, waited_now - waited
        held.cpu_share = (cpu_s(on.worker) - before) / (loop.time() - start)
        for call in placed:
            _add(held, call)
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
    held.stops_ms += stops_ms(call)


def core_s(process: psutil.Process) -> tuple[float, float]:
    """For how long the first thread has had a core, and been ready without one (Linux; else 0)."""
    file = Path(f"/proc/{process.pid}/schedstat")
    if not file.exists():
        return 0.0, 0.0
    had, waited, _ = file.read_text(encoding="ascii").split()
    return int(had) / 1e9, int(waited) / 1e9


def stops_ms(call: SimulatedCall) -> list[float]:
    """Of each interruption by the caller, from their first sample to the agent's silence."""
    if (line := call.line) is None:
        return []
    begun = [said.started_ms for said in line.caller.said if said.interrupting]
    stopped = [at_s * 1000 for at_s, _ in line.stops]
    firsts = (next((at - ms for at in stopped if at > ms), None) for ms in begun)
    return [ms for ms in firsts if ms is not None]


async def probe(late_ms: list[float]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + PROBE_S
        await asyncio.sleep(PROBE_S)
        late_ms.append((loop.time() - due) * 1000)


async def _count(on: Stage, held: Held) -> None:
    idle, threads = on.worker.memory_info().rss, on.worker.num_threads()
    async with aiohttp.ClientSession() as http:
        while True:
            async with http.get(f"{on.worker_url}/healthz") as reply:
                held.at_once = max(held.at_once, (await reply.json())["calls"])
            grown = (on.worker.memory_info().rss - idle) / 1024 / held.calls
            held.memory_kb = max(held.memory_kb, grown)
            held.threads = max(held.threads, on.worker.num_threads() - threads)
            await asyncio.sleep(POLL_S)


def show_conversations(held: Held, cast: Cast) -> None:
    """Ten lines at most."""
    good = held.calls - len(held.faults)
    print(
        f"\n{held.calls} conversations on {cast.bridge} through one worker, in real time: {good} "
        f"went as scripted; at most {held.at_once} at once,\n{held.cpu_share:.0%} of a core over "
        f"all; per call {held.memory_kb:.0f} KB and {held.threads / held.calls:.1f} threads"
    )
    for name, values, high in (
        ("greeting, from the open socket", held.greetings_ms, 0.95),
        ("greeting, from the first ring", held.rings_ms, 0.95),
        ("reply, with the detector's wait for silence", held.replies_ms, 0.95),
        ("interruption, to the agent's silence", held.stops_ms, 0.95),
        ("the worker's loop was late", held.lags_ms, 0.99),
        ("the load's own lateness", held.late_ms, 0.99),
    ):
        if values:
            values.sort()
            p50, above = percentile(values, 0.5), percentile(values, high)
            share = f"p{high * 100:.0f}"
            print(f"  {name:45} p50 {p50:8.1f} ms   {share} {above:8.1f} ms   of {len(values)}")
    print(
        "  its loop's thread had a core for {:.1f} s and waited for one {:.1f} s".format(
            *held.core_s
        )
    )
    if held.faults:
        print(f"  {len(held.faults)} did not, such as: {held.faults[0]}")
