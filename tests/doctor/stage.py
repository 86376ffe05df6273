"""A whole system with a doctor before it: what it finds, and what one planted fault changes."""

import dataclasses
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doctor.command import examined
from doctor.patient import Asked, Patient, admitted
from doctor.verdicts import Finding
from simulator.world import World
from tests.calls.whole import AGENTS, Access, Whole, environ, whole

NOBODY = "127.0.0.1:9"
"""The discard port, on which nobody listens."""
NOWHERE = {"CREDENTIAL": "none", "ACS_JWKS_URL": f"http://{NOBODY}/calling/keys"}
"""An environment with hardly a setting, in which nobody in the world is asked."""


class Found:
    """The findings by id."""

    def __init__(self, findings: list[Finding]) -> None:
        self.all = {finding.id: finding for finding in findings}

    @property
    def red(self) -> list[str]:
        """The ids of what fails, in their order."""
        return self._of("fail")

    @property
    def green(self) -> list[str]:
        """The ids of what was tried and works."""
        return self._of("ok")

    @property
    def open(self) -> list[str]:
        """The ids of what was not checked."""
        return self._of("not_checked")

    def told(self, id_: str) -> dict[str, str | None]:
        """One finding as programs get it."""
        return self.all[id_].to_json()

    def mend(self, id_: str) -> str:
        """The mend of what fails."""
        return str(self.told(id_)["mend"])

    def detail(self, id_: str) -> str:
        """What is told of it."""
        return str(self.told(id_)["detail"])

    def _of(self, result: str) -> list[str]:
        return [id_ for id_, finding in self.all.items() if finding.result == result]


@dataclass(frozen=True)
class Ward:
    """A whole system, and the environment by which an admin would examine it."""

    system: Whole
    env: Mapping[str, str]

    @property
    def world(self) -> World:
        """The simulated Azure, with its switches."""
        return self.system.world

    async def examined(self, asked: Asked | None = None, **changed: str) -> Found:
        """What the doctor finds. `changed`: settings of the environment; empty means unset."""
        return await examination(dict(self.env) | changed, asked)


async def examination(env: Mapping[str, str], asked: Asked | None = None) -> Found:
    """All findings in that environment."""
    async with environ(env):
        return Found(await examined(asked or Asked(), env, lambda _: None))


@asynccontextmanager
async def ward(
    tmp_path: Path, *, access: Access = "keys", agents_toml: str = AGENTS, **options: Any
) -> AsyncIterator[Ward]:
    """`access`: by keys, or by tokens over TLS; `options`: those of `whole`."""
    async with whole(tmp_path, access=access, agents_toml=agents_toml, **options) as system:
        endpoints = system.world.endpoints
        env = endpoints.functions_env(
            callback_url=f"{system.host.url}/api",
            media_url=system.worker.url.replace("http", "ws", 1),
            agents_file=tmp_path / "agents.toml",
            rate=24000,
        )
        yield Ward(system, env | endpoints.worker_env(port=0))


IN_AZURE = {
    "ACS_ENDPOINT": "https://contoso.communication.azure.com",
    "ACS_IMMUTABLE_RESOURCE_ID": "2d1f0000-0000-4000-8000-000000000001",
    "STORAGE_BLOB_ENDPOINT": "https://contoso.blob.core.windows.net",
    "STORAGE_QUEUE_ENDPOINT": "https://contoso.queue.core.windows.net",
    "VOICE_LIVE_ENDPOINT": "https://contoso.services.ai.azure.com",
    "CREDENTIAL": "azure_cli",
}
"""Names of resources that nobody is asked for."""


@asynccontextmanager
async def patient(
    env: Mapping[str, str] = IN_AZURE, asked: Asked | None = None, **changed: Any
) -> AsyncIterator[Patient]:
    """An environment to look at without asking anybody; `changed`: fields of the patient."""
    async with admitted(asked or Asked(), env) as one:
        yield dataclasses.replace(one, **changed)
