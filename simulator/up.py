"""The whole system on one machine, each part in its own process: `python -m simulator up`."""

import asyncio
import json
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import aiohttp

from simulator.environment import Endpoints, worker_env_from
from simulator.processes import ROOT, Processes, SystemFailed, alive, free_port, put_file
from simulator.tls import make_certificate

PORT_FILE = ROOT / "out" / "up.json"
"""Where `call` looks for a running system."""
AGENTS_SCRIPT = ROOT / "simulator" / "scripts" / "demo_agents.toml"
DRAIN_S = 5
"""The worker of a laptop need not carry calls on for ten minutes after Ctrl-C."""
WATCH_S = 0.5


@dataclass(frozen=True)
class Options:
    """What `up` is asked for."""

    tls: bool = False
    rate: int = 24000
    agents_script: Path | None = None
    """What the simulated agents say; None: the demo's."""
    numbers: tuple[str, ...] = ()
    """Further numbers of ours, to which a call can be passed on."""


@dataclass(frozen=True)
class Running:
    """A system that is up. `pid` is that of the process that holds it."""

    endpoints: Endpoints
    functions_url: str
    media_url: str
    event_grid_url: str
    rate: int
    voice_live_simulated: bool
    directory: str
    """The logs, one for each process."""
    pid: int

    def env(self) -> dict[str, str]:
        """The settings of both deployables together, for a command that looks at the system."""
        functions = self.endpoints.functions_env(
            callback_url=f"{self.functions_url}/api",
            media_url=self.media_url,
            agents_file=ROOT / "agents.toml",
            rate=self.rate,
        )
        return functions | self.endpoints.worker_env(port=0)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, table: dict[str, Any]) -> "Running":
        """Raises KeyError, TypeError for what is not a port file."""
        return cls(**{**table, "endpoints": Endpoints.from_json(table["endpoints"])})


@asynccontextmanager
async def system(
    options: Options, environ: Mapping[str, str]
) -> AsyncIterator[tuple[Running, Processes]]:
    """Starts everything, and stops it when the block ends. Raises SystemFailed.

    `environ` is what the processes inherit. A product setting in it stands, and the simulated
    service that it points away from is not started: VOICE_LIVE_ENDPOINT, REALTIME_ENDPOINT,
    SPEECH_ENDPOINT (with SPEECH_STREAM_ENDPOINT), STORAGE_BLOB_ENDPOINT (with
    STORAGE_QUEUE_ENDPOINT), MEDIA_URL (a worker of your own), CALLBACK_URL (a Functions host of
    your own).
    """
    directory = Path(tempfile.mkdtemp(prefix="switchboard-"))
    processes = Processes(directory)
    try:
        yield await _start(options, environ, processes), processes
    except SystemFailed:
        processes.keep_logs = True
        raise
    finally:
        await processes.stop()
        if not processes.keep_logs:
            shutil.rmtree(directory, ignore_errors=True)


async def _start(options: Options, environ: Mapping[str, str], processes: Processes) -> Running:
    directory = processes.directory
    if options.tls:
        await asyncio.to_thread(make_certificate, directory)
    endpoints, event_grid = await _peers(options, environ, processes)
    functions_port, worker_port = free_port(), free_port()
    functions_url = f"http://127.0.0.1:{functions_port}"
    media_url = environ.get("MEDIA_URL", f"ws://127.0.0.1:{worker_port}")
    agents_file = ROOT / "agents.toml"
    functions_env = endpoints.functions_env(
        callback_url=f"{functions_url}/api",
        media_url=media_url,
        agents_file=agents_file,
        rate=options.rate,
    )
    if "MEDIA_URL" not in environ:
        computed = endpoints.worker_env(port=worker_port, agents_file=agents_file)
        worker_env = {**computed, "DRAIN_S": str(DRAIN_S)}
        await processes.start(
            "worker", ["-m", "media_worker"], worker_env_from(environ, worker_env)
        )
    if "CALLBACK_URL" not in environ:
        host = ["-m", "simulator.functions_host", "--app-dir", str(ROOT)]
        await processes.start(
            "functions", [*host, "--port", str(functions_port)], {**functions_env, **environ}
        )
        await processes.listening("functions", functions_port)
        await _subscribe(event_grid, functions_url)
    if "MEDIA_URL" not in environ:
        await processes.listening("worker", worker_port)
    return Running(
        endpoints,
        functions_url,
        media_url,
        event_grid,
        int(environ.get("AUDIO_RATE", options.rate)),
        "VOICE_LIVE_ENDPOINT" not in environ,
        str(directory),
        os.getpid(),
    )


