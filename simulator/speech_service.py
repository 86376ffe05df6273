"""A Speech resource on the loopback interface: text to speech over its WebSocket protocol.

An independent reading of what azure-cognitiveservices-speech 1.53.0 sends and takes, accepted by
that native SDK. It speaks with the recordings of simulator/speech where it knows the words.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from simulator.clock import wall_now
from simulator.script import Utterance
from simulator.script_toml import utterance_of_wav
from simulator.serving import serve
from simulator.speech_service_connection import Connection
from simulator.speech_service_door import SPEECH_RESOURCE_ID, Refused, admit
from simulator.speech_service_speaking import Recording, recorded
from simulator.speech_service_switches import SpeechSwitches
from simulator.speech_service_turn import SpokenUtterance
from simulator.speech_service_voices import VOICES

SSML_PATHS = ("/tts/cognitiveservices/websocket/v1", "/cognitiveservices/websocket/v1")
"""Of SpeechConfig(endpoint=…) without a path, and of SpeechConfig(host=…)."""
STREAM_PATH = "/cognitiveservices/websocket/v2"
"""Where text is streamed to, as documented; it takes SSML too."""
RECORDINGS = Path(__file__).parent / "speech"
KEY = "speech-simulator-key"
KEPT = 1000
"""Utterances and connections that stay readable; beyond it the oldest is forgotten."""
CLOSE_S = 2.0
"""How long a closing handshake may take before the socket is dropped (aiohttp: 10 s)."""


class Speech:
    """Use as `async with Speech() as service`; then `service.url` and `service.key`.

    `url` is what SpeechConfig takes as endpoint for SSML, `stream_url` for streamed text.
    `utterances` are words with sound that it knows beside the agents' recordings. With a
    `deploymentId` a voice has whatever name `custom_voices` gives to it, any if it is empty.
    `keep_audio=False` spares memory: of what was sent only the length is kept.
    """

    def __init__(
        self,
        switches: SpeechSwitches | None = None,
        *,
        utterances: Iterable[Utterance] = (),
        custom_voices: Mapping[str, str] | None = None,
        token_key: Any = None,
        keep_audio: bool = True,
    ) -> None:
        self.switches = switches or SpeechSwitches()
        self.key, self.url, self.resource_id = KEY, "", SPEECH_RESOURCE_ID
        self.utterances: deque[SpokenUtterance] = deque(maxlen=KEPT)
        """Every turn, in the order in which they began."""
        self.connections: deque[Connection] = deque(maxlen=KEPT)
        self.refusals: list[Refused] = []
        self._known = (*recorded(utterances), *_recordings())
        self._custom_voices = dict(custom_voices or {})
        self._token_key, self._keep_audio = token_key, keep_audio
        self._opened = 0
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        app = web.Application()
        for path in (*SSML_PATHS, STREAM_PATH):
            app.router.add_get(path, self._websocket)
        app.router.add_get("/simulator/utterances", self._report)
        app.router.add_patch("/simulator/switches", self._switch)
        self.url = await self._stack.enter_async_context(serve(app))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def go_down(self) -> None:
        """From now on connections are refused; those that are open are lost."""
        await self._stack.aclose()

    async def hang_up(self, code: int) -> None:
        """Closes every connection that is open."""
        for connection in self.connections:
            if connection.open:
                await connection.hang_up(code)

    @property
    def stream_url(self) -> str:
        return f"{self.url.replace('http', 'ws', 1)}{STREAM_PATH}"

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        switches = self.switches
        await asyncio.sleep(switches.handshake_s)
        admitted = self._admit(request)
        if isinstance(admitted, Refused):
            self.refusals.append(admitted)
            headers = {"Retry-After": "1"} if admitted.status == 429 else None
            return web.Response(status=admitted.status, text=admitted.message, headers=headers)
        socket = web.WebSocketResponse(
            protocols=("USP",), max_msg_size=0, timeout=CLOSE_S, compress=False
        )
        try:
            await socket.prepare(request)
        except ConnectionResetError:  # the client has thought better of it
            return socket
        self.connections.append(admitted)
        await admitted.run(socket)
        return socket

    def _admit(self, request: web.Request) -> Connection | Refused:
        switches = self.switches
        if switches.refuse_status is not None and switches.refuse_next != 0:
            if switches.refuse_next is not None:
                switches.refuse_next -= 1
            return Refused(switches.refuse_status, "refused by a switch")
        auth = admit(request.headers, key=self.key, token_key=self._token_key, now=wall_now())
        if isinstance(auth, Refused):
            return auth
        deployment = request.query.get("deploymentId")
        if deployment and self._custom_voices and deployment not in self._custom_voices:
            return Refused(404, f"no deployment {deployment}")
        number, self._opened = self._opened, self._opened + 1
        return Connection(
            number,
            2 if request.path == STREAM_PATH else 1,
            auth,
            deployment,
            switches,
            voices=self._voices(deployment),
            recordings=self._known,
            begun=self.utterances.append,
            keep_audio=self._keep_audio,
        )

    def _voices(self, deployment: str | None) -> frozenset[str] | None:
        """None: any name will do."""
        if deployment is None:
            return VOICES
        return frozenset({self._custom_voices[deployment]}) if self._custom_voices else None

    async def _switch(self, request: web.Request) -> web.Response:
        """`{"refuse_status": 503}`: sets switches from another process."""
        told = await request.json()
        if unknown := sorted(set(told) - {field.name for field in fields(self.switches)}):
            return web.json_response({"error": f"no such switch: {unknown}"}, status=400)
        for name, value in told.items():
            setattr(self.switches, name, tuple(value) if isinstance(value, list) else value)
        return web.Response(status=204)

    async def _report(self, _: web.Request) -> web.Response:
        """What was said, for people and other processes."""
        return web.json_response([_summary(spoken) for spoken in self.utterances])


@lru_cache(maxsize=1)
def _recordings() -> tuple[Recording, ...]:
    """The agents' recordings of simulator/speech; callers' are not for agents to speak with."""
    paths = sorted(RECORDINGS.glob("*.wav"))
    return recorded(utterance_of_wav(path) for path in paths if not path.stem.startswith("caller"))


def _summary(spoken: SpokenUtterance) -> dict[str, Any]:
    return {
        "connection": spoken.connection,
        "voice": spoken.voice,
        "text": spoken.text,
        "streaming": spoken.streaming,
        "manner": spoken.manner,
        "audio_ms": round(spoken.audio_ms, 1),
        "outcome": spoken.outcome,
        "stopped": spoken.stopped,
    }
