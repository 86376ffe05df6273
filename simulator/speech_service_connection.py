"""One connection to simulated Speech: messages in, turns out.

The order that azure-cognitiveservices-speech 1.53.0 keeps is asked of every client: speech.config
once; then for each turn synthesis.context and, under the same X-RequestId, either one ssml or
text.piece … text.end. What breaks it closes the connection with 1007 and is kept in `breach`.
"""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Sequence
from typing import Any

from aiohttp import WSMsgType, web

from simulator.speech_service_door import Auth
from simulator.speech_service_speaking import Recording
from simulator.speech_service_ssml import read_ssml
from simulator.speech_service_switches import SpeechSwitches
from simulator.speech_service_turn import SpokenUtterance, Turn, Wanted
from simulator.speech_service_voices import takes_streamed_text
from simulator.speech_service_wire import MESSAGE_LIMIT, RATES, Breach, Message, parse

_IGNORED = frozenset({"telemetry"})


class Connection:
    """`run` serves it until it is closed."""

    def __init__(
        self,
        number: int,
        version: int,
        auth: Auth,
        deployment_id: str | None,
        switches: SpeechSwitches,
        *,
        voices: Collection[str] | None,
        recordings: Sequence[Recording],
        begun: Callable[[SpokenUtterance], None],
        keep_audio: bool,
    ) -> None:
        """`version` is that of the path, 1 or 2; `voices` None takes any name.

        `begun` is told of each turn when it begins.
        """
        self.number, self.version, self.auth = number, version, auth
        self.deployment_id = deployment_id
        self.close_code: int | None = None
        """How the socket was closed, once it is."""
        self.breach: str | None = None
        """Why the simulator closed it, if it did."""
        self._switches, self._voices, self._recordings = switches, voices, recordings
        self._begun, self._keep_audio = begun, keep_audio
        self._socket = web.WebSocketResponse()
        self._configured = False
        self._contexts: dict[str, dict[str, Any]] = {}
        self._turns: dict[str, Turn] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._past: set[str] = set()
        self._one_at_a_time = asyncio.Lock()
        self._group = asyncio.TaskGroup()

    @property
    def open(self) -> bool:
        return self.close_code is None

    async def run(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        try:
            async with self._group as group:
                timers = [group.create_task(self._expire())]
                async for message in socket:
                    try:
                        self._take(message.type, message.data)
                    except Breach as breach:
                        await self._close(breach)
                for task in [*timers, *self._tasks.values()]:
                    task.cancel()
        finally:
            self.close_code = self.close_code or socket.close_code or 1006
            for turn in self._turns.values():
                turn.spoken.lose()

    async def hang_up(self, code: int) -> None:
        """The service closes it, whatever it is doing."""
        await self._close(Breach(code, "closed by the service"))

    async def _close(self, breach: Breach) -> None:
        self.breach, self.close_code = breach.reason, breach.code
        await self._socket.close(code=breach.code, message=breach.reason.encode()[:123])

    async def _expire(self) -> None:
        await asyncio.sleep(self._switches.connection_s)
        await self._close(Breach(1000, "the connection is as old as connections get"))

    def _take(self, kind: WSMsgType, data: Any) -> None:
        if kind is not WSMsgType.TEXT:
            raise Breach(1007, "a binary message: only audio is binary, and only we send audio")
        message = parse(data)
        if message.path == "speech.config":
            message.json()
            self._configured = True
            return
        if message.path in _IGNORED:
            return
        if not self._configured:
            raise Breach(1007, f"{message.path} before speech.config")
        request_id = message.request_id
        if not request_id:
            raise Breach(1007, f"{message.path} without X-RequestId")
        match message.path:
            case "synthesis.context":
                self._context(request_id, message)
            case "ssml":
                self._ssml(request_id, message.body)
            case "text.piece" | "text.end":
                self._text(request_id, message)
            case "synthesis.control":
                if message.json().get("action") == "stop":
                    self._stop(request_id)
            case _:
                raise Breach(1007, f"{message.path} is not a message of this protocol")

    def _context(self, request_id: str, message: Message) -> None:
        synthesis = message.json().get("synthesis")
        if not isinstance(synthesis, dict) or not isinstance(synthesis.get("audio"), dict):
            raise Breach(1007, "synthesis.context: synthesis.audio is missing")
        if synthesis["audio"].get("outputFormat") not in RATES:
            format_ = synthesis["audio"].get("outputFormat")
            raise Breach(1007, f"Unsupported output format {format_}: the simulator speaks raw PCM")
        if request_id in self._contexts or request_id in self._past:
            raise Breach(1007, "synthesis.context: this X-RequestId was used before")
        self._contexts[request_id] = synthesis
        given = synthesis.get("input") or {}
        if not given.get("bidirectionalStreamingMode"):
            return
        if self.version == 1 and not self._switches.streaming_on_v1:
            raise Breach(1007, "Streamed text is for /cognitiveservices/websocket/v2")
        voice = str(given.get("voiceName") or "")
        self._check_voice(voice)
        if not takes_streamed_text(voice):
            raise Breach(1007, f"Unsupported voice {voice}: it takes no streamed text")
        manner = {k: str(v) for k, v in given.items() if k != "bidirectionalStreamingMode" and v}
        self._begin(request_id, voice, streaming=True, manner=manner)

    def _ssml(self, request_id: str, ssml: str) -> None:
        if request_id in self._turns or request_id in self._past:
            raise Breach(1007, "SSML is not taken in streaming mode, nor twice in a turn")
        if request_id not in self._contexts:
            raise Breach(1007, "ssml before its synthesis.context")
        document = read_ssml(ssml)
        for voice in document.voices:
            self._check_voice(voice)
        turn = self._begin(
            request_id, document.voices[0], streaming=False, manner=dict(document.manner)
        )
        turn.spoken.ssml, turn.spoken.text = ssml, document.text
        turn.push(f"{document.text} ")  # its last word is at its end
        turn.end()

    def _text(self, request_id: str, message: Message) -> None:
        turn = self._turns.get(request_id)
        if turn is None:
            if request_id in self._past:
                return  # it was stopped meanwhile
            raise Breach(1007, f"{message.path} without a turn in streaming mode")
        if turn.spoken.ssml is not None or turn.spoken.text_ended:
            raise Breach(1007, f"{message.path} in a turn whose text has ended")
        if message.path == "text.end":
            turn.end()
            return
        spoken = turn.spoken
        spoken.pieces.append(message.body)
        spoken.text += message.body
        if len(spoken.text.encode()) > MESSAGE_LIMIT:
            raise Breach(1007, f"The text of a turn cannot exceed {MESSAGE_LIMIT} bytes")
        if spoken.text.lstrip().startswith("<speak"):
            raise Breach(1007, "SSML is not taken in streaming mode")
        turn.push(message.body)

    def _check_voice(self, voice: str) -> None:
        if self._voices is not None and voice not in self._voices:
            raise Breach(1007, f"Unsupported voice {voice}.")

    def _begin(
        self, request_id: str, voice: str, *, streaming: bool, manner: dict[str, str]
    ) -> Turn:
        for other in [*self._turns]:
            self._turns[other].spoken.superseded = True
            if self._switches.abandoned == "cancelled":
                self._stop(other)
        audio = self._contexts.pop(request_id)["audio"]
        options = audio.get("metadataOptions") or {}
        wanted = Wanted(
            words=bool(options.get("wordBoundaryEnabled")),
            punctuation=bool(options.get("punctuationBoundaryEnabled")),
            session_end=bool(options.get("sessionEndEnabled")),
        )
        rate = RATES[audio["outputFormat"]]
        spoken = SpokenUtterance(self.number, request_id, voice, rate, streaming, manner)
        turn = Turn(
            spoken,
            wanted,
            self._socket,
            self._switches,
            self._recordings,
            keep_audio=self._keep_audio,
        )
        self._turns[request_id] = turn
        self._begun(spoken)
        self._tasks[request_id] = self._group.create_task(self._speak(request_id, turn))
        return turn

    async def _speak(self, request_id: str, turn: Turn) -> None:
        try:
            if self._switches.abandoned == "first":
                async with self._one_at_a_time:
                    await turn.run()
            else:
                await turn.run()
        except Breach as breach:
            turn.spoken.lose()
            await self._close(breach)
        except ConnectionError:
            turn.spoken.lose()
        except asyncio.CancelledError:
            if turn.spoken.outcome != "stopped":
                turn.spoken.lose()
                raise
            with contextlib.suppress(ConnectionError):
                await turn.end_messages()
        self._turns.pop(request_id, None)
        self._past.add(request_id)
        await self._idle()
        self._tasks.pop(request_id, None)

    def _stop(self, request_id: str) -> None:
        if turn := self._turns.get(request_id):
            turn.spoken.outcome = "stopped"
            self._tasks[request_id].cancel()

    async def _idle(self) -> None:
        """Closes the socket after a turn, if a switch says so and nobody speaks."""
        if self._switches.idle_close_s is None or self._socket.closed:
            return
        turns = len(self._past)
        await asyncio.sleep(self._switches.idle_close_s)
        if not self._turns and len(self._past) == turns:
            await self._close(Breach(self._switches.idle_close_code, "closed by a switch, idle"))
