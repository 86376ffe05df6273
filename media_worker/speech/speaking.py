"""Speaks the turns of one call, one after the other, each while it is still being written.

A voice is tried in several ways: as a text stream, then clause by clause as SSML, then the fallback
voice. What has been heard of a turn is not said again; a way that failed is not tried again in the
same call, so that the agent does not change its voice with every sentence.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, assert_never

from media_worker.limits import FIRST_SOUND_S, NEXT_FIRST_SOUND_S, UNSPOKEN_CHARACTERS
from media_worker.speech.clauses import Clauses
from media_worker.speech.clips import Clip, Clips
from media_worker.speech.native import Kind
from media_worker.speech.scripts import Failed, Script, Told
from media_worker.speech.seams import Listener
from media_worker.speech.ssml import locale_of, ssml
from media_worker.speech.synthesizers import SpeechUnavailable, Synthesizer, Synthesizers, Utterance
from switchboard.agents import RealtimeSpeechAgent
from switchboard.speech_voice import SpeechVoice


@dataclass(frozen=True, slots=True)
class _Way:
    voice: SpeechVoice
    mode: Literal["stream", "ssml"]

    def kind(self, rate: int) -> Kind:
        return Kind(self.mode, self.voice.name, self.voice.endpoint_id, rate)


class Speaker:
    """The voice of one call; `run` does the speaking, the other methods never wait."""

    def __init__(
        self,
        agent: RealtimeSpeechAgent,
        rate: int,
        pool: Synthesizers,
        clips: Clips,
        listener: Listener,
    ) -> None:
        self._agent, self._rate = agent, rate
        self._pool, self._clips, self._listener = pool, clips, listener
        self._ways = deque(_ways(agent))
        self._tries = 0
        self._scripts: deque[Script] = deque()
        self._stir = asyncio.Event()
        self._synthesizer: Synthesizer | None = None

    # --- what is to be said -----------------------------------------------------------------------

    def begin(self, turn: str) -> None:
        """A turn that will be written."""
        self._scripts.append(Script(turn))
        self._stir.set()

    def write(self, turn: str, text: str) -> None:
        """More words of it."""
        if (script := self._script(turn)) is not None:
            script.text += text[: max(0, UNSPOKEN_CHARACTERS - len(script.text))]
            self._stir.set()

    def end(self, turn: str) -> None:
        """It is written; `Listener.spoken` follows when it is said."""
        if (script := self._script(turn)) is not None:
            script.ended = True
            self._stir.set()

    def say(self, turn: str, text: str) -> None:
        """A turn of fixed words: from a clip, if there is one; at once, if no other has words."""
        script = Script(turn, fixed=True, text=text, ended=True)
        if not any(other.text for other in self._scripts) and self._play_clip(script):
            return
        self._scripts.append(script)
        self._stir.set()

    def cancel(self, turn: str) -> None:
        """Not another sound of the turn; `Listener.spoken` does not come."""
        if (script := self._script(turn)) is not None:
            script.cancelled = True
            self._stir.set()

    def _script(self, turn: str) -> Script | None:
        return next((s for s in self._scripts if s.turn == turn and not s.cancelled), None)

    # --- saying it --------------------------------------------------------------------------------

    async def run(self) -> None:
        """Speaks for ever; a synthesizer is leased and connected before there is anything to
        say."""
        try:
            with suppress(SpeechUnavailable):  # the first turn will find out, and try other ways
                await self._lease()
            while True:
                while self._scripts:
                    script = self._scripts[0]
                    if not script.cancelled and not self._play_clip(script):
                        await self._speak(script)
                    self._scripts.popleft()
                self._stir.clear()
                await self._stir.wait()
        finally:
            await self._let_go()

    def _play_clip(self, script: Script) -> bool:
        clip = None
        if script.fixed:
            clip = self._clips.get(self._agent.voice, self._rate, script.text)
        if clip is None:
            return False
        self._listener.sound(script.turn, clip.pcm)
        for middle_ms, end in clip.words:
            self._listener.word(script.turn, end, middle_ms)
        self._listener.spoken(script.turn)
        return True

    async def _speak(self, script: Script) -> None:
        while self._ways and not script.cancelled:
            way = self._ways[0]
            try:
                await self._speak_in(way, script)
            except (Failed, SpeechUnavailable) as error:
                if self._synthesizer is not None:
                    self._synthesizer.healthy = False
                await self._let_go()
                self._listener.hoarse(str(error))
                self._ways.popleft()
                self._tries += 1
                if not self._ways:
                    self._listener.speechless(str(error))
                script.given = script.sought
                continue
            if not script.cancelled:
                self._keep_clip(way, script)
                self._listener.spoken(script.turn)
            return

    def _keep_clip(self, way: _Way, script: Script) -> None:
        if script.fixed and way.voice == self._agent.voice and script.words:
            clip = Clip(b"".join(script.pcm), tuple(script.words))
            self._clips.put(way.voice, self._rate, script.text, clip)

    async def _speak_in(self, way: _Way, script: Script) -> None:
        match way.mode:
            case "stream":
                await self._stream(script)
            case "ssml":
                await self._clauses(way, script)
            case _:
                assert_never(way.mode)

    async def _stream(self, script: Script) -> None:
        told = Told(script, self._listener, self._stir, self._rate)
        utterance: Utterance | None = None
        text_ended = False
        while not script.cancelled:
            self._stir.clear()
            if text := script.text[script.given :]:
                synthesizer = await self._lease()
                if utterance is None:
                    utterance = await synthesizer.speak_stream(told.hear)
                script.given += len(text)
                await synthesizer.write(text)
                told.given(len(text))
            elif script.ended and utterance is None:
                return
            elif script.ended and not text_ended:
                text_ended = True
                await (await self._lease()).end_text()
                told.complete()
            elif told.over():
                break
            else:
                await self._wait(told)
        if utterance is not None:
            await (await self._lease()).stop(utterance)

    async def _clauses(self, way: _Way, script: Script) -> None:
        voice = way.voice
        cutter = Clauses(voice.locale or locale_of(voice.name) or "en-US")
        ready: deque[str] = deque()
        read, flushed = script.given, False
        while not script.cancelled:
            self._stir.clear()
            ready.extend(cutter.push(script.text[read:]))
            read = len(script.text)
            if script.ended and not flushed:
                flushed = True
                ready.extend(cutter.flush())
            if ready:
                await self._say_clause(voice, script, ready.popleft())
            elif flushed:
                return
            else:
                await self._stir.wait()  # for more text

    async def _say_clause(self, voice: SpeechVoice, script: Script, clause: str) -> None:
        told = Told(script, self._listener, self._stir, self._rate)
        end = max(script.given, script.text.find(clause, script.given) + len(clause))
        script.given = end
        synthesizer = await self._lease()
        utterance = await synthesizer.speak_ssml(ssml(voice, clause), told.hear)
        told.given(len(clause))
        told.complete()
        while not script.cancelled:
            self._stir.clear()
            if told.over():
                script.sought = max(script.sought, end)
                break
            await self._wait(told)
        await synthesizer.stop(utterance)

    async def _wait(self, told: "Told") -> None:
        """Until something changes. Raises `Failed` when nothing has for too long."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(
                told.due_at(NEXT_FIRST_SOUND_S if self._tries else FIRST_SOUND_S)
            ):
                await self._stir.wait()
                return
        told.give_up()

    async def _lease(self) -> Synthesizer:
        if self._synthesizer is None:
            self._synthesizer = await self._pool.lease(self._ways[0].kind(self._rate))
        return self._synthesizer

    async def _let_go(self) -> None:
        synthesizer, self._synthesizer = self._synthesizer, None
        if synthesizer is not None:
            await self._pool.give_back(synthesizer)


def _ways(agent: RealtimeSpeechAgent) -> Iterator[_Way]:
    if agent.speaking == "stream" or (agent.speaking == "auto" and not agent.voice.needs_ssml):
        yield _Way(agent.voice, "stream")
    yield _Way(agent.voice, "ssml")
    if agent.fallback_voice is not None:
        yield _Way(agent.fallback_voice, "ssml")
