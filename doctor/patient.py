"""What is examined: the settings as far as they are there, the directory, the ways to sign in."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, fields
from typing import Literal

import aiohttp

from doctor.remembered import Remembered
from doctor.verdicts import NotChecked, Verdict
from functions.settings import Settings as FunctionsSettings
from media_worker.app import tls_context
from media_worker.bridges.connect import http_session
from media_worker.settings import Settings as WorkerSettings
from switchboard import azure_clients
from switchboard.directory import Directory, DirectoryError
from switchboard.settings import SettingFault
from switchboard.shared_settings import Shared


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the command line says."""

    file: str | None = None
    """The directory; None: the one that counts for calls."""

    numbers: tuple[str, ...] = ()
    """Numbers that must be answered."""

    max_replicas: int | None = None
    calls_per_replica: int | None = None
    """None: `MAX_CALLS`."""

    connections: int | None = None
    """Voice Live's quota of new connections a minute, if it is known."""

    tokens: int | None = None
    """Voice Live's quota of tokens a minute, if it is known."""


@dataclass
class SignedIn:
    """What the identity checks found out, for the checks after them."""

    client_id: str | None = None
    without: set[str] = field(default_factory=set)
    """The scopes for which there is no token."""


@dataclass(frozen=True)
class Unread:
    """There is no directory to be had."""

    source: str
    why: str


@dataclass(frozen=True)
class Known:
    """Which directory counts (see `LiveDirectory`), and whether one could be had from storage."""

    directory: Directory | DirectoryError | Unread
    source: Literal["file", "published"]
    published: Verdict


@dataclass(frozen=True, kw_only=True)
class Patient:
    """One environment. Where `faults` names a setting, it is None."""

    asked: Asked
    worker: WorkerSettings
    functions: FunctionsSettings
    faults: Mapping[str, SettingFault]
    given: frozenset[str]
    """The settings that the environment has a value for."""

    known: Known
    credential: Remembered | None
    http: aiohttp.ClientSession
    signed_in: SignedIn = field(default_factory=SignedIn)

    @property
    def directory(self) -> Directory | None:
        """The agents and numbers; None: there is no good directory."""
        found = self.known.directory
        return found if isinstance(found, Directory) else None

    def lacks(self, needs: Iterable[str], scope: str | None = None) -> NotChecked | None:
        """Why a check that needs these cannot be tried; None: it can."""
        for name in needs:
            if (fault := self.faults.get(name)) is not None:
                return NotChecked(f"{name} {fault.message}")
            if self.setting(name) is None:
                return NotChecked(f"{name} is not set")
        if scope in self.signed_in.without:
            return NotChecked(f"no token: see identity.{scope}")
        return None

    def setting(self, name: str) -> object:
        """The value of a setting of either deployable, by its environment variable."""
        holder = self.worker if hasattr(self.worker, name.lower()) else self.functions
        return getattr(holder, name.lower())

    @property
    def rate(self) -> int:
        """Samples per second of the calls' audio."""
        return self.functions.audio_rate or 24000


_NOTHING = Known(Unread("", "not looked for"), "file", NotChecked("not looked for"))


def own_settings(kind: type[Shared]) -> frozenset[str]:
    """The settings that only this deployable has."""
    shared = {one.name for one in fields(Shared)}
    return frozenset(one.name.upper() for one in fields(kind) if one.name not in shared)


@asynccontextmanager
async def admitted(asked: Asked, environ: Mapping[str, str]) -> AsyncIterator[Patient]:
    """Opens what the checks share, until the block ends. Raises nothing for a bad environment."""
    worker, worker_faults = WorkerSettings.with_faults(environ)
    functions, functions_faults = FunctionsSettings.with_faults(environ)
    async with AsyncExitStack() as stack:
        tls = await asyncio.to_thread(tls_context, worker.tls_ca_file)
        http = await stack.enter_async_context(http_session(tls))
        signs = None
        if worker.credential is not None:
            signs = await asyncio.to_thread(azure_clients.token_credential, worker)
        credential = None
        if signs is not None:
            credential = await stack.enter_async_context(Remembered(signs))
        yield Patient(
            asked=asked,
            worker=worker,
            functions=functions,
            faults={fault.name: fault for fault in (*worker_faults, *functions_faults)},
            given=frozenset(name for name, value in environ.items() if value.strip()),
            known=_NOTHING,
            credential=credential,
            http=http,
        )
