"""An AI resource on the loopback interface: what Voice Live and Azure OpenAI Realtime share.

Sessions are opened by a WebSocket at one path, within a quota; further routes, for people and
other processes, say what sessions believe, set switches, and teach the service what it will hear.
"""

import asyncio
import base64
import binascii
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Generic, Self, TypeVar

from aiohttp import web

from simulator.audio import Clip
from simulator.event_session import EventSession, SessionSwitches
from simulator.script import AgentScript, Utterance
from simulator.script_toml import utterance_of_wav
from simulator.serving import serve
from simulator.voice_live_door import Refused
from simulator.voice_live_recognition import Recognition
from simulator.voice_live_replies import plain

SPEECH = Path(__file__).parent / "speech"
QUOTA_WINDOW_S = 60.0
SESSIONS_KEPT = 1000
"""Ended sessions that stay readable; beyond it the oldest is forgotten."""
CLOSE_S = 2.0
"""How long a closing handshake may take before the socket is dropped (aiohttp: 10 s)."""

SomeSession = TypeVar("SomeSession", bound=EventSession)


@lru_cache(maxsize=1)
def recordings() -> dict[str, Utterance]:
    """The clips of simulator/speech by their plain words."""
    spoken = [utterance_of_wav(path) for path in sorted(SPEECH.glob("*.wav"))]
    return {plain(utterance.text): utterance for utterance in spoken if utterance.text}


class AiResource(ABC, Generic[SomeSession]):
    """Use as `async with …(scripts) as service`; then `service.url` and `service.key`.

    `scripts` say what each model or agent answers; without a fitting one it repeats what it heard.
    `keep_audio=False` spares memory: of what sessions received only the hash is kept, of what they
    sent only the length. `token_key` checks the signature of Entra tokens; None where the identity
    service is another process: then their audience, issuer and time alone are checked.
    """

    path: ClassVar[str]
    """Where sessions are opened."""
    key: ClassVar[str]

    def __init__(
        self,
        scripts: Sequence[AgentScript],
        switches: SessionSwitches,
        *,
        keep_audio: bool,
        token_key: Any,
    ) -> None:
        self.url = ""
        self.sessions: deque[SomeSession] = deque(maxlen=SESSIONS_KEPT)
        self.refusals: list[Refused] = []
        self._scripts, self._told = tuple(scripts), switches
        self._keep_audio, self._token_key = keep_audio, token_key
        self._recognition = Recognition(_known(self._scripts))
        self._opened: deque[float] = deque()
        self._stack = AsyncExitStack()

    @abstractmethod
    def open(self, request: web.Request) -> SomeSession | Refused:
        """The session that a handshake opens, or why it opens none; quota is not its matter."""

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_get(self.path, self._connect)
        app.router.add_post("/simulator/utterances", self._learn)
        app.router.add_get("/simulator/sessions", self._report)
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

    def know(self, utterance: Utterance) -> None:
        """From now on the service recognises `utterance` when it hears it."""
        self._recognition.add(utterance)

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(self._told.handshake_s)
        session = self._admit(request)
        if isinstance(session, Refused):
            self.refusals.append(session)
            error = {"code": session.code or str(session.status), "message": session.message}
            return web.json_response({"error": error}, status=session.status)
        self.sessions.append(session)
        socket = web.WebSocketResponse(
            max_msg_size=0, timeout=CLOSE_S, compress=False, protocols=("realtime",)
        )
        await socket.prepare(request)
        await session.run(socket)
        return socket

    def _admit(self, request: web.Request) -> SomeSession | Refused:
        if self._told.refuse_status is not None:
            return Refused(self._told.refuse_status, "refused by a switch")
        session = self.open(request)
        if isinstance(session, Refused):
            return session
        now = asyncio.get_running_loop().time()
        while self._opened and self._opened[0] <= now - QUOTA_WINDOW_S:
            self._opened.popleft()
        if len(self._opened) >= self._told.connections_per_minute:
            return Refused(429, "Too many new connections: the quota of this minute is used up")
        self._opened.append(now)
        return session

    async def _learn(self, request: web.Request) -> web.Response:
        """For callers in another process: `{"text", "rate", "pcm": base64}` of what they say."""
        try:
            told = await request.json()
            clip = Clip(base64.b64decode(told["pcm"], validate=True), int(told["rate"]))
            self.know(Utterance(str(told["text"]), clip))
        except (binascii.Error, KeyError, TypeError, ValueError) as error:
            return web.json_response({"error": f"text, rate and pcm, please: {error}"}, status=400)
        return web.Response(status=204)

    async def _switch(self, request: web.Request) -> web.Response:
        """`{"connections_per_minute": 6000}`: sets switches from another process."""
        told = await request.json()
        if unknown := sorted(set(told) - {field.name for field in fields(self._told)}):
            return web.json_response({"error": f"no such switch: {unknown}"}, status=400)
        for name, value in told.items():
            setattr(self._told, name, tuple(value) if isinstance(value, list) else value)
        return web.Response(status=204)

    async def _report(self, _: web.Request) -> web.Response:
        """What each session received and believes, for people and other processes."""
        return web.json_response([session.report() for session in self.sessions])


def _known(scripts: Iterable[AgentScript]) -> Iterable[Utterance]:
    """Utterances that a caller is likely to say: recordings, and what scripts say they hear."""
    yield from recordings().values()
    for script in scripts:
        yield from (Utterance(reply.caller) for reply in script.replies if reply.caller)
