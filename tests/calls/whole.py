"""The whole system in one process, for one test: simulated Azure, the real Functions app in the
real runtime, the real worker, on whatever loop runs (virtual time or real)."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from media_worker import app as worker_app
from media_worker.settings import Settings as WorkerSettings
from simulator.acs_calls import SimulatedCall
from simulator.acs_switches import AcsSwitches
from simulator.event_grid import EventGridSwitches
from simulator.functions_host import FunctionsHost
from simulator.realtime_switches import RealtimeSwitches
from simulator.script import AgentScript, CallerScript
from simulator.speech_service_switches import SpeechSwitches
from simulator.tls import make_certificate
from simulator.voice_live_switches import VoiceLiveSwitches
from simulator.world import World, simulated_azure
from switchboard.record import CallRecord
from tests.speech_in_flight import clock_held_for

ROOT = Path(__file__).parent.parent.parent
Access = Literal["keys", "tokens"]
NUMBER = "+15550100001"
SECOND_NUMBER = "+15550100002"

AGENTS = """
region = "US"
default_agent = "reception"
fallback_number = "+1 555 010 0099"

[agents.reception]
bridge = "voice_live"
model = "gpt-realtime-2.1"
voice = "marin"
greeting = "Hello, you have reached Harbour Cycles."
instructions = "You answer the phone."

[agents.workshop]
bridge = "voice_live"
model = "gpt-4.1"
voice = "en-US-Ava:DragonHDLatestNeural"
greeting = "Harbour Cycles workshop."
instructions = "You answer the workshop's phone."

[numbers]
"+15550100001" = "reception"
"+15550100002" = "workshop"
"""

SETTLE_S = 60.0
"""Virtual seconds within which everything about an ended call has been written and deleted."""


@dataclass(frozen=True)
class Whole:
    """Everything, open to inspection."""

    world: World
    host: FunctionsHost
    worker: worker_app.Serving

    async def call(self, script: CallerScript, to: str = NUMBER, **more: Any) -> SimulatedCall:
        """Places a call; it goes on in the background."""
        return await self.world.call(to, script, **more)

    def records(self) -> list[CallRecord]:
        """All call records, oldest call first."""
        blobs = self.world.storage.blobs("records")
        return [CallRecord.from_json(body.decode()) for _, body in sorted(blobs.items())]

    async def settled(self) -> None:
        """Waits until nothing is left to do for any call: no live call, no message."""
        async with asyncio.timeout(SETTLE_S):
            while self._left():
                await asyncio.sleep(0.05)

    def _left(self) -> bool:
        return bool(self.worker.live_calls or self.world.storage.messages("sessions"))


@asynccontextmanager
async def whole(
    tmp_path: Path,
    *,
    agents_toml: str = AGENTS,
    scripts: Sequence[AgentScript] = (),
    acs: AcsSwitches | None = None,
    grid: EventGridSwitches | None = None,
    voice_live: VoiceLiveSwitches | None = None,
    realtime: RealtimeSwitches | None = None,
    speech: SpeechSwitches | None = None,
    rate: int = 24_000,
    worker_env: dict[str, str] | None = None,
    functions_env: dict[str, str] | None = None,
    keep_audio: bool = True,
    access: Access = "keys",
    worker_knows_agents: bool = False,
) -> AsyncIterator[Whole]:
    """Everything up and Event Grid subscribed, until the block ends.

    `access`: how the product proves itself to ACS and Storage. With tokens they are served over
    https, and every token comes from the real managed identity credential.
    `worker_knows_agents`: it renders their fixed words when it starts, which takes real time.
    """
    agents_file = tmp_path / "agents.toml"
    agents_file.write_text(agents_toml, encoding="utf-8")
    async with simulated_azure(
        agents=scripts,
        numbers=[f"4:{NUMBER}", f"4:{SECOND_NUMBER}"],
        acs=acs,
        grid=grid,
        voice_live=voice_live,
        realtime=realtime,
        speech=speech,
        keep_audio=keep_audio,
        certificate=make_certificate(tmp_path / "tls") if access == "tokens" else None,
    ) as world:
        known = agents_file if worker_knows_agents else tmp_path / "none.toml"
        environment = world.endpoints.worker_env(port=0, agents_file=known)
        environment |= {"LOG_LEVEL": "WARNING"}
        settings = WorkerSettings.from_env(environment | (worker_env or {}))
        async with (
            clock_held_for(world.speech),
            environ(environment),
            worker_app.serving(settings) as worker,
        ):
            port = free_port()
            env = world.endpoints.functions_env(
                callback_url=f"http://127.0.0.1:{port}/api",
                media_url=worker.url.replace("http", "ws", 1),
                agents_file=agents_file,
                rate=rate,
            )
            try:
                env |= functions_env or {}
                async with FunctionsHost(ROOT, env=env, anew=("functions",), port=port) as host:
                    await world.deliver_calls_to(host.event_grid_url("incoming_call"))
                    yield Whole(world, host, worker)
            finally:
                await sys.modules["function_app"].loading.close()  # no callback can come now


@asynccontextmanager
async def environ(values: Mapping[str, str]) -> AsyncIterator[None]:
    """Puts `values` into the process's environment: the credential reads it, not our settings."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in values.items():
            patch.setenv(name, value)
        yield


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
