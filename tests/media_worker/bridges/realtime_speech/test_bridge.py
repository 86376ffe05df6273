"""The bridge between the real native Speech SDK with its simulated service and a simulated Realtime
deployment, in real time: the SDK's threads know no other."""

import asyncio
import base64
import math
import random
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pytest

from media_worker.bridges import (
    AgentAudio,
    AgentSaid,
    AgentTurnEnded,
    AgentTurnStarted,
    Bridge,
    BridgeEvent,
    Failed,
    Notice,
    Ready,
    SpeechStarted,
)
from media_worker.bridges.connect import RealtimeAccess, http_session
from media_worker.bridges.endpoints import Endpoints
from media_worker.bridges.realtime_speech.bridge import RealtimeSpeech, open_realtime_speech
from media_worker.speech.clips import Clips
from media_worker.speech.native import NativeSynthesizer
from media_worker.speech.synthesizers import SpeechAccess, Synthesizers
from simulator.realtime import Realtime
from simulator.realtime_switches import RealtimeSwitches
from simulator.script import AgentScript, Reply, Utterance
from simulator.speech_service import Speech
from simulator.speech_service_switches import SpeechSwitches
from switchboard.agents import RealtimeSpeechAgent
from switchboard.speech_voice import BargeIn, SpeechVoice

PLAIN = RealtimeSpeechAgent("desk", SpeechVoice("en-US-AvaMultilingualNeural"), waiting=())
SHAPED = replace(PLAIN, voice=SpeechVoice("en-US-AvaMultilingualNeural", style="chat"))
ANSWER = "We are open from nine to six. On Saturdays we close at four, and on Sundays all day."


def word_list(text: str) -> list[str]:
    return text.replace(",", " ").replace(".", " ").split()


@dataclass
class Stage:
    """Both services and one bridge, with what it reported."""

    realtime: Realtime
    speech: Speech
    shared: RealtimeSpeech
    bridge: Bridge
    events: list[BridgeEvent] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, met: Callable[[], object], limit_s: float = 8.0) -> None:
        async with asyncio.timeout(limit_s):
            while not met():
                self.news.clear()
                await self.news.wait()

    async def read(self) -> None:
        async with aclosing(self.bridge.events()) as events:
            async for event in events:
                self.events.append(event)
                self.news.set()

    def ended(self, turn: str) -> bool:
        return any(isinstance(e, AgentTurnEnded) and e.turn == turn for e in self.events)

    def turns(self) -> list[str]:
        return [e.turn for e in self.events if isinstance(e, AgentTurnStarted)]

    def said(self, turn: str) -> str:
        return "".join(e.text for e in self.events if isinstance(e, AgentSaid) and e.turn == turn)

    def audio_ms(self, turn: str, rate: int = 24000) -> float:
        audio = [e.audio for e in self.events if isinstance(e, AgentAudio) and e.turn == turn]
        return sum(len(base64.b64decode(part)) for part in audio) / 2 / rate * 1000


@asynccontextmanager
async def staged(
    agent: RealtimeSpeechAgent,
    answers: tuple[str, ...] = (ANSWER,),
    speech_switches: SpeechSwitches | None = None,
    realtime_switches: RealtimeSwitches | None = None,
    rate: int = 24000,
) -> AsyncIterator[Stage]:
    script = AgentScript(tuple(Reply(Utterance(answer)) for answer in answers), {})
    async with (
        Realtime([script], realtime_switches) as realtime,
        Speech(speech_switches) as speech,
        http_session() as http,
    ):
        pool = Synthesizers(SpeechAccess(speech.url, speech.stream_url, speech.key))
        access = RealtimeAccess(http, Endpoints([realtime.url]), None, realtime.key)
        shared = RealtimeSpeech(access, pool, Clips())
        try:
            async with open_realtime_speech(agent, rate, shared) as bridge:
                stage = Stage(realtime, speech, shared, bridge)
                async with asyncio.TaskGroup() as tasks:
                    reading = tasks.create_task(stage.read())
                    yield stage
                    reading.cancel()
        finally:
            await pool.close()


