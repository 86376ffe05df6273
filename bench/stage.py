"""The product in processes of its own, before an Azure that is simulated in this one."""

import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.contenders import pin
from simulator.processes import ROOT, Processes, free_port
from simulator.voice_live_switches import VoiceLiveSwitches
from simulator.world import World, simulated_azure

NUMBER = "+15550100001"


@dataclass(frozen=True)
class Stage:
    """A worker and a Functions app, and the Azure they know."""

    world: World
    worker: psutil.Process
    worker_url: str
    processes: Processes


@asynccontextmanager
async def stage(*, max_calls: int) -> AsyncIterator[Stage]:
    """Everything up and subscribed, the quota of Voice Live raised, until the block ends."""
    switches = VoiceLiveSwitches(connections_per_minute=1_000_000)
    processes = Processes(Path(tempfile.mkdtemp(prefix="switchboard-bench-")))
    async with simulated_azure(voice_live=switches, keep_audio=False) as world:
        worker_port, functions_port = free_port(), free_port()
        base = {**os.environ, "LOG_LEVEL": "WARNING"}
        worker = world.endpoints.worker_env(port=worker_port) | {"MAX_CALLS": str(max_calls)}
        functions = world.endpoints.functions_env(
            callback_url=f"http://127.0.0.1:{functions_port}/api",
            media_url=f"ws://127.0.0.1:{worker_port}",
            agents_file=ROOT / "agents.toml",
            rate=24_000,
        )
        host = ["-m", "simulator.functions_host", "--app-dir", str(ROOT)]
        try:
            await processes.start("worker", ["-m", "media_worker"], base | worker)
            await processes.start(
                "functions", [*host, "--port", str(functions_port)], base | functions
            )
            await processes.listening("worker", worker_port)
            await processes.listening("functions", functions_port)
            process = psutil.Process(processes.running["worker"].pid)
            pin(process, last=True)
            webhook = f"http://127.0.0.1:{functions_port}/runtime/webhooks/eventgrid"
            await world.deliver_calls_to(f"{webhook}?functionName=incoming_call")
            yield Stage(world, process, f"http://127.0.0.1:{worker_port}", processes)
        finally:
            await processes.stop()
