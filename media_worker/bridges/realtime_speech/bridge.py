"""The bridge that thinks in text: Azure OpenAI Realtime hears and writes, Azure Speech speaks.

Tasks run beside the call: one speaks (`speaking.py`), one holds the conversation with the model
(`conversation.py` says what), one looks after an answer that is late (`lateness.py`). What they
have to report meets in one queue, which is what `events()` reads. The voice does not wait for the
model: a greeting is on its way before the model's session is open.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Literal, assert_never

import pybase64

from media_worker.bridges import Bridge, BridgeEvent, Failed, Notice
from media_worker.bridges.connect import RealtimeAccess, Socket, connect
from media_worker.bridges.realtime_speech import protocol
from media_worker.bridges.realtime_speech.conversation import Conversation
from media_worker.bridges.realtime_speech.lateness import (
    AskAgain,
    Excuse,
    GiveUp,
    Lateness,
    Remedy,
)
from media_worker.bridges.realtime_speech.resampler import Resampler
from media_worker.bridges.realtime_speech.sensor import LevelSensor
from media_worker.bridges.session import ServiceSession
from media_worker.limits import WAITING_POLL_S
from media_worker.speech.clips import Clips
from media_worker.speech.rendering import render
from media_worker.speech.speaking import Speaker
from media_worker.speech.synthesizers import Synthesizers
from media_worker.tools import Tool
from switchboard.agents import RealtimeSpeechAgent
from switchboard.record import TurnRecord


@dataclass(frozen=True)
class RealtimeSpeech:
    """What the calls of a process share: both services, and what was rendered before."""

    realtime: RealtimeAccess
    pool: Synthesizers
    clips: Clips


def open_realtime_speech(
    agent: RealtimeSpeechAgent,
    rate: int,
    shared: RealtimeSpeech,
    earlier: Sequence[TurnRecord] = (),
    tools: Sequence[Tool] = (),
) -> AbstractAsyncContextManager[Bridge]:
    """The bridge for one call; see `OpenBridge`. `earlier`: the turns in the call's record, when
    another worker carried it before: the model is told, and nobody is greeted again. `tools`: what
    the model may call."""
    return _opened(agent, rate, shared, earlier, tools)


@asynccontextmanager
async def _opened(
    agent: RealtimeSpeechAgent,
    rate: int,
    shared: RealtimeSpeech,
    earlier: Sequence[TurnRecord],
    tools: Sequence[Tool],
) -> AsyncIterator[Bridge]:
    async with asyncio.TaskGroup() as tasks:
        bridge = RealtimeSpeechBridge(agent, rate, shared, earlier, tools, tasks)
        try:
            yield bridge
        finally:
            await bridge.close()


class RealtimeSpeechBridge:
    """See `Bridge`. One task reads `events()`; any task may call the rest."""

    def __init__(
        self,
        agent: RealtimeSpeechAgent,
        rate: int,
        shared: RealtimeSpeech,
        earlier: Sequence[TurnRecord],
        tools: Sequence[Tool],
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._agent, self._rate, self._shared, self._tasks = agent, rate, shared, tasks
        self._events: asyncio.Queue[BridgeEvent] = asyncio.Queue()
        self._sensor = LevelSensor(agent.barge_in, rate, asyncio.get_running_loop().time)
        report = self._events.put_nowait
        self._talk = Conversation(agent, rate, report, earlier, self._sensor, tools)
        self._speaker = Speaker(agent, rate, shared.pool, shared.clips, self._talk)
        self._talk.speaker = self._speaker
        self._resampler = None if rate == protocol.RATE else Resampler(rate, protocol.RATE)
        # Resumed from the first: the bridge greets by itself.
        self._session = ServiceSession(self._talk, self._connect, protocol.RATE, resumed=True)
        self._running: list[asyncio.Task[None]] = []
        self.renew = self._session.renew

    async def _connect(self) -> Socket:
        return await connect(
            self._shared.realtime, lambda endpoint: protocol.url(endpoint, self._agent.model)
        )

    # --- the caller's way -------------------------------------------------------------------------

    async def send_audio(self, audio: bytes) -> None:
        """See `Bridge`."""
        if (event := self._sensor.hear(audio)) is not None:
            self._events.put_nowait(event)
        if self._resampler is not None:
            pcm = self._resampler.push(pybase64.b64decode(audio))
            audio = pybase64.b64encode(pcm)
        await self._session.send_audio(audio)

    async def interrupt(self, turn: str, heard_ms: int) -> str | None:
        """See `Bridge`."""
        messages, heard = self._talk.interrupt(turn, heard_ms)
        await self._session.send(messages)
        return heard

    async def cancel(self, turn: str) -> None:
        """See `Bridge`."""
        await self._session.send(self._talk.cancel(turn))

    async def say(self, text: str) -> None:
        """See `Bridge`."""
        await self._session.send(self._talk.say(text))

    async def prompt(self, text: str, *, speaker: Literal["caller", "system"]) -> None:
        """See `Bridge`."""
        await self._session.send(self._talk.prompt(text, speaker))

    async def answer(self, call: str, output: str, *, react: bool) -> None:
        """See `Bridge`."""
        await self._session.send(self._talk.answer(call, output, react=react))

    def apology(self) -> bytes | None:
        """See `Bridge`: from a clip, for no service may be there to speak."""
        clip = self._shared.clips.get(self._agent.voice, self._rate, self._agent.apology)
        return None if clip is None else pybase64.b64encode(clip.pcm)

    async def close(self) -> None:
        """Ends the tasks and the connection, when nobody sends any more."""
        for task in self._running:
            task.cancel()
        await self._session.close()

    # --- the agent's way --------------------------------------------------------------------------

    async def events(self) -> AsyncGenerator[BridgeEvent, None]:
        """See `Bridge`."""
        self._talk.greet()
        runs = {
            "speaker": self._speaker.run,
            "conversation": self._converse,
            "lateness": self._see_to_answers,
        }
        for name, run in runs.items():
            self._running.append(self._tasks.create_task(run(), name=name))
        while True:
            event = await self._events.get()
            yield event
            if isinstance(event, Failed):
                return

    async def _converse(self) -> None:
        """Reports what the model's session reports, until it has failed."""
        async with aclosing(self._session.events()) as events:
            async for event in events:
                self._events.put_nowait(event)

    async def _see_to_answers(self) -> None:
        """Sees to it that the caller does not wait for nothing. The waiting phrases are said from
        clips only: making them would delay the answer."""
        pool, clips, voice = self._shared.pool, self._shared.clips, self._agent.voice
        for text in self._agent.waiting:
            await render(pool, clips, voice, self._rate, text)
        lateness = Lateness(len(self._agent.waiting))
        while True:
            await asyncio.sleep(WAITING_POLL_S)
            remedies = lateness.passed(
                WAITING_POLL_S,
                waits=self._talk.owes_answer,
                playing=self._sensor.playing,
                answering=self._talk.is_answering,
                failed=self._talk.debt.failed,
            )
            for remedy in remedies:
                await self._mend(remedy)

    async def _mend(self, remedy: Remedy) -> None:
        match remedy:
            case Excuse(number):
                text = self._agent.waiting[number]
                if self._shared.clips.get(self._agent.voice, self._rate, text) is not None:
                    await self.say(text)
            case AskAgain():
                self._events.put_nowait(Notice("warning", "answer_late"))
                await self._session.send(self._talk.ask_again())
            case GiveUp():
                mend = "the model gives no answer: check its deployment, its quota and its load"
                self._events.put_nowait(Failed("no_answer", mend))
            case _:
                assert_never(remedy)
