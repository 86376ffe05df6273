"""A media worker with everything around it: simulated storage, ACS and Voice Live, real SDKs.

In place of the Functions app the stage itself answers, with the same shared code.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web

from media_worker.app import Serving, serving
from media_worker.settings import Settings
from media_worker.telemetry.process import Telemetry
from simulator.acs import ACCESS_KEY, Acs
from simulator.acs_calls import SimulatedCall
from simulator.acs_switches import AcsSwitches
from simulator.script import AfterAgent, CallerScript, HangUp, Say, Stay, Step, Utterance
from simulator.serving import serve
from simulator.storage import Storage
from simulator.voice_live import VoiceLive
from switchboard import azure_clients, session
from switchboard.acs_calls import Accepted, AnswerRequest, CallAutomation
from switchboard.agents import Silence, VoiceLiveAgent
from switchboard.clock import wall_now
from switchboard.ledger import Decided, Ledger
from switchboard.moves import AnswerAccepted
from switchboard.record import CallRecord
from switchboard.session import SessionDescriptor
from switchboard.storage import RecordBlobs, SessionQueue

CALLED, CALLER, FALLBACK = "4:+15550100001", "4:+15550100023", "+15550100099"
AGENT = VoiceLiveAgent(
    name="reception",
    model="gpt-realtime",
    greeting="Hello, you have reached Harbour Cycles. How can I help you?",
    silence=Silence(prompts=()),
    apology="I'm sorry, we have a technical problem.",
)
STAYS = CallerScript((Step(Stay(), limit_s=3600.0),))
"""A caller who listens until the other side hangs up."""
HANGS_UP = CallerScript(
    (
        Step(Say(Utterance("When do you open?")), AfterAgent()),
        Step(HangUp(), AfterAgent()),
    )
)
"""A caller who asks one question and hangs up after the answer."""


@dataclass
class Answered:
    """A call that was answered: where its media goes, and with which token."""

    call_id: str
    token: str
    simulated: SimulatedCall


class Stage:
    """What tests look at and act with."""

    def __init__(
        self,
        storage: Storage,
        acs: Acs,
        voice: VoiceLive,
        ledger: Ledger,
        calls: CallAutomation,
        http: aiohttp.ClientSession,
    ) -> None:
        self.storage, self.acs, self.voice = storage, acs, voice
        self.ledger, self.calls, self.http = ledger, calls, http
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.callbacks: list[str] = []
        """Types of the events that ACS called back with, of all calls."""
        self.callback_url = ""
        self.worker: Serving

    async def ring(
        self,
        script: CallerScript = STAYS,
        *,
        agent: VoiceLiveAgent = AGENT,
        media_url: str | None = None,
        fallback_number: str | None = None,
    ) -> Answered:
        """Somebody calls and is answered; returns when ACS accepted the answer."""
        simulated = await self.acs.ring(CALLED, CALLER, script)
        _, data = self.events.pop()
        context = data["incomingCallContext"]
        call_id = session.call_id_of(wall_now(), data["correlationId"], CALLED, context)
        media = session.derive_token(context, "media", call_id)
        back = session.derive_token(context, "callback", call_id)
        descriptor = SessionDescriptor(
            call_id=call_id,
            called=CALLED,
            caller=CALLER,
            caller_name="",
            correlation_id=data["correlationId"],
            server_call_id=data["serverCallId"],
            rung_at=wall_now(),
            agent=agent,
            directory_generation="0" * 12,
            fallback_number=fallback_number,
            traceparent=None,
            audio_rate=24000,
        )
        hashes = session.token_hash(media), session.token_hash(back)
        assert isinstance(await self.ledger.open(descriptor, *hashes), Decided)
        setup = await self.ledger.messages.send_setup(descriptor)
        base = media_url or self.worker.url.replace("http://", "ws://")
        verdict = await self.calls.answer(
            AnswerRequest(
                context=context,
                callback_url=self.callback_url,
                media_url=f"{base}/media/{call_id}/{media}",
                cognitive_services_endpoint="https://speech.example",
                audio_rate=24000,
                repeatability_id=session.repeatability_id(media),
                first_sent=wall_now(),
            )
        )
        assert isinstance(verdict, Accepted)
        await self.ledger.decide(call_id, AnswerAccepted(verdict.connection_id, setup))
        return Answered(call_id, media, simulated)

    async def record(self, call_id: str) -> CallRecord:
        """The call's record as it stands."""
        found = await self.ledger.records.get(call_id)
        assert found is not None
        return found.record

    @property
    def messages(self) -> int:
        """Messages on the queue, hidden ones too."""
        return len(self.storage.messages("sessions"))

    async def knock(
        self,
        call_id: str,
        token: str,
        *,
        headers: Mapping[str, str] | None = None,
        bearer: str | None = "",
        connection_id: str | None = None,
    ) -> aiohttp.ClientWebSocketResponse:
        """Opens a media socket as ACS would; `bearer` "": a good one, None: none.

        Raises `aiohttp.WSServerHandshakeError` when it is refused.
        """
        sent = dict(headers or {})
        if bearer is not None:
            sent["Authorization"] = f"Bearer {bearer or self.acs.token(86400)}"
        if connection_id is not None:
            sent["x-ms-call-connection-id"] = connection_id
        return await self.http.ws_connect(
            f"{self.worker.url}/media/{call_id}/{token}", headers=sent, compress=0
        )

    async def until(self, condition: Any, limit_s: float = 60.0) -> None:
        """Waits until `condition()` is true."""
        async with asyncio.timeout(limit_s):
            while not condition():  # anything may be waited for
                await asyncio.sleep(0.1)


