"""All simulated services in one process, for tests: on any event loop, in virtual time too."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from simulator.acs import ACCESS_KEY, IMMUTABLE_ID, RESOURCE_ID, Acs
from simulator.acs_auth import AccessKey, EntraTokens
from simulator.acs_calls import SimulatedCall
from simulator.acs_switches import AcsSwitches
from simulator.environment import Endpoints
from simulator.event_grid import EventGrid, EventGridSwitches, Subscription
from simulator.identity import Identity
from simulator.realtime import Realtime
from simulator.realtime_switches import RealtimeSwitches
from simulator.script import CALLER, AgentScript, CallerScript, clips
from simulator.speech_service import Speech
from simulator.speech_service_switches import SpeechSwitches
from simulator.storage import Storage
from simulator.tls import Certificate
from simulator.voice_live import VoiceLive
from simulator.voice_live_switches import VoiceLiveSwitches


@dataclass(frozen=True)
class World:
    """The services, each open to inspection and to its switches."""

    acs: Acs
    grid: EventGrid
    storage: Storage
    identity: Identity
    voice_live: VoiceLive
    realtime: Realtime
    speech: Speech
    certificate: Certificate | None

    @property
    def endpoints(self) -> Endpoints:
        """Where they are; `functions_env` and `worker_env` make the product's environment of it."""
        keys = self.certificate is None
        return Endpoints(
            acs_url=self.acs.url,
            acs_issuer=self.acs.issuer,
            acs_jwks_url=self.acs.jwks_url,
            immutable_id=IMMUTABLE_ID,
            resource_id=RESOURCE_ID,
            blob_endpoint=self.storage.blob_endpoint,
            queue_endpoint=self.storage.queue_endpoint,
            identity_endpoint=self.identity.endpoint,
            identity_header=self.identity.header,
            voice_live_url=self.voice_live.url,
            access_key=ACCESS_KEY if keys else None,
            connection_string=self.storage.connection_string if keys else None,
            ca_file=str(self.certificate.ca_file) if self.certificate else None,
            realtime_url=self.realtime.url,
            realtime_key=self.realtime.key if keys else None,
            speech_url=self.speech.url,
            speech_stream_url=self.speech.stream_url,
            speech_resource_id=self.speech.resource_id,
            speech_key=self.speech.key if keys else None,
        )

    async def deliver_calls_to(self, endpoint: str, **subscription: Any) -> None:
        """Subscribes a webhook to IncomingCall. Raises HandshakeFailed."""
        await self.grid.subscribe(Subscription(endpoint, **subscription))

    async def call(
        self, to: str, script: CallerScript, *, from_: str = CALLER, **more: Any
    ) -> SimulatedCall:
        """Somebody calls `to`; the words of the script are known to the services that listen."""
        for step in script.steps:
            utterance = getattr(step.act, "utterance", None)
            if utterance is not None:
                self.voice_live.know(utterance)
                self.realtime.know(utterance)
        return await self.acs.ring(to, from_, script, **more)


@asynccontextmanager
async def simulated_azure(
    *,
    agents: Sequence[AgentScript] = (),
    numbers: Collection[str] = (),
    acs: AcsSwitches | None = None,
    grid: EventGridSwitches | None = None,
    voice_live: VoiceLiveSwitches | None = None,
    realtime: RealtimeSwitches | None = None,
    speech: SpeechSwitches | None = None,
    keep_audio: bool = True,
    certificate: Certificate | None = None,
) -> AsyncIterator[World]:
    """Serves everything until the block ends.

    With `certificate` (`simulator.tls.make_certificate`) ACS and Storage are served over https and
    take Entra tokens alone, and Realtime and Speech are asked with them too; without it all of
    these take keys. Voice Live is asked with tokens in both cases.
    `numbers` are those that ring at this ACS when a call is passed on to them.
    """
    server = certificate.server_context() if certificate else None
    async with AsyncExitStack() as stack:
        identity = await stack.enter_async_context(Identity())
        storage = await stack.enter_async_context(
            Storage(
                queues=("sessions",),
                containers=("records",),
                accept="tokens" if certificate else "keys",
                token_key=identity.token_key,
                ssl_context=server,
            )
        )
        service = await stack.enter_async_context(
            VoiceLive(agents, voice_live, keep_audio=keep_audio, token_key=identity.token_key)
        )
        model = await stack.enter_async_context(
            Realtime(agents, realtime, keep_audio=keep_audio, token_key=identity.token_key)
        )
        voices = await stack.enter_async_context(
            Speech(
                speech,
                utterances=clips(agents),
                token_key=identity.token_key,
                keep_audio=keep_audio,
            )
        )
        topic = await stack.enter_async_context(EventGrid(RESOURCE_ID, grid))
        who = EntraTokens(identity.token_key) if certificate else AccessKey(ACCESS_KEY)
        phones = await stack.enter_async_context(
            Acs(topic.publish_call, acs, who=who, numbers=numbers, tls=server)
        )
        yield World(phones, topic, storage, identity, service, model, voices, certificate)
