import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from media_worker.speech.clips import Clips
from media_worker.speech.speaking import Speaker
from media_worker.speech.synthesizers import Synthesizers
from simulator.speech_service import Speech
from simulator.speech_service_switches import SpeechSwitches
from switchboard.agents import RealtimeSpeechAgent
from switchboard.speech_voice import SpeechVoice
from tests.media_worker.speech_stage import VOICE, pooled, real

PLAIN = RealtimeSpeechAgent("desk", SpeechVoice(VOICE))


class Listener:
    """Notes what is spoken."""

    def __init__(self) -> None:
        self.heard: dict[str, bytes] = {}
        self.done: list[str] = []
        self.codes: list[str] = []
        self.lost: list[str] = []
        self.words: list[tuple[str, int]] = []

    def sound(self, turn: str, pcm: bytes) -> None:
        self.heard[turn] = self.heard.get(turn, b"") + pcm

    def word(self, turn: str, end: int, middle_ms: float) -> None:
        self.words.append((turn, end))

    def spoken(self, turn: str) -> None:
        self.done.append(turn)

    def hoarse(self, code: str) -> None:
        self.codes.append(code)

    def speechless(self, code: str) -> None:
        self.lost.append(code)

    async def until_done(self, turn: str) -> None:
        async with asyncio.timeout(5):
            while turn not in self.done:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def speaking(
    agent: RealtimeSpeechAgent = PLAIN,
    switches: SpeechSwitches | None = None,
    clips: Clips | None = None,
) -> AsyncIterator[tuple[Speaker, Listener, Speech, Synthesizers]]:
    listener = Listener()
    async with pooled(switches) as (pool, speech):
        speaker = Speaker(agent, 24000, pool, clips or Clips(), listener)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(speaker.run())
            yield speaker, listener, speech, pool
            running.cancel()


def test_turns_are_spoken_one_after_the_other_whatever_comes_first() -> None:
    async def scenario() -> None:
        async with speaking() as (speaker, listener, speech, _):
            speaker.begin("r1")
            speaker.begin("r2")
            speaker.write("r2", "Second.")
            speaker.end("r2")
            await asyncio.sleep(0.1)
            speaker.write("r1", "First.")
            speaker.end("r1")
            await listener.until_done("r2")
            assert listener.done == ["r1", "r2"]
            assert [one.text.strip() for one in speech.utterances] == ["First.", "Second."]

    real(scenario)


def test_a_turn_without_words_is_said_at_once_and_troubles_no_synthesizer() -> None:
    async def scenario() -> None:
        async with speaking() as (speaker, listener, speech, _):
            speaker.begin("r1")
            speaker.end("r1")
            await listener.until_done("r1")
            assert not speech.utterances

    real(scenario)


def test_a_cancelled_turn_makes_no_more_sound_and_the_next_is_not_kept_waiting() -> None:
    async def scenario() -> None:
        async with speaking(switches=SpeechSwitches(speed=2.0)) as (speaker, listener, speech, _):
            speaker.begin("r1")
            speaker.write("r1", "A long answer that goes on for quite a while, without an end. ")
            async with asyncio.timeout(3):
                while not listener.heard.get("r1"):
                    await asyncio.sleep(0.01)
            speaker.cancel("r1")
            length = len(listener.heard["r1"])
            speaker.begin("r2")
            speaker.write("r2", "Yes.")
            speaker.end("r2")
            await listener.until_done("r2")
            assert len(listener.heard["r1"]) == length
            assert "r1" not in listener.done
            assert speech.utterances[-1].text.strip() == "Yes."

    real(scenario)


def test_fixed_words_are_rendered_once() -> None:
    async def scenario() -> None:
        clips = Clips()
        async with speaking(clips=clips) as (speaker, listener, speech, _):
            speaker.say("own-1", "Are you still there?")
            await listener.until_done("own-1")
            speaker.say("own-2", "Are you still there?")
            assert listener.done == ["own-1", "own-2"]  # at once
            assert listener.heard["own-1"] == listener.heard["own-2"]
            ends = [[end for turn, end in listener.words if turn == own] for own in listener.heard]
            assert ends[0] == ends[1]
            assert len(speech.utterances) == 1

    real(scenario)


def test_a_way_that_failed_is_not_tried_again_in_the_same_call() -> None:
    async def scenario() -> None:
        switches = SpeechSwitches(only="streaming", close_before_audio=1007)
        async with speaking(switches=switches) as (speaker, listener, speech, _):
            for turn in ("r1", "r2"):
                speaker.begin(turn)
                speaker.write(turn, "Hello there.")
                speaker.end(turn)
                await listener.until_done(turn)
            assert listener.codes == ["BadRequest"]
            assert [one.streaming for one in speech.utterances] == [True, False, False]

    real(scenario)


def test_when_no_voice_is_left_that_is_said_once() -> None:
    async def scenario() -> None:
        agent = replace(PLAIN, fallback_voice=SpeechVoice("en-US-GuyNeural"))
        switches = SpeechSwitches(close_before_audio=1007)
        async with speaking(agent, switches) as (speaker, listener, _, _):
            speaker.say("own-1", "Hello there.")
            async with asyncio.timeout(3):
                while not listener.lost:
                    await asyncio.sleep(0.01)
            assert (len(listener.codes), listener.lost) == (3, ["BadRequest"])
            assert listener.done == []

    real(scenario)