@asynccontextmanager
async def stage(
    switches: AcsSwitches | None = None, telemetry: Telemetry | None = None, **environ: str
) -> AsyncIterator[Stage]:
    """Everything served on this loop; `environ` replaces settings of the worker."""
    async with AsyncExitStack() as stack:
        storage = await stack.enter_async_context(
            Storage(queues=["sessions"], containers=["records"])
        )
        events: list[tuple[str, dict[str, Any]]] = []

        async def publish(subject: str, data: dict[str, Any]) -> None:
            events.append((subject, data))

        acs = await stack.enter_async_context(Acs(publish, switches))
        voice = await stack.enter_async_context(VoiceLive())
        env = environment(storage, acs, voice) | environ
        settings = Settings.from_env(env)
        calls, ledger = await _clients(settings, stack)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        here = Stage(storage, acs, voice, ledger, calls, http)
        here.events = events
        here.callback_url = await stack.enter_async_context(serve(_callbacks(here.callbacks)))
        here.worker = await stack.enter_async_context(serving(settings, telemetry))
        yield here


def environment(storage: Storage, acs: Acs, voice: VoiceLive) -> dict[str, str]:
    """The worker's environment towards these services, all by key."""
    return {
        "ACS_ENDPOINT": acs.url,
        "ACS_ACCESS_KEY": ACCESS_KEY,
        "ACS_IMMUTABLE_RESOURCE_ID": acs.immutable_id,
        "ACS_ISSUER": acs.issuer,
        "ACS_JWKS_URL": acs.jwks_url,
        "STORAGE_CONNECTION_STRING": storage.connection_string,
        "CREDENTIAL": "none",
        "VOICE_LIVE_ENDPOINT": voice.url,
        "VOICE_LIVE_KEY": voice.key,
        "HOST": "127.0.0.1",
        "PORT": "0",
    }


async def _clients(settings: Settings, stack: AsyncExitStack) -> tuple[CallAutomation, Ledger]:
    """The stage's own, as the Functions app would have them."""
    acs = await asyncio.to_thread(azure_clients.acs_client, settings, None)
    container = await asyncio.to_thread(azure_clients.records_container, settings, None)
    queue = await asyncio.to_thread(azure_clients.sessions_queue, settings, None)
    for client in (acs, container, queue):
        await stack.enter_async_context(client)
    ledger = Ledger(RecordBlobs(container), SessionQueue(queue, container), by="stage")
    return CallAutomation(acs), ledger


def _callbacks(kinds: list[str]) -> web.Application:
    """Hears ACS's callbacks and does nothing about them."""

    async def heard(request: web.Request) -> web.Response:
        kinds.extend(event["type"].rpartition(".")[2] for event in json.loads(await request.read()))
        return web.Response()

    app = web.Application()
    app.router.add_post("/", heard)
    return app


SILENT_FRAME = json.dumps(
    {
        "kind": "AudioData",
        "audioData": {
            "timestamp": "2026-11-18T12:00:00.000Z",
            "data": base64.b64encode(bytes(960)).decode(),
            "silent": True,
        },
    }
)
METADATA = json.dumps(
    {
        "kind": "AudioMetadata",
        "audioMetadata": {
            "subscriptionId": "89e8cb59-0000-4000-8000-000000000000",
            "encoding": "PCM",
            "sampleRate": 24000,
            "channels": 1,
            "length": 960,
        },
    }
)


async def break_off(call: Answered) -> None:
    """The network between ACS and the worker drops the call's media socket."""
    assert call.simulated.connection is not None
    assert call.simulated.connection.streaming is not None
    await call.simulated.connection.streaming.break_off()


def announced(here: Stage, call: Answered) -> list[str]:
    """What ACS itself has said to the caller."""
    assert call.simulated.connection is not None
    leg = here.acs._legs.get(call.simulated.connection.id)
    return list(leg.announcer.spoken) if leg else []
