"""What is measured: our worker as it is deployed, and the plain bridges beside it."""

import asyncio
import os
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from simulator.processes import Processes, free_port
from simulator.world import World
from switchboard import azure_clients
from switchboard.agents import VoiceLiveAgent, agent_from_json
from switchboard.ledger import Ledger
from switchboard.session import SessionDescriptor, call_id_of, token_hash
from switchboard.shared_settings import Shared
from switchboard.storage import RecordBlobs, SessionQueue


@dataclass(frozen=True)
class Contender:
    """A bridge to measure. `rate` is what ACS sends, `service_rate` what the service speaks."""

    name: str
    ours: bool
    rate: int

    @property
    def service_rate(self) -> int:
        """We ask the service for ACS's rate; the plain bridge takes the service's default."""
        return self.rate if self.ours else 24_000


CONTENDERS = (
    Contender("switchboard, 24 kHz", ours=True, rate=24_000),
    Contender("aiohttp + json + base64, 24 kHz", ours=False, rate=24_000),
    Contender("switchboard, 16 kHz", ours=True, rate=16_000),
    Contender("aiohttp + json + base64 + interpolation, 16 kHz", ours=False, rate=16_000),
)


@dataclass(frozen=True)
class Door:
    """Where one caller connects."""

    url: str
    headers: dict[str, str]


@asynccontextmanager
async def bridge(
    contender: Contender, world: World, service_url: str, *, profile: Path | None = None
) -> AsyncIterator[tuple[psutil.Process, int]]:
    """Runs the contender in a process of its own, on the last core; gives it and its port."""
    port = free_port()
    processes = Processes(Path(tempfile.mkdtemp(prefix="switchboard-bench-")))
    if contender.ours:
        arguments = ["-m", "bench.profiled", str(profile)] if profile else ["-m", "media_worker"]
        env = world.endpoints.worker_env(port=port) | {
            "VOICE_LIVE_ENDPOINT": service_url,
            "MEDIA_AUTH": "prefer",  # the callers of the load bring no JWT
            "LOG_LEVEL": "ERROR",
            "MAX_CALLS": "1000",
        }
    else:
        arguments = ["-m", "bench.reference_bridge", "--port", str(port), "--rate"]
        arguments += [str(contender.rate), "--upstream", f"{service_url}/voice-live/realtime"]
        env = {}
    try:
        await processes.start("bridge", arguments, {**os.environ, **env})
        await processes.listening("bridge", port)
        process = psutil.Process(processes.running["bridge"].pid)
        pin(process, last=True)
        await asyncio.sleep(1.0)
        yield process, port
    finally:
        await processes.stop()


def pin(process: psutil.Process, *, last: bool) -> None:
    """Keeps the load and the bridge from sharing a core, where there are two."""
    cores = os.cpu_count() or 1
    if cores > 1 and sys.platform == "linux":
        process.cpu_affinity([cores - 1] if last else list(range(cores - 1)))


@asynccontextmanager
async def ledger_of(world: World) -> AsyncIterator[Ledger]:
    """The ledger that the worker will look into."""
    settings = Shared.from_env(world.endpoints.shared_env())
    async with AsyncExitStack() as stack:
        container = await asyncio.to_thread(azure_clients.records_container, settings, None)
        queue = await asyncio.to_thread(azure_clients.sessions_queue, settings, None)
        await stack.enter_async_context(container)
        await stack.enter_async_context(queue)
        messages = SessionQueue(queue, container)
        yield Ledger(RecordBlobs(container), messages, by=secrets.token_hex(8))


async def answered_call(ledger: Ledger, name: str, port: int, rate: int) -> Door:
    """A call that a Function has claimed and answered; its media socket may come."""
    call_id = call_id_of(1_795_000_000.0, secrets.token_hex(8), "4:+15550100001", name)
    token = secrets.token_urlsafe(32)
    agent = agent_from_json(
        {"name": "bench", "bridge": "voice_live", "model": name, "greeting": "Hello."}
    )
    assert isinstance(agent, VoiceLiveAgent)
    descriptor = SessionDescriptor(
        call_id=call_id,
        called="4:+15550100001",
        caller="4:+14255550123",
        caller_name="",
        correlation_id=secrets.token_hex(8),
        server_call_id="s",
        rung_at=1_795_000_000.0,
        agent=agent,
        directory_generation="0" * 12,
        fallback_number=None,
        traceparent=None,
        audio_rate=rate,
    )
    await ledger.open(descriptor, token_hash(token), token_hash(secrets.token_urlsafe(32)))
    return Door(
        f"http://127.0.0.1:{port}/media/{call_id}/{token}",
        {"x-ms-call-connection-id": secrets.token_hex(16)},
    )
