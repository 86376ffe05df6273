"""The smallest peer of simulated ACS: takes callbacks and media sockets, and notes them."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import azure.communication.callautomation as sdk
from aiohttp import web
from azure.communication.callautomation.aio import CallAutomationClient
from azure.core.credentials import AzureKeyCredential

from simulator.acs import ACCESS_KEY, Acs
from simulator.acs_calls import SimulatedCall
from simulator.acs_switches import AcsSwitches
from simulator.audio import placeholder
from simulator.script import (
    AfterAgent,
    AfterWait,
    CallerScript,
    Expect,
    HangUp,
    Say,
    Stay,
    Step,
    Utterance,
)
from simulator.serving import serve


@dataclass
class Answerer:
    """What came from ACS; `on_socket` is sent to as soon as a socket is open."""

    url: str = ""
    callbacks: list[dict[str, Any]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    """What the next callbacks are answered with; then 200."""
    handshakes: list[dict[str, str]] = field(default_factory=list)
    packets: list[dict[str, Any]] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    refuse: int = 0
    """How many upgrades are refused with 503."""
    stall_s: float = 0.0
    """How late every callback and upgrade is answered."""
    deaf: bool = False
    """Nothing is read from the sockets that are opened now."""

    @property
    def types(self) -> list[str]:
        return [event["type"].removeprefix("Microsoft.Communication.") for event in self.callbacks]

    def of(self, kind: str) -> dict[str, Any]:
        """Data of the first callback of this type."""
        return next(event["data"] for event in self.callbacks if event["type"].endswith(f".{kind}"))

    async def callback(self, request: web.Request) -> web.Response:
        await asyncio.sleep(self.stall_s)
        status = self.statuses.pop(0) if self.statuses else 200
        self.tokens.append(request.headers["Authorization"].removeprefix("Bearer "))
        if status == 200:
            self.callbacks += await request.json()
        return web.Response(status=status)

    async def media(self, request: web.Request) -> web.StreamResponse:
        if self.refuse:
            self.refuse -= 1
            return web.Response(status=503)
        await asyncio.sleep(self.stall_s)
        self.handshakes.append(dict(request.headers))
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        if self.deaf:
            await asyncio.sleep(3600)
        async for message in socket:
            self.packets.append(json.loads(message.data))
            self.at.append(asyncio.get_running_loop().time())
        return socket

    async def speak(self, ms: int, rate: int = 24000, *, words: str = "") -> bytes:
        """Sends `ms` of speech in one message."""
        pcm = placeholder(words or "x" * (ms // 60 + 10), rate).pcm[: rate * 2 * ms // 1000]
        data = {"Data": base64.b64encode(pcm).decode()}
        await self.sockets[-1].send_json({"Kind": "AudioData", "AudioData": data})
        return pcm

    async def stop_audio(self) -> None:
        await self.sockets[-1].send_json({"Kind": "StopAudio", "AudioData": None, "StopAudio": {}})

    def media_options(self, **changes: Any) -> sdk.MediaStreamingOptions:
        options: dict[str, Any] = {
            "transport_url": self.url.replace("http", "ws") + "/media/1",
            "transport_type": sdk.StreamingTransportType.WEBSOCKET,
            "content_type": sdk.MediaStreamingContentType.AUDIO,
            "audio_channel_type": sdk.MediaStreamingAudioChannelType.MIXED,
            "start_media_streaming": True,
            "enable_bidirectional": True,
            "audio_format": sdk.AudioFormat.PCM24_K_MONO,
            "enable_dtmf_tones": True,
        }
        return sdk.MediaStreamingOptions(**{**options, **changes})


GREETED_AND_GONE = CallerScript(
    (
        Step(Say(Utterance("What are your opening hours?")), AfterAgent()),
        Step(HangUp(), AfterAgent()),
    )
)
PATIENT = CallerScript((Step(Stay(), AfterWait(0), limit_s=3600),), Expect(greeted=False))
"""Says nothing, and stays."""


@dataclass
class Scene:
    """A simulated ACS with an answerer beside it and a client for it."""

    acs: Acs
    answerer: Answerer
    client: CallAutomationClient
    events: list[tuple[str, dict[str, Any]]]

    @property
    def callback_url(self) -> str:
        return f"{self.answerer.url}/callbacks/1"

    async def ring(self, script: CallerScript = GREETED_AND_GONE, **more: Any) -> SimulatedCall:
        return await self.acs.ring("+15550001111", "+14255550123", script, **more)

    async def answer(self, **more: Any) -> sdk.CallConnectionProperties:
        """Answers the newest IncomingCall."""
        return await self.client.answer_call(
            self.events[-1][1]["incomingCallContext"],
            self.callback_url,
            media_streaming=self.answerer.media_options(),
            cognitive_services_endpoint="https://speech.example",
            **more,
        )

    async def connected(self, script: CallerScript = GREETED_AND_GONE) -> SimulatedCall:
        """A call that is answered, with its media flowing."""
        call = await self.ring(script)
        await self.answer()
        await asyncio.sleep(0.5)
        return call


@asynccontextmanager
async def scene(switches: AcsSwitches | None = None, **more: Any) -> AsyncIterator[Scene]:
    """One ACS, one answerer, one client."""
    events: list[tuple[str, dict[str, Any]]] = []

    async def publish(subject: str, data: dict[str, Any]) -> None:
        events.append((subject, data))

    answerer = Answerer()
    app = web.Application()
    app.router.add_post("/{tail:callbacks/.*}", answerer.callback)
    app.router.add_get("/{tail:media/.*}", answerer.media)
    async with serve(app) as url, Acs(publish, switches, **more) as acs:
        answerer.url = url
        credential = AzureKeyCredential(ACCESS_KEY)
        async with CallAutomationClient(
            acs.url, credential, retry_total=0, use_env_settings=False
        ) as client:
            yield Scene(acs, answerer, client, events)
