"""Who speaks when; the wire between is in test_voice_live_session.py."""

import asyncio

from simulator.script import Utterance
from simulator.voice_live_recognition import Recognition
from simulator.voice_live_replies import Replies
from simulator.voice_live_turns import Turns
from tests.simulator.test_voice_live_response import Paper
from tests.virtual_time import run

HELLO = Utterance("Hello, it is me.")


def turns(paper: Paper) -> Turns:
    return Turns(paper, Replies(None, {}), Recognition([HELLO]))


def test_every_utterance_is_an_item_of_its_own_after_the_one_before() -> None:
    async def scenario() -> None:
        paper = Paper()
        async with asyncio.TaskGroup() as group:
            floor = turns(paper)
            floor.begin(group)
            for _ in range(2):
                await floor.speech_started(0)
                await floor.speech_stopped(900, HELLO.pcm(24000))
                await asyncio.sleep(20)
        committed = [f for _, kind, f in paper.sent if kind == "input_audio_buffer.committed"]
        items = [item.id for item in paper.conversation]
        assert [event["item_id"] for event in committed] == [items[0], items[2]]
        assert [event["previous_item_id"] for event in committed] == [None, items[1]]

    run(scenario())


def test_native_models_transcribe_only_if_asked() -> None:
    async def scenario() -> None:
        paper = Paper()
        async with asyncio.TaskGroup() as group:
            floor = turns(paper)
            floor.begin(group)
            await floor.speech_stopped(900, HELLO.pcm(24000))
            await asyncio.sleep(20)
        assert not [kind for kind in paper.kinds() if "transcription" in kind]
        assert paper.conversation.items[0].text == ""
        assert floor.responses[0].text == f"You said: {HELLO.text}"

    run(scenario())


def test_without_create_response_the_caller_is_transcribed_and_not_answered() -> None:
    async def scenario() -> None:
        paper = Paper()
        paper.config["turn_detection"]["create_response"] = False
        paper.config["input_audio_transcription"] = {"model": "azure-speech"}
        paper.switches.transcription = "after_response"
        async with asyncio.TaskGroup() as group:
            floor = turns(paper)
            floor.begin(group)
            await floor.speech_stopped(900, HELLO.pcm(24000))
        assert paper.conversation.items[0].text == HELLO.text
        assert floor.responses == []

    run(scenario())
