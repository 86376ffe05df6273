"""One turn of simulated Speech: a text is spoken, while it arrives or all of it at once."""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from aiohttp import web

from simulator.audio import SAMPLE_BYTES, placeholder
from simulator.speech_service_speaking import Recording, Speaker, Spoken
from simulator.speech_service_switches import SpeechSwitches
from simulator.speech_service_wire import (
    AUDIO_LIMIT_S,
    Boundary,
    Breach,
    audio_message,
    boundary_metadata,
    text_message,
    ticks,
)

Outcome = Literal["speaking", "complete", "stopped", "lost"]


@dataclass
class SpokenUtterance:
    """What one turn asked for, and what it got; grows while it is spoken.

    Kept for tests: a client that leaves nothing behind has no utterance that is "speaking".
    """

    connection: int
    """Which of the service's connections, counted from 0."""
    request_id: str
    voice: str
    rate: int
    streaming: bool
    manner: dict[str, str] = field(default_factory=dict)
    """Style, prosody and so on: of the SSML, or of the streaming context."""
    ssml: str | None = None
    text: str = ""
    pieces: list[str] = field(default_factory=list)
    """Streamed text as it came."""
    text_ended: bool = False
    audio: bytearray = field(default_factory=bytearray)
    """What was sent, if the service keeps audio; else only `audio_bytes` tells."""
    audio_bytes: int = 0
    boundaries: list[Boundary] = field(default_factory=list)
    """Of every word that was spoken, whether the client asked for them or not."""
    began_at: float = 0.0
    """Loop time of the first text; `first_audio_at` of the first sound."""
    first_audio_at: float | None = None
    superseded: bool = False
    """Another turn began on the connection before this one had ended."""
    outcome: Outcome = "speaking"
    """"lost": the connection went away under it."""

    def lose(self) -> None:
        """The connection is gone."""
        if self.outcome == "speaking":
            self.outcome = "lost"

    @property
    def stopped(self) -> bool:
        """It was not spoken to its end, or nobody waited for it."""
        return self.superseded or self.outcome in ("stopped", "lost")

    @property
    def audio_ms(self) -> float:
        return self.audio_bytes / SAMPLE_BYTES * 1000 / self.rate


@dataclass(frozen=True)
class Wanted:
    """metadataOptions of the synthesis.context."""

    words: bool
    punctuation: bool
    session_end: bool

    def boundary(self, boundary: Boundary) -> bool:
        return self.words if boundary.kind == "WordBoundary" else self.punctuation