async def _peers(
    options: Options, environ: Mapping[str, str], processes: Processes
) -> tuple[Endpoints, str]:
    """Starts the simulated services that `environ` does not replace."""
    tls = {"tls": str(processes.directory)} if options.tls else {}
    script = options.agents_script or (AGENTS_SCRIPT if AGENTS_SCRIPT.is_file() else None)
    wanted: dict[str, dict[str, Any]] = {"identity": {}, "event_grid": {}}
    if "STORAGE_BLOB_ENDPOINT" not in environ:
        wanted["storage"] = tls
    for name in ("voice_live", "realtime", "speech"):
        if f"{name.upper()}_ENDPOINT" not in environ:
            wanted[name] = {"agents": str(script) if script else None}
    for name, config in wanted.items():
        await processes.start_service(name, config, environ)
    facts = {name: await processes.facts(name) for name in wanted}
    event_grid = facts["event_grid"]["url"]
    config = {**tls, "event_grid": event_grid, "numbers": options.numbers}
    await processes.start_service("acs", config, environ)
    acs = await processes.facts("acs")
    storage, voice = facts.get("storage", {}), facts.get("voice_live", {})
    model, speech = facts.get("realtime", {}), facts.get("speech", {})
    endpoints = Endpoints(
        acs_url=acs["url"],
        acs_issuer=acs["issuer"],
        acs_jwks_url=acs["jwks"],
        immutable_id=acs["immutable_id"],
        resource_id=acs["resource_id"],
        blob_endpoint=storage.get("blob") or environ["STORAGE_BLOB_ENDPOINT"],
        queue_endpoint=storage.get("queue") or environ.get("STORAGE_QUEUE_ENDPOINT", ""),
        identity_endpoint=facts["identity"]["endpoint"],
        identity_header=facts["identity"]["header"],
        voice_live_url=voice.get("url") or environ["VOICE_LIVE_ENDPOINT"],
        access_key=acs["key"],
        connection_string=None
        if options.tls
        else storage.get("connection_string") or environ.get("STORAGE_CONNECTION_STRING"),
        ca_file=str(processes.directory / "ca.pem") if options.tls else None,
        realtime_url=model.get("url"),
        realtime_key=None if options.tls else model.get("key"),
        speech_url=speech.get("url"),
        speech_stream_url=speech.get("stream_url"),
        speech_resource_id=speech.get("resource_id"),
        speech_key=None if options.tls else speech.get("key"),
    )
    return endpoints, event_grid


async def _subscribe(event_grid: str, functions_url: str) -> None:
    webhook = f"{functions_url}/runtime/webhooks/eventgrid?functionName=incoming_call"
    async with aiohttp.ClientSession() as http:
        address = f"{event_grid}/subscriptions/incoming-call"
        async with http.put(address, json={"endpoint": webhook}) as response:
            if response.status != 201:
                raise SystemFailed(f"Event Grid could not subscribe: {await response.text()}")


async def run_up(
    options: Options,
    environ: Mapping[str, str],
    port_files: Sequence[Path],
    announce: Callable[[Running], None],
) -> None:
    """Runs the system until a signal or a failure; `port_files` say where it is meanwhile.

    `announce` is called when everything is up. Raises SystemFailed.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with AsyncExitStack() as stack:
        running, processes = await stack.enter_async_context(system(options, environ))
        for file in port_files:
            put_file(file, json.dumps(running.to_json(), indent=1))
            stack.callback(withdraw, file)
        announce(running)
        while not stopped.is_set():
            processes.check()
            try:
                async with asyncio.timeout(WATCH_S):
                    await stopped.wait()
            except TimeoutError:
                continue


def withdraw(file: Path) -> None:
    """Removes our port file, unless it tells of another system by now."""
    running = find_running(file)
    if running is not None and running.pid == os.getpid():
        file.unlink(missing_ok=True)


def find_running(file: Path | None = None) -> Running | None:
    """The system that is up, if there is one: told by `file`, or by the usual port file."""
    try:
        table = json.loads((file or PORT_FILE).read_text(encoding="utf-8"))
        running = Running.from_json(table)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return running if alive(running.pid) else None
