"""The media worker as a server: its clients, its routes, its background loops, its end."""

import asyncio
import secrets
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

import aiohttp
from aiohttp import web
from azure.storage.blob.aio import ContainerClient

from media_worker import lag, log
from media_worker.bridges import Bridge, OpenBridge
from media_worker.bridges.absent import open_absent
from media_worker.bridges.connect import VoiceLiveAccess, http_session
from media_worker.bridges.realtime_speech.access import realtime_speech
from media_worker.bridges.realtime_speech.bridge import RealtimeSpeech, open_realtime_speech
from media_worker.bridges.voice_live.access import voice_live
from media_worker.bridges.voice_live.bridge import open_voice_live
from media_worker.drain import drain
from media_worker.edge import for_ever
from media_worker.entra import Loops
from media_worker.limits import SHUTDOWN_S
from media_worker.reaper import Reaper
from media_worker.settings import Settings
from media_worker.speech.repertoire import Repertoire, log_news
from media_worker.tools import offered
from media_worker.worker import Worker
from switchboard import azure_clients
from switchboard.acs_calls import CallAutomation
from switchboard.acs_jwt import AcsTokens, KeySet
from switchboard.agents import Agent, RealtimeSpeechAgent, VoiceLiveAgent
from switchboard.generations import Generations
from switchboard.ledger import Ledger
from switchboard.live_directory import LiveDirectory
from switchboard.record import CallRecord
from switchboard.storage import RecordBlobs, SessionQueue


class CannotListen(Exception):
    """The address is taken, or not ours."""


def make_app(worker: Worker) -> web.Application:
    """The routes: media sockets, `/healthz` (alive), `/readyz` (503 while draining, only then)."""

    async def alive(_: web.Request) -> web.Response:
        return web.json_response({"alive": True, "calls": worker.live_calls})

    async def ready(_: web.Request) -> web.Response:
        status = 503 if worker.draining else 200
        return web.json_response({"ready": not worker.draining}, status=status)

    app = web.Application()
    app.router.add_get("/media/{call_id}/{token}", worker.media)
    app.router.add_get("/healthz", alive)
    app.router.add_get("/readyz", ready)
    return app


@dataclass(frozen=True)
class Serving:
    """A worker that takes calls. `url`: http base of what it listens on."""

    url: str
    worker: Worker

    @property
    def live_calls(self) -> int:
        """Calls in progress."""
        return self.worker.live_calls

    async def drain(self, limit_s: float | None = None) -> None:
        """See `drain.drain`; `limit_s` defaults to the setting."""
        limit_s = self.worker.settings.drain_s if limit_s is None else limit_s
        await drain(self.worker, limit_s)


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Serving]:
    """Serves until the block ends; then calls that are left are cut: `drain` first.

    Raises `CannotListen`.
    """
    async with AsyncExitStack() as stack:
        clients = await _open_clients(settings, stack)
        worker = Worker(
            settings,
            ledger=clients.ledger,
            acs=clients.acs,
            tokens=AcsTokens(clients.keys, settings.acs_issuer, settings.acs_immutable_resource_id),
            bridge_for=clients.bridge_for,
        )
        url = await _listen(worker, stack)
        group = await stack.enter_async_context(asyncio.TaskGroup())
        loops = [group.create_task(for_ever(name, run)) for name, run in clients.loops.items()]
        try:
            yield Serving(url, worker)
        finally:
            for task in loops:
                task.cancel()


async def _listen(worker: Worker, stack: AsyncExitStack) -> str:
    """Takes requests from now until `stack` closes; the URL. aiohttp's own runner would stop
    reading from open media sockets at SIGTERM."""
    host, port = worker.settings.host, worker.settings.port
    runner = web.AppRunner(
        make_app(worker), handle_signals=False, access_log=None, shutdown_timeout=SHUTDOWN_S
    )
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        raise CannotListen(f"cannot listen on HOST {host}, PORT {port}: {error}") from error
    host, port = runner.addresses[0][:2]
    log.event("listening", port=port)
    return f"http://{host}:{port}"


@dataclass(frozen=True)
class _Clients:
    """The worker's peers, and the loops that keep its side of them up to date."""

    ledger: Ledger
    acs: CallAutomation
    keys: KeySet
    bridge_for: Callable[[CallRecord], OpenBridge]
    loops: Loops


async def _open_clients(settings: Settings, stack: AsyncExitStack) -> _Clients:
    """The clients, which `stack` closes. They are built off the loop: azure-core starts a
    subprocess to name the processor."""
    credential = await asyncio.to_thread(azure_clients.token_credential, settings)
    if credential is not None:
        await stack.enter_async_context(credential)
    automation = await asyncio.to_thread(azure_clients.acs_client, settings, credential)
    container = await asyncio.to_thread(azure_clients.records_container, settings, credential)
    queue = await asyncio.to_thread(azure_clients.sessions_queue, settings, credential)
    for client in (automation, container, queue):
        await stack.enter_async_context(client)
    tls = await asyncio.to_thread(tls_context, settings.tls_ca_file)
    http = await stack.enter_async_context(http_session(tls))

    async def fetch(url: str) -> bytes:
        try:
            async with http.get(url, raise_for_status=True) as reply:
                return await reply.read()
        except aiohttp.ClientError as error:
            raise OSError(f"no key set: {type(error).__name__}") from error

    ledger = Ledger(RecordBlobs(container), SessionQueue(queue, container), by=secrets.token_hex(8))
    acs = CallAutomation(automation)
    keys = KeySet(settings.acs_jwks_url, fetch, asyncio.get_running_loop().time)
    loops: Loops = {
        "reaper": Reaper(ledger, acs, seed=secrets.randbits(32)).run,
        "lag": lag.watch,
        "keys": keys.keep_fresh,
    }
    access = voice_live(settings, http, credential, loops)
    shared = realtime_speech(settings, http, credential, loops)
    if shared is not None:
        stack.push_async_callback(shared.pool.close)
        published = await asyncio.to_thread(azure_clients.directory_container, settings, credential)
        await stack.enter_async_context(published)
        loops["repertoire"] = _repertoire(settings, published, shared).run
    return _Clients(ledger, acs, keys, lambda record: _bridges(access, shared, record), loops)


def _repertoire(
    settings: Settings, published: ContainerClient, shared: RealtimeSpeech
) -> Repertoire:
    now = asyncio.get_running_loop().time
    file = Path(settings.agents_file)
    directory = LiveDirectory(file, Generations(published), now, log_news)
    return Repertoire(directory, shared.pool, shared.clips)


def _bridges(
    access: VoiceLiveAccess, shared: RealtimeSpeech | None, record: CallRecord
) -> OpenBridge:
    tools = offered(person=record.descriptor.fallback_number is not None)

    def open_bridge(agent: Agent, rate: int) -> AbstractAsyncContextManager[Bridge]:
        match agent:
            case VoiceLiveAgent():
                return open_voice_live(agent, rate, access, record.call_id, record.turns, tools)
            case RealtimeSpeechAgent() if shared is not None:
                return open_realtime_speech(agent, rate, shared, record.turns, tools)
            case RealtimeSpeechAgent():
                return open_absent("set REALTIME_ENDPOINT and SPEECH_REGION")
            case _:
                assert_never(agent)

    return open_bridge


def tls_context(ca_file: str | None) -> ssl.SSLContext | None:
    """The usual authorities and the extra one; None: only the usual."""
    if ca_file is None:
        return None
    context = ssl.create_default_context()
    context.load_verify_locations(ca_file)
    return context
