"""Who speaks when: Voice Live API reference 2026-07-15, turn_detection and response.cancel."""

import asyncio

from simulator.script import AgentScript, Reply, Utterance
from simulator.voice_live import VoiceLive
from simulator.voice_live_recognition import Recognition
from simulator.voice_live_replies import Replies
from simulator.voice_live_turns import Turns
from tests.simulator.test_voice_live_response import Paper
from tests.simulator.voice_live_client import Client, talking
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


def wordy(count: int) -> AgentScript:
    """An agent that says so many words."""
    return AgentScript((Reply(Utterance("word " * count)),), {})


async def ask(client: Client) -> None:
    await client.say(HELLO.pcm(24000))


def test_speech_over_a_response_cancels_it() -> None:
    async def scenario() -> None:
        async with VoiceLive([wordy(200)]) as service, talking(service) as client:
            await client.send("response.create")
            await client.until("response.audio.delta")
            await ask(client)
            done = await client.until("response.done")
            assert done["response"]["status"] == "cancelled"
            assert done["response"]["status_details"] == {
                "type": "cancelled",
                "reason": "turn_detected",
            }
            assert done["response"]["output"][0]["status"] == "incomplete"
            kinds = client.kinds()
            assert kinds.index("input_audio_buffer.speech_started") < kinds.index("response.done")
            (item, *_) = client.session.conversation.items
            assert 0 < len(item.text.split()) < 200

    run(scenario())


def test_without_interrupt_response_the_response_goes_on() -> None:
    async def scenario() -> None:
        async with VoiceLive([wordy(60)]) as service, talking(service) as client:
            await client.update(
                turn_detection={
                    "type": "azure_semantic_vad",
                    "interrupt_response": False,
                    "create_response": False,
                }
            )
            await client.send("response.create")
            await client.until("response.audio.delta")
            await ask(client)
            done = await client.until("response.done")
            assert done["response"]["status"] == "completed"
            assert len(client.session.responses) == 1

    run(scenario())


def test_auto_truncate_cuts_the_turn_where_an_immediate_playback_would_be() -> None:
    async def scenario() -> None:
        async with VoiceLive([wordy(200)]) as service, talking(service) as client:
            await client.update(
                turn_detection={
                    "type": "azure_semantic_vad",
                    "auto_truncate": True,
                    "appended_text_after_truncation": " [interrupted]",
                }
            )
            await client.send("response.create")
            await client.until("response.audio.delta")
            await asyncio.sleep(1.0)
            await ask(client)
            cut = await client.until("conversation.item.truncated")
            item = client.session.conversation.find(cut["item_id"])
            assert item is not None
            assert 1000 < cut["audio_end_ms"] < 1300
            assert item.text.endswith(" [interrupted]")

    run(scenario())


def test_cancelling_nothing_is_an_error_event_and_the_session_goes_on() -> None:
    async def scenario() -> None:
        async with VoiceLive() as service, talking(service) as client:
            await client.send("response.cancel", event_id="mine")
            error = (await client.until("error"))["error"]
            assert (error["code"], error["event_id"]) == ("response_cancel_not_active", "mine")
            await client.update(temperature=0.7)

    run(scenario())


def test_cancelling_a_response_names_the_client_as_the_reason() -> None:
    async def scenario() -> None:
        async with VoiceLive([wordy(50)]) as service, talking(service) as client:
            await client.send("response.create")
            created = await client.until("response.created")
            await client.send("response.cancel", response_id=created["response"]["id"])
            done = await client.until("response.done")
            assert done["response"]["status_details"]["reason"] == "client_cancelled"
            assert done["response"]["output"] == []

    run(scenario())
