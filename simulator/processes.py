"""The processes of a running system: started, watched, stopped."""

import asyncio
import json
import os
import random
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
"""The checkout: where `python -m` finds the rooms."""
START_LIMIT_S = 30.0
"""A process that is not up by then will not come up; a cold one on a busy laptop takes some 5 s."""
STOP_LIMIT_S = 8.0
"""From SIGTERM to SIGKILL: the worker may say goodbye to a call."""
POLL_S = 0.05
LOG_TAIL = 15
_GUARD = """
import os, signal, sys
for pid in [int(line) for line in sys.stdin]:
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        pass
"""
"""Ends the processes it is told of when its input ends: when we are gone, even by SIGKILL."""


class SystemFailed(Exception):
    """A part of the system did not start, or died: says which, and what it said last."""


@dataclass
class Processes:
    """Child processes with their logs in `directory`, one file each. They do not outlive us."""

    directory: Path
    running: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)
    keep_logs: bool = False
    """The directory stays when all have ended, for whoever wants to know why."""
    _guard: asyncio.subprocess.Process | None = field(default=None, repr=False)

    async def start(self, name: str, arguments: list[str], env: Mapping[str, str]) -> None:
        """Starts `python ARGUMENTS` in the checkout. Children get signals from us alone."""
        with self.log(name).open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *arguments,
                cwd=ROOT,
                env={**env, **_directly(env)},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.running[name] = process
        if self._guard is None:
            self._guard = await asyncio.create_subprocess_exec(
                *(sys.executable, "-ISc", _GUARD),
                stdin=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        assert self._guard.stdin is not None, "it was started with a pipe"
        self._guard.stdin.write(f"{process.pid}\n".encode())

    async def start_service(
        self, name: str, config: Mapping[str, Any], env: Mapping[str, str]
    ) -> None:
        """Starts one of our services; `facts` waits for it."""
        told = json.dumps({**config, "ready": str(self._ready(name))})
        await self.start(name, ["-m", "simulator", "serve", name, told], env)

    async def facts(self, name: str) -> dict[str, Any]:
        """What a service tells when it is up. Raises SystemFailed."""
        ready = self._ready(name)
        await self._until(name, ready.is_file)
        facts: dict[str, Any] = json.loads(ready.read_text(encoding="utf-8"))
        return facts

    def _ready(self, name: str) -> Path:
        return self.directory / f"{name}.ready"

    async def listening(self, name: str, port: int) -> None:
        """Waits until the process takes connections on `port`. Raises SystemFailed."""
        await self._until(name, lambda: _takes_connections(port))

    async def _until(self, name: str, done: Callable[[], bool]) -> None:
        limit = asyncio.get_running_loop().time() + START_LIMIT_S
        while not done():
            self.check()
            if asyncio.get_running_loop().time() > limit:
                raise SystemFailed(f"{name} is not up after {START_LIMIT_S:g} s\n{self.tail(name)}")
            await asyncio.sleep(POLL_S)

    def check(self) -> None:
        """Raises SystemFailed if a process is no longer there."""
        for name, process in self.running.items():
            if process.returncode is not None:
                raise SystemFailed(
                    f"{name} ended with exit code {process.returncode}\n{self.tail(name)}"
                )

    def log(self, name: str) -> Path:
        """The file that holds what the process says."""
        return self.directory / f"{name}.log"

    def tail(self, name: str) -> str:
        """The last lines of a log, and where the whole is."""
        lines = self.log(name).read_text(encoding="utf-8", errors="replace").splitlines()
        shown = [f"  {line}" for line in lines[-LOG_TAIL:]]
        return "\n".join([*shown, f"  (from {self.log(name)})"])

    async def stop(self) -> None:
        """Ends all processes, the last started first asked; those that linger are killed."""
        if self._guard is not None:
            guard, self._guard = self._guard, None
            _signal(guard, signal.SIGKILL)
            await guard.wait()
        for process in reversed(self.running.values()):
            _signal(process, signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_LIMIT_S):
                for process in self.running.values():
                    await process.wait()
        except TimeoutError:
            for process in self.running.values():
                _signal(process, signal.SIGKILL)
            for process in self.running.values():
                await process.wait()


def _directly(env: Mapping[str, str]) -> dict[str, str]:
    """Nobody asks a proxy for this machine, whatever proxy is set outside (the SDKs would)."""
    known = env.get("no_proxy") or env.get("NO_PROXY")
    hosts = f"{known},127.0.0.1" if known else "127.0.0.1"
    return {"no_proxy": hosts, "NO_PROXY": hosts}


def put_file(path: Path, text: str) -> None:
    """Writes a file that others wait for: it is complete, or not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def free_port() -> int:
    """A port that nobody listens on, below the range that outgoing connections use."""
    for _ in range(200):
        port = random.randrange(18_000, 31_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise SystemFailed("no free port between 18000 and 31000")


def alive(pid: int) -> bool:
    """Whether a process of that number exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _takes_connections(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    if process.returncode is None:
        process.send_signal(number)
