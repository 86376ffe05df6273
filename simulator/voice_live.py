"""A Voice Live resource on the loopback interface: `ws://127.0.0.1:PORT/voice-live/realtime`.

An independent reading of the Voice Live API reference 2026-07-15, accepted by the real
azure-ai-voicelive client. It hears the audio it truly receives and answers by script.
"""

import asyncio
import base64
import binascii
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from simulator.audio import Clip
from simulator.clock import wall_now
from simulator.script import AgentScript, Utterance, choose_agent
from simulator.script_toml import utterance_of_wav
from simulator.serving import serve
from simulator.voice_live_conversation import Conversation
from simulator.voice_live_door import AgentMode, Mode, Refused, admit
from simulator.voice_live_recognition import Recognition
from simulator.voice_live_replies import Replies, plain
from simulator.voice_live_response import new_id
from simulator.voice_live_session import Session
from simulator.voice_live_switches import VoiceLiveSwitches

PATH = "/voice-live/realtime"
SPEECH = Path(__file__).parent / "speech"
KEY = "voice-live-simulator-key"
QUOTA_WINDOW_S = 60.0
SESSIONS_KEPT = 1000
"""Ended sessions that stay readable; beyond it the oldest is forgotten."""
CLOSE_S = 2.0
"""How long a closing handshake may take before the socket is dropped (aiohttp: 10 s)."""


@lru_cache(maxsize=1)
def recordings() -> dict[str, Utterance]:
    """The clips of simulator/speech by their plain words."""
    spoken = [utterance_of_wav(path) for path in sorted(SPEECH.glob("*.wav"))]
    return {plain(utterance.text): utterance for utterance in spoken if utterance.text}


class VoiceLive:
    """Use as `async with VoiceLive(scripts) as service`; then `service.url` and `service.key`.

    `scripts` say what each model or agent answers; without a fitting one it repeats what it heard.
    `keep_audio=False` spares memory: of what sessions received only the hash is kept, of what they
    sent only the length. `token_key` checks the signature of Entra tokens; None where the identity
    service is another process: then their audience, issuer and time alone are checked.
    """

    def __init__(
        self,
        scripts: Sequence[AgentScript] = (),
        switches: VoiceLiveSwitches | None = None,
        *,
        keep_audio: bool = True,
        token_key: Any = None,
    ) -> None:
        self.switches = switches or VoiceLiveSwitches()
        self.key, self.url = KEY, ""
        self.sessions: deque[Session] = deque(maxlen=SESSIONS_KEPT)
        self.refusals: list[Refused] = []
        self._scripts, self._keep_audio = tuple(scripts), keep_audio
        self._token_key = token_key
        self._recognition = Recognition(_known(self._scripts))
        self._threads: dict[str, Conversation] = {}
        self._opened: deque[float] = deque()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_get(PATH, self._realtime)
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

    def know(self, utterance: Utterance) -> None:
        """From now on the service recognises `utterance` when it hears it."""
        self._recognition.add(utterance)

    async def _realtime(self, request: web.Request) -> web.StreamResponse:
        admitted = self._admit(request)
        if isinstance(admitted, Refused):
            self.refusals.append(admitted)
            error = {"code": str(admitted.status), "message": admitted.message}
            return web.json_response({"error": error}, status=admitted.status)
        session = self._session(admitted)
        self.sessions.append(session)
        socket = web.WebSocketResponse(max_msg_size=0, timeout=CLOSE_S, compress=False)
        await socket.prepare(request)
        await session.run(socket)
        return socket

    def _admit(self, request: web.Request) -> Mode | Refused:
        if self.switches.refuse_status is not None:
            return Refused(self.switches.refuse_status, "refused by a switch")
        query, headers = request.query, request.headers
        admitted = admit(query, headers, key=self.key, token_key=self._token_key, now=wall_now())
        if isinstance(admitted, Refused):
            return admitted
        now = asyncio.get_running_loop().time()
        while self._opened and self._opened[0] <= now - QUOTA_WINDOW_S:
            self._opened.popleft()
        if len(self._opened) >= self.switches.connections_per_minute:
            return Refused(429, "Too many new connections: the quota of this minute is used up")
        self._opened.append(now)
        return admitted

    def _session(self, mode: Mode) -> Session:
        conversation, thread_id = Conversation(), new_id("thread")
        script = None
        if isinstance(mode, AgentMode):
            if mode.conversation in self._threads:
                thread_id = mode.conversation
            conversation = self._threads.setdefault(thread_id, conversation)
            script = choose_agent(self._scripts, agent=mode.agent)
        else:
            script = choose_agent(self._scripts, model=mode.model)
        return Session(
            mode,
            conversation,
            Replies(script, recordings()),
            self._recognition,
            self.switches,
            thread_id=thread_id,
            keep_audio=self._keep_audio,
        )

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
        if unknown := sorted(set(told) - {field.name for field in fields(self.switches)}):
            return web.json_response({"error": f"no such switch: {unknown}"}, status=400)
        for name, value in told.items():
            setattr(self.switches, name, tuple(value) if isinstance(value, list) else value)
        return web.Response(status=204)

    async def _report(self, _: web.Request) -> web.Response:
        """What each session received and believes, for people and other processes."""
        return web.json_response([_summary(session) for session in self.sessions])


def _known(scripts: Iterable[AgentScript]) -> Iterable[Utterance]:
    """Utterances that a caller is likely to say: recordings, and what scripts say they hear."""
    yield from recordings().values()
    for script in scripts:
        yield from (Utterance(reply.caller) for reply in script.replies if reply.caller)


def _summary(session: Session) -> dict[str, Any]:
    return {
        "id": session.id,
        "received_bytes": session.received_bytes,
        "received_sha256": session.received_sha256,
        "responses": [
            {"id": r.id, "text": r.text, "status": r.status, "audio_bytes": r.audio_bytes}
            for r in session.responses
        ],
        "items": [
            {"id": item.id, "kind": item.kind, "text": item.text} for item in session.conversation
        ],
        "errors": session.errors,
    }
