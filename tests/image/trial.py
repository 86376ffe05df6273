"""What an image has to show: its packages, its files, its health, calls, and a clean end."""

import asyncio
import json
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

from simulator.call import CallRequest, Told, place
from simulator.processes import ROOT, free_port
from simulator.up import Options, Running, system
from tests.image.container import Config, Container, printed, running
from tests.packages import worker_context

REQUIREMENTS = ROOT / "media_worker" / "requirements.txt"
CALLS = {
    "voice_live": CallRequest("+15550100001"),
    "realtime_speech": CallRequest(
        "+15550100003", script=ROOT / "simulator" / "scripts" / "bakery_caller.toml"
    ),
}
"""One for each bridge; the second speaks through the native Speech SDK."""
HEALTHY_WITHIN_S = 20.0
"""As the image's own HEALTHCHECK has it (start period)."""
DRAIN_S = 5
ENDED_WITHIN_S = DRAIN_S + 10.0
_ASK_PACKAGES = """
import importlib.metadata, json, platform
print(json.dumps({
    "python": platform.python_version(),
    "packages": sorted(f"{d.metadata['Name'].lower().replace('_', '-')}=={d.version}"
                       for d in importlib.metadata.distributions()),
}))
"""


class Failed(Exception):
    """The image is not as it should be: says how."""


@dataclass(frozen=True)
class Image:
    """A built image, laid out."""

    root: Path
    config: Config


def packages(image: Image) -> tuple[str, int]:
    """The image's Python version, and how many packages it has: exactly those of the lock, or
    `Failed`."""
    python = image.config.entrypoint[image.config.entrypoint.index("-m") - 1]
    told = json.loads(printed(image.root, image.config, (python, "-c", _ASK_PACKAGES)))
    wanted = set(_wanted(told["python"]))
    if wanted != set(told["packages"]):
        differing = sorted(wanted ^ set(told["packages"]))
        raise Failed(f"the image's packages are not those of the lock: {', '.join(differing)}")
    return told["python"], len(wanted)


def _wanted(python: str) -> Sequence[str]:
    """The lock's lines that hold for this Python on this kind of machine."""
    environment = {"python_full_version": python, "python_version": python.rpartition(".")[0]}
    lines = REQUIREMENTS.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    parsed = [Requirement(line.partition("--hash")[0]) for line in lines if line[:1].isalnum()]
    return [
        f"{one.name.lower()}{one.specifier}"
        for one in parsed
        if one.marker is None or one.marker.evaluate(environment)
    ]


def files(image: Image) -> int:
    """How many files of ours are in the image: all of the build context and no other, each but
    the requirements with its bytecode; or `Failed`."""
    app = image.root / image.config.cwd.lstrip("/")
    there = {p.relative_to(app) for p in app.rglob("*") if p.is_file()}
    compiled = {p for p in there if p.suffix == ".pyc"}
    ours = set(worker_context.files(ROOT))
    if there - compiled != ours:
        differing = sorted(str(path) for path in (there - compiled) ^ ours)
        raise Failed(f"files of the image and of the context differ: {', '.join(differing)}")
    modules = {p for p in ours if p.suffix == ".py"}
    if len(compiled) != len(modules):
        raise Failed(f"{len(modules)} modules, but {len(compiled)} are compiled")
    return len(ours)


async def calls(image: Image, log: Path) -> list[str]:
    """Starts the worker on a read-only root file system, carries a call of each bridge through a
    simulated Azure, and stops it; a line for each thing that it did, or `Failed`.

    Raises SystemFailed, CallFailed.
    """
    port = free_port()
    environ = {"PATH": os.environ["PATH"], "MEDIA_URL": f"ws://127.0.0.1:{port}"}
    async with system(Options(), environ) as (azure, _):
        env = {**azure.endpoints.worker_env(port=port), "DRAIN_S": str(DRAIN_S)}
        async with running(image.root, image.config, env, log) as worker:
            started = asyncio.get_running_loop().time()
            await _healthy(worker, env, log)
            took = asyncio.get_running_loop().time() - started
            lines = [f"healthy after {took:.1f} s, {_rights(worker)}"]
            for bridge, request in CALLS.items():
                lines.append(f"{bridge}: {await _call(azure, request, log)}")
            await _end(worker, log)
            return [*lines, "SIGTERM to its PID 1: it drained and ended with 0"]


async def _healthy(worker: Container, env: dict[str, str], log: Path) -> None:
    try:
        async with asyncio.timeout(HEALTHY_WITHIN_S):
            while not await asyncio.to_thread(worker.healthy, env):
                if worker.outer.returncode is not None:
                    raise Failed(f"it ended with {worker.outer.returncode}\n{_tail(log)}")
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise Failed(f"not healthy after {HEALTHY_WITHIN_S:g} s\n{_tail(log)}") from None


async def _end(worker: Container, log: Path) -> None:
    worker.signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(ENDED_WITHIN_S):
            code = await worker.outer.wait()
    except TimeoutError:
        raise Failed(f"{ENDED_WITHIN_S:g} s after SIGTERM it is still there") from None
    if code != 0:
        raise Failed(f"after SIGTERM it ended with {code}\n{_tail(log)}")


def _rights(worker: Container) -> str:
    """Of the worker's process, as the kernel has them; or `Failed`."""
    status = worker.status()
    uid, capabilities = status["Uid"].split()[0], int(status["CapEff"], 16)
    if uid == "0" or capabilities:
        raise Failed(f"it runs as {uid} with capabilities {capabilities:x}")
    if not worker.read_only():
        raise Failed("its root file system can be written to")
    return f"uid {uid}, no capabilities, root file system read-only"


async def _call(azure: Running, request: CallRequest, log: Path) -> str:
    async for entry in place(azure, request):
        if isinstance(entry, Told):
            if not entry.good:
                raise Failed(f"{entry.report['faults']}\n{_tail(log)}")
            turns = len(entry.report["turns"])
            return f"{turns} turns, as scripted, end reason {entry.report['end_reason']}"
    raise Failed("the call has no end")


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
