"""`make soak`: real calls through the real worker, 1,000 on each bridge; nothing may be left.

Fails (exit 1) if a call does not go as scripted; if a message, a media socket, a connection to
Voice Live or Realtime, another file or a thread is left, or more connections to Speech than may
wait for the next call; or if the worker's memory grows by more than 5 MiB from call 200 to call
1,000. Idle connections that the SDKs keep for the next request, and idle synthesizers, are no leak:
they are bounded, not forbidden.
"""

import argparse
import asyncio
import sys
from dataclasses import dataclass
from urllib.parse import urlsplit

import psutil

from bench.stage import Stage, stage
from media_worker.limits import SPEECH_IDLE_KEPT, SPEECH_THREADS
from simulator.script import AfterAgent, CallerScript, Expect, HangUp, Say, Step, Utterance

GROWTH_LIMIT_MIB = 5.0
SETTLE_S = 60.0
POOLED = 8
"""Idle connections that may be left: the reaper's polls keep the storage clients' pools warm, the
first and the last of which are rarely the same number."""
THREADS = 4
"""Of Python's own pool, which starts them as they are needed."""
SYNTHESIZER_THREADS = 5
"""Of the native SDK, for each that has spoken."""
CONVERSATION = CallerScript(
    (Step(Say(Utterance("Hi."))), Step(HangUp(), AfterAgent(pause_ms=100))),
    Expect(ended_by="caller"),
)


@dataclass(frozen=True)
class Target:
    """A bridge to soak."""

    bridge: str
    number: str
    """Of its agent in the repository's agents.toml."""
    at_once: int
    kinds: int
    """Of synthesizers: those that stream the answers, and those that render fixed words."""

    @property
    def idle(self) -> int:
        """Synthesizers that may wait for the next call."""
        return self.kinds * SPEECH_IDLE_KEPT

    @property
    def threads(self) -> int:
        """Threads that may have been started and stay."""
        pool = SPEECH_THREADS if self.kinds else 0
        return THREADS + pool + self.idle * SYNTHESIZER_THREADS


TARGETS = (
    Target("voice_live", "+15550100001", at_once=50, kinds=0),
    Target("realtime_speech", "+15550100003", at_once=20, kinds=2),
)


class Soak:
    """Counts calls as they end, and what the worker holds at the marks."""

    def __init__(self, on: Stage, target: Target, calls: int, at_once: int) -> None:
        self.on, self.target, self.calls, self.at_once = on, target, calls, at_once
        self.marks: dict[int, float] = {}
        self.done = 0
        self.faults: list[str] = []
        self._left = iter(range(calls))

    async def run(self) -> None:
        async with asyncio.TaskGroup() as callers:
            for _ in range(self.at_once):
                callers.create_task(self._caller())

    async def _caller(self) -> None:
        for number in self._left:
            call = await self.on.world.call(
                self.target.number, CONVERSATION, from_=f"+1425{number:07}"
            )
            outcome = await call.ended()
            self.faults += outcome.faults
            self.done += 1
            if self.done in (1, self.calls // 5, self.calls) or self.done % 100 == 0:
                self.marks[self.done] = memory_mib(self.on.worker)
                print(f"{self.done:5} calls, worker {self.marks[self.done]:.1f} MiB", flush=True)

    def verdict(self, before: "Holding", after: "Holding") -> list[str]:
        """What is wrong, if anything."""
        wrong = [f"{len(self.faults)} faults, such as: {self.faults[0]}"] if self.faults else []
        growth = self.marks[self.calls] - self.marks[self.calls // 5]
        print(f"memory grew by {growth:.2f} MiB from call {self.calls // 5} to {self.calls}")
        print(f"before: {before}\nafter:  {after}")
        if growth > GROWTH_LIMIT_MIB:
            wrong.append(f"memory grew by {growth:.1f} MiB, allowed are {GROWTH_LIMIT_MIB} MiB")
        if left := len(self.on.world.storage.messages("sessions")):
            wrong.append(f"{left} messages are left")
        if after.media or after.models:
            wrong.append(f"{after.media} media and {after.models} models' sockets are left")
        if after.speech > self.target.idle:
            wrong.append(f"{after.speech} synthesizers are left, allowed are {self.target.idle}")
        if after.other > POOLED:
            wrong.append(f"{after.other} idle connections are left, allowed are {POOLED}")
        if (files := after.other_files - before.other_files) > 0:
            wrong.append(f"{files} files are left")
        if after.threads > before.threads + self.target.threads:
            wrong.append(f"{after.threads - before.threads} threads are left")
        return wrong


@dataclass(frozen=True)
class Holding:
    """What the worker holds: TCP connections by their peer, whatever their state; all else."""

    media: int
    models: int
    """To Voice Live or Realtime."""
    speech: int
    """One of each synthesizer."""
    other: int
    """Of the SDKs: storage, Azure Communication Services, tokens."""
    other_files: int
    """File descriptors that are no TCP connection."""
    threads: int


def holding(on: Stage) -> Holding:
    """As it is now."""
    connections = on.worker.net_connections(kind="tcp")
    peers = [c for c in connections if c.status != psutil.CONN_LISTEN]
    world, door = on.world, urlsplit(on.worker_url).port
    media = sum(c.laddr.port == door for c in peers)
    models, speech = (
        sum(c.raddr.port in {urlsplit(url).port for url in urls} for c in peers)
        for urls in ((world.voice_live.url, world.realtime.url), (world.speech.url,))
    )
    return Holding(
        media,
        models,
        speech,
        len(peers) - media - models - speech,
        on.worker.num_fds() - len(peers),
        on.worker.num_threads(),
    )


def memory_mib(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 2**20


async def settled(on: Stage) -> None:
    """Until nothing is left but what the SDKs may keep (aiohttp keeps idle connections 15 s)."""
    loop = asyncio.get_running_loop()
    until = loop.time() + SETTLE_S
    while loop.time() < until:
        now = holding(on)
        busy = on.world.storage.messages("sessions") or now.media or now.models
        if not busy and now.other <= POOLED:
            return
        await asyncio.sleep(0.5)


async def soak(target: Target, calls: int, at_once: int) -> list[str]:
    """Soaks one bridge; what is wrong."""
    print(f"{target.bridge}: {calls} calls, {at_once} at a time", flush=True)
    async with stage(max_calls=at_once * 2) as on:
        await settled(on)  # the stage has just asked whether the worker is up
        before = holding(on)
        run = Soak(on, target, calls, at_once)
        await run.run()
        await settled(on)
        wrong = run.verdict(before, holding(on))
    for line in wrong:
        print(f"FAILED: {line}")
    if not wrong:
        print(f"{calls} calls on {target.bridge}: all as scripted, nothing left", flush=True)
    return wrong


async def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    bridges = [target.bridge for target in TARGETS]
    parser.add_argument("--bridge", choices=bridges, help="one of them, not both")
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--at-once", type=int, help="50 on voice_live, 20 on realtime_speech")
    options = parser.parse_args()
    wrong = []
    for target in TARGETS:
        if options.bridge in (None, target.bridge):
            wrong += await soak(target, options.calls, options.at_once or target.at_once)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
