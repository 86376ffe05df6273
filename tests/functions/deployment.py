"""The Functions app in a simulated Azure: the real runtime and SDKs, everything but a media worker.

In the worker's place is a socket that takes whatever comes and says nothing.
"""

import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from functions.loading import Loading, Services
from simulator.acs import ACCESS_KEY, IMMUTABLE_ID, Acs
from simulator.acs_auth import EntraTokens
from simulator.acs_calls import SimulatedCall
from simulator.acs_switches import AcsSwitches
from simulator.event_grid import EventGrid, EventGridSwitches, Schema, Subscription
from simulator.functions_host import FunctionsHost
from simulator.identity import Identity
from simulator.script import AtTime, CallerScript, Expect, HangUp, Stay, Step
from simulator.serving import serve
from simulator.storage import Storage
from simulator.tls import Certificate, make_certificate
from switchboard.record import CallRecord

ROOT = Path(__file__).parents[2]
TOPIC = (
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg"
    "/providers/Microsoft.Communication/communicationServices/contoso"
)
NUMBER, OTHER_NUMBER, CALLER = "+15550100001", "+15550100002", "+15550100777"
FALLBACK = "+15550100099"
AGENTS = f"""
default_agent = "reception"

[agents.reception]
bridge = "voice_live"
model = "gpt-realtime"

[agents.sales]
bridge = "voice_live"
model = "gpt-realtime"

[numbers]
"{NUMBER}" = "reception"
"{OTHER_NUMBER}" = {{ agent = "sales", fallback_number = "{FALLBACK}" }}
"""

PATIENT = CallerScript((Step(Stay(), AtTime(0), limit_s=300),), Expect(greeted=False))
"""Stays on the line until the other side ends the call."""


def leaves_after(seconds: float) -> CallerScript:
    """Hangs up so long after the media began."""
    return CallerScript((Step(HangUp(), AtTime(seconds * 1000)),), Expect(greeted=False))


class RecordingAcs(Acs):
    """Keeps the requests that come for calls: path, headers, body."""

    requests: list[tuple[str, Mapping[str, str], bytes]]

    def extend(self, app: web.Application) -> None:
        """Puts the recorder before the service."""
        self.requests = []

        @web.middleware
        async def record(request: web.Request, handler: Handler) -> web.StreamResponse:
            self.requests.append((request.path, request.headers.copy(), await request.read()))
            return await handler(request)

        app.middlewares.append(record)

    def answers(self) -> list[tuple[str, str, bytes]]:
        """Of each answer: Repeatability id and date, and body."""
        return [
            (headers["Repeatability-Request-ID"], headers["Repeatability-First-Sent"], body)
            for path, headers, body in self.requests
            if path.endswith(":answer")
        ]


@dataclass
class Deployment:
    """What is deployed, and where to look."""

    acs: RecordingAcs
    storage: Storage
    event_grid: EventGrid
    host: FunctionsHost
    agents_file: Path
    sockets: list[str] = field(default_factory=list)
    """Paths of the media sockets that came."""

    async def ring(
        self, script: CallerScript = PATIENT, *, to: str = NUMBER, from_: str = CALLER
    ) -> SimulatedCall:
        """Somebody calls."""
        return await self.acs.ring(to, from_, script)

    async def services(self) -> Services:
        """What the app works with."""
        return await _loading().services()

    def records(self) -> list[CallRecord]:
        """All calls' records."""
        return [CallRecord.from_json(text) for text in self.storage.blobs("records").values()]

    def statuses(self) -> list[int | None]:
        """What Event Grid's deliveries were answered with."""
        return [delivery.status for delivery in self.event_grid.deliveries]

    def messages(self) -> int:
        """Length of the queue, hidden messages included."""
        return len(self.storage.messages("sessions"))


@asynccontextmanager
async def deployment(
    acs_switches: AcsSwitches | None = None,
    event_switches: EventGridSwitches | None = None,
    *,
    agents: str = AGENTS,
    schema: Schema = "eventgrid",
    tokens: bool = False,
    **environ: str,
) -> AsyncIterator[Deployment]:
    """Deploys. `tokens`: managed identity over TLS, as in Azure, in place of keys; `environ`: app
    settings changed."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        agents_file = folder / "agents.toml"
        agents_file.write_text(agents)
        sockets: list[str] = []
        worker = await enter(serve(_worker(sockets)))
        identity = await enter(Identity())
        tls = make_certificate(folder) if tokens else None
        served = tls.server_context() if tls else None
        storage = Storage(
            queues=["sessions"],
            containers=["records"],
            accept="tokens" if tokens else "keys",
            ssl_context=served,
        )
        await enter(storage)
        event_grid = await enter(EventGrid(TOPIC, event_switches))
        acs = RecordingAcs(
            event_grid.publish_call,
            acs_switches,
            who=EntraTokens(identity.token_key) if tokens else None,
            numbers=[NUMBER, OTHER_NUMBER],
            tls=served,
        )
        await enter(acs)
        env = {
            "ACS_ENDPOINT": acs.url,
            "ACS_RESOURCE_ID": TOPIC,
            "ACS_IMMUTABLE_RESOURCE_ID": IMMUTABLE_ID,
            "ACS_ISSUER": acs.issuer,
            "ACS_JWKS_URL": acs.jwks_url,
            "MEDIA_URL": worker.replace("http", "ws"),
            "COGNITIVE_SERVICES_ENDPOINT": "https://ai.example",
            "AGENTS_FILE": str(agents_file),
        }
        env |= _with_tokens(identity, tls, storage) if tls else _with_keys(storage)
        port = _free_port()
        env["CALLBACK_URL"] = f"http://127.0.0.1:{port}/api"
        stack.push_async_callback(_close)  # after the host: a callback may still be on its way
        host = await enter(FunctionsHost(ROOT, env=env | environ, port=port))
        await event_grid.subscribe(
            Subscription(host.event_grid_url("incoming_call"), schema=schema)
        )
        yield Deployment(acs, storage, event_grid, host, agents_file, sockets)


def _with_tokens(identity: Identity, tls: Certificate, storage: Storage) -> dict[str, str]:
    return identity.env() | {
        "TLS_CA_FILE": str(tls.ca_file),
        "STORAGE_BLOB_ENDPOINT": storage.blob_endpoint,
        "STORAGE_QUEUE_ENDPOINT": storage.queue_endpoint,
    }


def _with_keys(storage: Storage) -> dict[str, str]:
    return {
        "CREDENTIAL": "none",
        "ACS_ACCESS_KEY": ACCESS_KEY,
        "STORAGE_CONNECTION_STRING": storage.connection_string,
    }


def _loading() -> Loading:
    loading: Loading = sys.modules["function_app"].loading
    return loading


async def _close() -> None:
    if "function_app" in sys.modules:
        await _loading().close()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _worker(sockets: list[str]) -> web.Application:
    async def media(request: web.Request) -> web.StreamResponse:
        sockets.append(request.path)
        taken = web.WebSocketResponse()
        await taken.prepare(request)
        async for _ in taken:
            pass
        return taken

    app = web.Application()
    app.router.add_get("/{path:.*}", media)
    return app
