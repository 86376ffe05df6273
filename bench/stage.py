"""The product in processes of its own, before an Azure that is simulated in this one."""

import asyncio
import json
import os
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.contenders import pin
from bench.observed import TOGGLE
from simulator.processes import ROOT, Processes, free_port
from simulator.realtime_switches import RealtimeSwitches
from simulator.script import AgentScript
from simulator.speech_service_switches import SpeechSwitches
from simulator.voice_live_switches import VoiceLiveSwitches
from simulator.world import World, simulated_azure

PER_MINUTE = 1_000_000
"""Sessions that the simulated services open: no quota."""
LAGS_LIMIT_S = 10.0
"""For the worker to write down how late its loop was."""


@dataclass(frozen=True)
class Stage:
    """A worker and a Functions app, and the Azure they know."""

    world: World
    worker: psutil.Process
    worker_url: str
    processes: Processes

    def watch_loop(self) -> None:
        """From now on the worker notes how late its event loop is, once in every 20 ms."""
        self.worker.send_signal(TOGGLE)

    async def loop_lags_ms(self) -> list[float]:
        """What it noted since `watch_loop`, in ascending order; it notes no more."""
        self.worker.send_signal(TOGGLE)
        async with asyncio.timeout(LAGS_LIMIT_S):
            while not self._lags.exists():
                await asyncio.sleep(0.05)
        lags: list[float] = json.loads(self._lags.read_text(encoding="utf-8"))
        self._lags.unlink()
        return sorted(lags)

    @property
    def _lags(self) -> Path:
        return _lags_file(self.processes)


def _lags_file(processes: Processes) -> Path:
    return processes.directory / "lags.json"


@asynccontextmanager
async def stage(
    *,
    max_calls: int,
    agents: str | None = None,
    scripts: Sequence[AgentScript] = (),
    speech: SpeechSwitches | None = None,
    observed: Sequence[str] | None = None,
) -> AsyncIterator[Stage]:
    """Everything up and subscribed, without the services' quotas, until the block ends.

    `agents`: TOML in place of the repository's agents.toml. `observed`: the worker is run by
    `bench.observed` with these options; None: as it is deployed, and `watch_loop` would end it.
    """
    voice_live = VoiceLiveSwitches(connections_per_minute=PER_MINUTE)
    realtime = RealtimeSwitches(connections_per_minute=PER_MINUTE)
    processes = Processes(Path(tempfile.mkdtemp(prefix="switchboard-bench-")))
    agents_file = ROOT / "agents.toml"
    if agents is not None:
        agents_file = processes.directory / "agents.toml"
        agents_file.write_text(agents, encoding="utf-8")
    module = ["-m", "media_worker"]
    if observed is not None:
        module = ["-m", "bench.observed", str(_lags_file(processes)), *observed]
    async with simulated_azure(
        agents=scripts, voice_live=voice_live, realtime=realtime, speech=speech, keep_audio=False
    ) as world:
        worker_port, functions_port = free_port(), free_port()
        base = {**os.environ, "LOG_LEVEL": "WARNING"}
        worker = world.endpoints.worker_env(port=worker_port) | {"MAX_CALLS": str(max_calls)}
        functions = world.endpoints.functions_env(
            callback_url=f"http://127.0.0.1:{functions_port}/api",
            media_url=f"ws://127.0.0.1:{worker_port}",
            agents_file=agents_file,
            rate=24_000,
        )
        host = ["-m", "simulator.functions_host", "--app-dir", str(ROOT)]
        try:
            await processes.start("worker", module, base | worker)
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
