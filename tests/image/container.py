"""An image's process on a read-only root file system, with the image's own user and entry point."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

INSIDE = Path(__file__).with_name("inside.py")


class NotStarted(Exception):
    """The image's process did not come up."""


@dataclass(frozen=True)
class Config:
    """What an image says of itself, as in `docker inspect`."""

    entrypoint: tuple[str, ...]
    env: Mapping[str, str]
    user: str
    cwd: str
    health: tuple[str, ...]
    """The health check's command, without CMD."""

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Config":
        """From the `Config` of an image. Raises ValueError if it is no exec form, or root's."""
        health = (told.get("Healthcheck") or {}).get("Test") or ["NONE"]
        entry = [*(told.get("Entrypoint") or []), *(told.get("Cmd") or [])]
        if not entry or not entry[0].startswith("/"):
            raise ValueError(f"the entry point is not in exec form with a full path: {entry}")
        if health[0] != "CMD":
            raise ValueError(f"the health check is not in exec form: {health}")
        if told["User"].partition(":")[0] in ("", "0", "root"):
            raise ValueError("the image runs as root")
        env = dict(line.split("=", 1) for line in told.get("Env") or [])
        return cls(tuple(entry), env, told["User"], told["WorkingDir"] or "/", tuple(health[1:]))

    @property
    def ids(self) -> tuple[int, int]:
        """User and group, which the image must give as numbers."""
        uid, _, gid = self.user.partition(":")
        return int(uid), int(gid or uid)


@dataclass(frozen=True)
class Container:
    """A running process of an image. `pid`: of its PID 1, as seen from outside."""

    config: Config
    pid: int
    outer: Process

    def healthy(self, env: Mapping[str, str]) -> bool:
        """Runs the image's health check beside the process, as Docker would."""
        uid, gid = self.config.ids
        enter = ["nsenter", f"--target={self.pid}", "--mount", "--pid", "--root", "--wd"]
        command = [*enter, f"--setuid={uid}", f"--setgid={gid}", "--", *self.config.health]
        whole = {**self.config.env, **env}
        done = subprocess.run(command, env=whole, check=False, capture_output=True, timeout=10)
        return done.returncode == 0

    def signal(self, number: signal.Signals) -> None:
        """To its PID 1, as `docker stop` does."""
        os.kill(self.pid, number)

    def read_only(self) -> bool:
        """Whether its root file system is mounted so."""
        mounts = Path(f"/proc/{self.pid}/mounts").read_text(encoding="utf-8").splitlines()
        options = [line.split()[3] for line in mounts if line.split()[1] == "/"]
        return bool(options) and "ro" in options[-1].split(",")

    def status(self) -> dict[str, str]:
        """`/proc/PID/status` of what tini started: the worker itself."""
        child = _children(self.pid)[0]
        lines = Path(f"/proc/{child}/status").read_text(encoding="ascii").splitlines()
        return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


@asynccontextmanager
async def running(
    root: Path, config: Config, env: Mapping[str, str], log: Path
) -> AsyncIterator[Container]:
    """Starts the image's entry point in `root`, and kills what is left of it when the block ends.

    `log` gets what it writes. It shares this machine's network, as the simulators are there.
    """
    with log.open("wb") as out:
        outer = await asyncio.create_subprocess_exec(
            *_command(root, config, config.entrypoint, env), stdout=out, stderr=out
        )
    try:
        yield Container(config, await _first_child(outer), outer)
    finally:
        if outer.returncode is None:
            outer.kill()  # and with it, by --kill-child, the PID namespace
        await outer.wait()


def printed(root: Path, config: Config, argv: Sequence[str]) -> str:
    """What a command of the image prints, run in the same way. Raises CalledProcessError."""
    command = _command(root, config, argv, {})
    done = subprocess.run(command, check=True, timeout=60, stdout=subprocess.PIPE, text=True)
    return done.stdout


def as_root(root: Path, argv: Sequence[str], env: Mapping[str, str]) -> None:
    """Runs a step of a build in `root`, which it may write to. Raises CalledProcessError."""
    spec = {"argv": list(argv), "env": dict(env), "cwd": "/", "uid": 0, "gid": 0, "writable": True}
    subprocess.run(_apart(root, spec), check=True, stdout=subprocess.DEVNULL)


def _command(root: Path, config: Config, argv: Sequence[str], env: Mapping[str, str]) -> list[str]:
    uid, gid = config.ids
    spec = {"argv": list(argv), "env": {**config.env, **env}, "cwd": config.cwd}
    return _apart(root, {**spec, "uid": uid, "gid": gid, "writable": False})


def _apart(root: Path, spec: Mapping[str, Any]) -> list[str]:
    namespaces = ["unshare", "--mount", "--pid", "--ipc", "--fork", "--kill-child"]
    return [*namespaces, sys.executable, str(INSIDE), str(root), json.dumps(spec)]


async def _first_child(outer: Process) -> int:
    """The PID 1 of the namespace, once it is there."""
    for _ in range(500):
        if outer.returncode is not None:
            raise NotStarted(f"it ended at once, with {outer.returncode}")
        if children := _children(outer.pid):
            return children[0]
        await asyncio.sleep(0.02)
    raise NotStarted("it was not there after 10 s")


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in text.split()]