def real(scenario: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(15):
            await scenario()

    asyncio.run(limited())


async def asked(stage: Stage) -> str:
    """Has the model answer; the turn."""
    await stage.until(lambda: any(isinstance(e, Ready) for e in stage.events))
    before = len(stage.turns())
    await stage.bridge.prompt("When are you open?", speaker="caller")
    await stage.until(lambda: len(stage.turns()) > before)
    return stage.turns()[-1]


def test_an_answer_is_spoken_while_it_is_being_written() -> None:
    async def scenario() -> None:
        async with staged(PLAIN) as stage:
            turn = await asked(stage)
            await stage.until(lambda: stage.audio_ms(turn))
            assert len(stage.said(turn)) < len(ANSWER)
            await stage.until(lambda: stage.ended(turn))
            assert stage.said(turn).strip() == ANSWER
            (spoken,) = stage.speech.utterances
            assert spoken.streaming
            assert word_list(spoken.text) == word_list(ANSWER)
            assert round(stage.audio_ms(turn)) == round(spoken.audio_bytes / 48)

    real(scenario)


def test_a_voice_with_a_style_speaks_clause_by_clause_in_order() -> None:
    async def scenario() -> None:
        async with staged(SHAPED) as stage:
            turn = await asked(stage)
            await stage.until(lambda: stage.ended(turn))
            spoken = list(stage.speech.utterances)
            assert len(spoken) > 1
            assert not any(one.streaming for one in spoken)
            assert all('style="chat"' in (one.ssml or "") for one in spoken)
            assert word_list(" ".join(one.text for one in spoken)) == word_list(ANSWER)

    real(scenario)


def test_an_interrupted_answer_is_remembered_as_the_words_that_were_heard() -> None:
    async def scenario() -> None:
        async with staged(PLAIN) as stage:
            turn = await asked(stage)
            await stage.until(lambda: stage.ended(turn))
            heard = await stage.bridge.interrupt(turn, 1200)
            (spoken,) = stage.speech.utterances
            middles = [
                (mark.offset + mark.duration / 2) / 10_000
                for mark in spoken.boundaries
                if mark.kind == "WordBoundary"
            ]
            words = sum(middle <= 1200 for middle in middles)
            assert 0 < words < len(middles)
            assert word_list(heard or "") == word_list(ANSWER)[:words]
            (session,) = stage.realtime.sessions
            await asyncio.sleep(0.2)
            items = session.conversation.report()
            assert [item["kind"] for item in items] == ["user", "assistant"]
            assert word_list(items[-1]["text"]) == word_list(ANSWER)[:words]
            assert not session.errors

    real(scenario)


def test_a_greeting_is_spoken_before_the_model_is_there_and_from_a_clip_the_next_time() -> None:
    agent = replace(PLAIN, greeting="Hello, you have reached Harbour Cycles.")

    async def scenario() -> None:
        async with staged(agent, realtime_switches=RealtimeSwitches(open_delay_s=1.0)) as stage:
            await stage.until(lambda: stage.ended("own-1"))
            assert not any(isinstance(e, Ready) for e in stage.events)
            first_ms = stage.audio_ms("own-1")
            await stage.until(lambda: any(isinstance(e, Ready) for e in stage.events))
            await asyncio.sleep(0.1)
            (session,) = stage.realtime.sessions
            (item,) = session.conversation.report()
            assert (item["kind"], item["text"]) == ("assistant", agent.greeting)

            began = asyncio.get_running_loop().time()
            async with open_realtime_speech(agent, 24000, stage.shared) as bridge:
                again = Stage(stage.realtime, stage.speech, stage.shared, bridge)
                async with asyncio.TaskGroup() as tasks:
                    reading = tasks.create_task(again.read())
                    await again.until(lambda: again.audio_ms("own-1"))
                    assert asyncio.get_running_loop().time() - began < 0.05
                    reading.cancel()
                assert again.audio_ms("own-1") == first_ms
            assert len([one for one in stage.speech.utterances if one.text.strip()]) == 1

    real(scenario)


def test_a_greeting_cut_short_before_the_model_is_there_is_told_to_it_as_heard() -> None:
    agent = replace(PLAIN, greeting="Hello, you have reached Harbour Cycles.")

    async def scenario() -> None:
        async with staged(agent, realtime_switches=RealtimeSwitches(open_delay_s=1.0)) as stage:
            await stage.until(lambda: stage.ended("own-1"))
            heard = await stage.bridge.interrupt("own-1", 900)
            assert heard
            assert heard != agent.greeting
            await stage.until(lambda: any(isinstance(e, Ready) for e in stage.events))
            await asyncio.sleep(0.1)
            (session,) = stage.realtime.sessions
            (item,) = session.conversation.report()
            assert item["text"] == heard

    real(scenario)


def test_an_answer_interrupted_while_it_is_written_is_cancelled_and_not_spoken_later() -> None:
    async def scenario() -> None:
        slow = RealtimeSwitches(delta_s=0.05)
        async with staged(
            PLAIN, ("One two three four five six seven. " * 6, "Bye."), None, slow
        ) as s:
            turn = await asked(s)
            await s.until(lambda: s.audio_ms(turn) > 300)
            heard = await s.bridge.interrupt(turn, 300)
            for _ in range(3):  # what was reported before is read
                await asyncio.sleep(0)
            sounded = s.audio_ms(turn)
            await s.until(lambda: s.ended(turn))
            second = await asked(s)
            await s.until(lambda: s.ended(second))
            assert s.audio_ms(turn) == sounded
            assert s.said(second).strip() == "Bye."
            assert word_list(s.speech.utterances[-1].text) == ["Bye"]
            (session,) = s.realtime.sessions
            items = session.conversation.report()
            assert [item["kind"] for item in items] == ["user", "assistant", "user", "assistant"]
            assert items[1]["text"] == heard
            assert not session.errors

    real(scenario)


@pytest.mark.parametrize(
    "failure",
    [
        SpeechSwitches(only="streaming", close_before_audio=1007),
        SpeechSwitches(only="streaming", no_audio=True),
        SpeechSwitches(refuse_status=503, refuse_next=2),
        SpeechSwitches(refuse_status=429, refuse_next=2),
    ],
    ids=["1007", "no audio", "503", "429"],
)
def test_a_voice_whose_text_stream_fails_speaks_clauses(failure: SpeechSwitches) -> None:
    async def scenario() -> None:
        async with staged(PLAIN, speech_switches=failure) as stage:
            turn = await asked(stage)
            began = asyncio.get_running_loop().time()
            await stage.until(lambda: stage.audio_ms(turn))
            assert asyncio.get_running_loop().time() - began < 3
            await stage.until(lambda: stage.ended(turn))
            spoken = [one for one in stage.speech.utterances if not one.streaming]
            assert word_list(" ".join(one.text for one in spoken)) == word_list(ANSWER)
            assert any(isinstance(e, Notice) and "speech:" in e.code for e in stage.events)

    real(scenario)


def test_a_voice_that_does_not_exist_is_replaced_by_the_fallback_voice() -> None:
    fallback = SpeechVoice("en-US-GuyNeural")
    agent = replace(PLAIN, voice=SpeechVoice("en-US-NobodyNeural"), fallback_voice=fallback)

    async def scenario() -> None:
        async with staged(agent) as stage:
            turn = await asked(stage)
            began = asyncio.get_running_loop().time()
            await stage.until(lambda: stage.audio_ms(turn))
            assert asyncio.get_running_loop().time() - began < 3
            await stage.until(lambda: stage.ended(turn))
            assert stage.speech.utterances[-1].voice == "en-US-GuyNeural"

    real(scenario)


@pytest.mark.parametrize(
    "failure",
    [
        SpeechSwitches(refuse_status=401),
        SpeechSwitches(no_audio=True),
        SpeechSwitches(close_before_audio=1000),
        SpeechSwitches(close_before_audio=1007),
        SpeechSwitches(close_before_audio=1011),
    ],
    ids=["401", "no audio", "1000", "1007", "1011"],
)
def test_a_speech_service_that_fails_for_good_is_given_up_within_three_seconds(
    failure: SpeechSwitches,
) -> None:
    async def scenario() -> None:
        async with staged(PLAIN, speech_switches=failure) as stage:
            await asked(stage)
            began = asyncio.get_running_loop().time()
            await stage.until(lambda: any(isinstance(e, Failed) for e in stage.events))
            assert asyncio.get_running_loop().time() - began < 3

    real(scenario)


@pytest.mark.parametrize("endless", ["audio", "silent"])
@pytest.mark.parametrize("agent", [PLAIN, SHAPED], ids=["stream", "clauses"])
def test_speech_that_never_ends_is_ended(
    agent: RealtimeSpeechAgent, endless: Literal["audio", "silent"]
) -> None:
    async def scenario() -> None:
        async with staged(agent, ("Goodbye then.",), SpeechSwitches(endless=endless)) as stage:
            turn = await asked(stage)
            await stage.until(lambda: stage.ended(turn))
            assert stage.audio_ms(turn) < 12_000

    real(scenario)


def test_a_voice_that_breaks_off_goes_on_with_the_words_that_are_left() -> None:
    async def scenario() -> None:
        broken = SpeechSwitches(close_after_ms=1500, only_voices=())
        async with staged(PLAIN, speech_switches=broken) as stage:
            turn = await asked(stage)
            await stage.until(lambda: any(isinstance(e, Notice) for e in stage.events))
            broken.close_after_ms = None
            await stage.until(lambda: stage.ended(turn))
            again = " ".join(one.text for one in stage.speech.utterances if not one.streaming)
            assert word_list(ANSWER)[-len(word_list(again)) :] == word_list(again)
            assert 0 < len(word_list(again)) < len(word_list(ANSWER))

    real(scenario)


def test_a_refused_model_is_a_failure_that_says_what_to_do() -> None:
    async def scenario() -> None:
        switches = RealtimeSwitches(deployments=("another",))
        async with staged(PLAIN, realtime_switches=switches) as stage:
            await stage.until(lambda: any(isinstance(e, Failed) for e in stage.events))
            assert isinstance(failed := stage.events[-1], Failed)
            assert failed.code == "http_404"
            assert "agents.toml" in failed.message

    real(scenario)


def test_a_call_at_16_khz_is_heard_at_24_and_answered_at_16() -> None:
    async def scenario() -> None:
        async with staged(PLAIN, rate=16000) as stage:
            turn = await asked(stage)
            frame = base64.b64encode(bytes(640))
            for _ in range(50):
                await stage.bridge.send_audio(frame)
            await stage.until(lambda: stage.ended(turn))
            (session,) = stage.realtime.sessions
            (spoken,) = stage.speech.utterances
            assert session.received_bytes == pytest.approx(48000, abs=960)
            assert spoken.rate == 16000

    real(scenario)


def test_loud_speech_is_noticed_by_the_level_although_the_service_says_nothing() -> None:
    agent = replace(PLAIN, barge_in=BargeIn("rms"))

    async def scenario() -> None:
        async with staged(agent) as stage:
            await stage.until(lambda: any(isinstance(e, Ready) for e in stage.events))
            noise = random.Random(1)
            loud = b"".join(
                noise.randint(-8000, 8000).to_bytes(2, "little", signed=True) for _ in range(480)
            )
            for pcm in [bytes(960)] * 30 + [loud] * 15:
                await stage.bridge.send_audio(base64.b64encode(pcm))
            await stage.until(lambda: any(isinstance(e, SpeechStarted) for e in stage.events))
            (started,) = [e for e in stage.events if isinstance(e, SpeechStarted)]
            assert started.utterance == ""

    real(scenario)


def test_no_call_of_the_sdk_runs_on_the_loops_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: set[str] = set()
    for name, method in list(vars(NativeSynthesizer).items()):
        if callable(method) and not name.startswith("_on") and name != "_of":

            def watched(*args: Any, _method: Any = method, **more: Any) -> Any:
                threads.add(threading.current_thread().name)
                return _method(*args, **more)

            monkeypatch.setattr(NativeSynthesizer, name, watched)

    async def scenario() -> None:
        async with staged(PLAIN) as stage:
            turn = await asked(stage)
            await stage.until(lambda: stage.audio_ms(turn))
            await stage.bridge.interrupt(turn, 100)

    real(scenario)
    assert threads
    assert all(name.startswith("speech") for name in threads)


def test_nothing_is_left_of_a_call() -> None:
    async def scenario() -> None:
        before = threading.active_count()
        async with staged(PLAIN) as stage:
            turn = await asked(stage)
            await stage.until(lambda: stage.audio_ms(turn))
        await asyncio.sleep(0.1)
        assert threading.active_count() <= before + 1
        assert {task.get_name() for task in asyncio.all_tasks()} & {
            "speaker",
            "conversation",
        } == set()

    real(scenario)


def test_an_answer_that_is_late_is_excused_by_the_waiting_phrase_and_then_heard() -> None:
    agent = replace(PLAIN, waiting=("One moment, please.",))
    speech = base64.b64encode(
        b"".join(
            int(9000 * math.sin(at / 12)).to_bytes(2, "little", signed=True) for at in range(480)
        )
    )
    silence = base64.b64encode(bytes(960))

    async def scenario() -> None:
        slow = RealtimeSwitches(first_token_s=4.0)
        async with staged(agent, realtime_switches=slow) as stage:
            await stage.until(lambda: any(isinstance(e, Ready) for e in stage.events))
            for frame in [silence] * 20 + [speech] * 40 + [silence] * 50:
                await stage.bridge.send_audio(frame)
            await stage.until(lambda: stage.ended("own-1"))
            assert stage.said("own-1") == "One moment, please."
            assert stage.audio_ms("own-1") > 500
            turn = next(name for name in stage.turns() if name != "own-1")
            assert not stage.audio_ms(turn)
            await stage.until(lambda: stage.ended(turn))
            assert stage.said(turn).strip() == ANSWER
            assert len([name for name in stage.turns() if name.startswith("own-")]) == 1

    real(scenario)