class Turn:
    """Speaks what `push` gets until `end`; `run` raises Breach where the connection must close."""

    def __init__(
        self,
        spoken: SpokenUtterance,
        wanted: Wanted,
        socket: web.WebSocketResponse,
        switches: SpeechSwitches,
        recordings: Sequence[Recording],
        *,
        keep_audio: bool,
    ) -> None:
        self.spoken = spoken
        self._wanted, self._socket, self._switches = wanted, socket, switches
        self._keep_audio = keep_audio
        self._speaker = Speaker(spoken.rate, recordings)
        self._texts: asyncio.Queue[str | None] = asyncio.Queue()
        self._stream_id = uuid.uuid4().hex.upper()
        self._coming: list[Boundary] = []
        self._untold: list[Boundary] = []

    def push(self, text: str) -> None:
        self._texts.put_nowait(text)

    def end(self) -> None:
        self.spoken.text_ended = True
        self._texts.put_nowait(None)

    async def run(self) -> None:
        text = await self._texts.get()
        switches, befallen = self._switches, self._befallen()
        self.spoken.began_at = asyncio.get_running_loop().time()
        if befallen and switches.close_before_audio is not None:
            raise Breach(switches.close_before_audio, "closed by a switch, before audio")
        await asyncio.sleep(switches.first_byte_s)
        await self._start()
        if befallen and switches.no_audio:
            await self._stall()
        while text is not None:
            await self._speak(self._speaker.push(text))
            text = await self._next()
        await self._speak(self._speaker.flush())
        if befallen and switches.endless is not None:
            await self._never_end(audio=switches.endless == "audio")
        await self._finish()

    async def end_messages(self) -> None:
        """Also after `run` was cancelled: the client is told that this was all."""
        if self._switches.empty_audio:
            await self._socket.send_bytes(self._audio(b""))
        await self._tell("turn.end", {})

    async def _next(self) -> str | None:
        """More text, or None at its end. A pause ends the word that was begun."""
        if not self._texts.empty():
            return self._texts.get_nowait()
        try:
            async with asyncio.timeout(self._switches.patience_s):
                return await self._texts.get()
        except TimeoutError:
            await self._speak(self._speaker.flush())
        return await self._texts.get()

    async def _start(self) -> None:
        context = {"serviceTag": uuid.uuid4().hex}
        await self._tell("turn.start", {"context": context})
        audio = {"type": "inline", "streamId": self._stream_id}
        await self._tell("response", {"context": context, "audio": audio})

    async def _speak(self, words: list[Spoken]) -> None:
        """Sends the words' audio in messages of at most `chunk_ms`, each after its boundaries."""
        self._coming += [boundary for word in words for boundary in word.boundaries]
        await self._send_audio(b"".join(word.pcm for word in words))

    async def _send_audio(self, pcm: bytes) -> None:
        rate = self.spoken.rate
        pcm = pcm[: max(0, AUDIO_LIMIT_S * rate * SAMPLE_BYTES - self.spoken.audio_bytes)]
        size = max(1, rate * self._switches.chunk_ms // 1000) * SAMPLE_BYTES
        for start in range(0, len(pcm), size):
            chunk = pcm[start : start + size]
            await self._due()
            samples = (self.spoken.audio_bytes + len(chunk)) // SAMPLE_BYTES
            self._reach(ticks(samples, rate))
            if self._switches.boundaries == "before_audio":
                await self._tell_boundaries()
            await self._socket.send_bytes(self._audio(chunk))
            self.spoken.audio_bytes += len(chunk)
            if self._keep_audio:
                self.spoken.audio += chunk
            await self._faults_after_audio()

    async def _due(self) -> None:
        """Waits until the next audio may be sent: the service is `speed` times real time."""
        now = asyncio.get_running_loop().time()
        if self.spoken.first_audio_at is None:
            self.spoken.first_audio_at = now
        ahead_s = self.spoken.audio_ms / 1000 / self._switches.speed
        await asyncio.sleep(max(0.0, self.spoken.first_audio_at + ahead_s - now))

    def _reach(self, end: int) -> None:
        """The words that begin before `end` (ticks) are spoken with the next audio."""
        reached = [boundary for boundary in self._coming if boundary.offset < end]
        del self._coming[: len(reached)]
        self.spoken.boundaries += reached
        self._untold += reached

    async def _tell_boundaries(self) -> None:
        asked = [boundary_metadata(b) for b in self._untold if self._wanted.boundary(b)]
        self._untold = []
        if asked and self._switches.boundaries != "never":
            await self._tell("audio.metadata", {"Metadata": asked})

    async def _faults_after_audio(self) -> None:
        switches, sent_ms = self._switches, self.spoken.audio_ms
        if not self._befallen():
            return
        if switches.close_after_ms is not None and sent_ms >= switches.close_after_ms:
            raise Breach(switches.close_code, "closed by a switch, in the middle of audio")
        if switches.stall_after_ms is not None and sent_ms >= switches.stall_after_ms:
            await self._stall()

    def _befallen(self) -> bool:
        """Whether the switches' faults concern this turn."""
        kind = "streaming" if self.spoken.streaming else "ssml"
        switches = self._switches
        return switches.only in (None, kind) and (
            not switches.only_voices or self.spoken.voice in switches.only_voices
        )

    async def _never_end(self, *, audio: bool) -> None:
        more = placeholder("and so on, and on, ", self.spoken.rate).pcm
        while audio and self.spoken.audio_ms < AUDIO_LIMIT_S * 1000:
            await self._send_audio(more)
        await self._stall()

    async def _stall(self) -> None:
        await asyncio.Event().wait()

    async def _finish(self) -> None:
        self._reach(ticks(self._speaker.samples, self.spoken.rate) + 1)
        await self._tell_boundaries()
        if self._wanted.session_end:
            offset = ticks(self.spoken.audio_bytes // SAMPLE_BYTES, self.spoken.rate)
            end = {"Type": "SessionEnd", "Data": {"Offset": offset}}
            await self._tell("audio.metadata", {"Metadata": [end]})
        self.spoken.outcome = "complete"
        await self.end_messages()

    def _audio(self, pcm: bytes) -> bytes:
        return audio_message(self.spoken.request_id, self._stream_id, pcm)

    async def _tell(self, path: str, body: dict[str, object]) -> None:
        await self._socket.send_str(text_message(path, self.spoken.request_id, body))
