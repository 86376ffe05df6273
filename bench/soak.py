"""`make soak`: 1,000 real calls, 50 at a time, through the real worker; nothing may be left.

Fails (exit 1) if a call does not go as scripted; if a message, a media socket, a connection to
Voice Live, another file or a thread is left; or if the worker's memory grows by more than 5 MiB
from call 200 to call 1,000. Idle connections that the SDKs keep for the next request are no leak:
they are bounded, not forbidden.
"""

import argparse
import asyncio
import sys
from dataclasses import dataclass
from urllib.parse import urlsplit

import psutil

from bench.stage import NUMBER, Stage, stage
from simulator.script import AfterAgent, CallerScript, Expect, HangUp, Say, Step, Utterance

GROWTH_LIMIT_MIB = 5.0
SETTLE_S = 60.0
POOLED = 8
"""Idle connections that may be left: the reaper's polls keep the storage clients' pools warm, the
first and the last of which are rarely the same number."""
CONVERSATION = CallerScript(
    (Step(Say(Utterance("Hi."))), Step(HangUp(), AfterAgent(pause_ms=100))),
    Expect(ended_by="caller"),
)


class Soak:
    """Counts calls as they end, and what the worker holds at the marks."""

    def __init__(self, on: Stage, calls: int, at_once: int) -> None:
        self.on, self.calls, self.at_once = on, calls, at_once
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
            call = await self.on.world.call(NUMBER, CONVERSATION, from_=f"+1425{number:07}")
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
        if after.media or after.voice_live:
            wrong.append(f"{after.media} media and {after.voice_live} Voice Live sockets are left")
        if after.other > POOLED:
            wrong.append(f"{after.other} idle connections are left, allowed are {POOLED}")
        if (files := after.other_files - before.other_files) > 0:
            wrong.append(f"{files} files are left")
        if after.threads > before.threads + 4:
            wrong.append(f"{after.threads - before.threads} threads are left")
        return wrong


@dataclass(frozen=True)
class Holding:
    """What the worker holds: TCP connections by their peer, whatever their state; all else."""

    media: int
    voice_live: int
    other: int
    """Of the SDKs: storage, Azure Communication Services, tokens."""
    other_files: int
    """File descriptors that are no TCP connection."""
    threads: int


def holding(on: Stage) -> Holding:
    """As it is now."""
    connections = on.worker.net_connections(kind="tcp")
    peers = [c for c in connections if c.status != psutil.CONN_LISTEN]
    door, service = (urlsplit(url).port for url in (on.worker_url, on.world.voice_live.url))
    media = sum(c.laddr.port == door for c in peers)
    voice_live = sum(c.raddr.port == service for c in peers)
    return Holding(
        media,
        voice_live,
        len(peers) - media - voice_live,
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
        busy = on.world.storage.messages("sessions") or now.media or now.voice_live
        if not busy and now.other <= POOLED:
            return
        await asyncio.sleep(0.5)


async def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--at-once", type=int, default=50)
    options = parser.parse_args()
    async with stage(max_calls=options.at_once * 2) as on:
        before = holding(on)
        soak = Soak(on, options.calls, options.at_once)
        await soak.run()
        await settled(on)
        wrong = soak.verdict(before, holding(on))
    for line in wrong:
        print(f"FAILED: {line}")
    if not wrong:
        print(f"{options.calls} calls, {options.at_once} at a time: all as scripted, nothing left")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
