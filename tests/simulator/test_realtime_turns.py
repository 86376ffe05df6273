"""Who speaks when: OpenAI Realtime API reference (GA), turn_detection and response.cancel."""

import asyncio
from typing import Any

import pytest

from simulator.audio import silence
from simulator.realtime import Realtime
from simulator.realtime_switches import RealtimeSwitches
from simulator.script import AgentScript, Reply, Utterance
from tests.simulator.realtime_client import Client, connected, talking
from tests.virtual_time import run

HELLO = Utterance("Hello, it is me.")
LONG = AgentScript((Reply(Utterance("word " * 200)),), {})
VAD: dict[str, Any] = {"type": "server_vad"}
IDLE = {**VAD, "idle_timeout_ms": 8000}


def service(*scripts: AgentScript, **switches: Any) -> Realtime:
    made = Realtime(scripts, RealtimeSwitches(**switches))
    made.know(HELLO)
    return made


async def greet(client: Client, then_silent_ms: float = 600) -> None:
    await client.say(HELLO.pcm(24000), then_silent_ms=then_silent_ms)


def test_speech_cancels_the_response_that_is_being_written() -> None:
    async def scenario() -> None:
        async with service(LONG) as realtime, talking(realtime) as client:
            await client.send("response.create")
            await client.until("response.output_text.delta")
            client.seen.clear()
            await greet(client)
            done = (await client.until("response.done"))["response"]
            assert done["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
            kinds = client.kinds()
            assert kinds.index("input_audio_buffer.speech_started") < kinds.index("response.done")
            assert client.session.errors == []

    run(scenario())


def test_a_response_that_is_complete_before_the_caller_speaks_is_not_cancelled() -> None:
    async def scenario() -> None:
        async with service(LONG, delta_s=0) as realtime, talking(realtime) as client:
            await client.send("response.create")
            await client.until("response.done")
            await greet(client)
            assert client.session.responses[0].status == "completed"
            await client.until("response.done")

    run(scenario())


def test_without_interrupt_response_the_answer_goes_on_and_the_caller_gets_none() -> None:
    async def scenario() -> None:
        detection = {**VAD, "interrupt_response": False}
        async with (
            service(LONG) as realtime,
            talking(realtime, turn_detection=detection) as client,
        ):
            await client.send("response.create")
            await client.until("response.output_text.delta")
            await greet(client)
            error = await client.refused()
            assert error["code"] == "conversation_already_has_active_response"
            done = (await client.until("response.done"))["response"]
            assert done["status"] == "completed"
            assert len(client.session.responses) == 1

    run(scenario())


def test_without_create_response_the_caller_is_heard_and_not_answered() -> None:
    async def scenario() -> None:
        detection = {**VAD, "create_response": False}
        async with service() as realtime, talking(realtime, turn_detection=detection) as client:
            await greet(client)
            await client.until("conversation.item.done")
            await asyncio.sleep(5)
            assert client.session.responses == []
            await client.send("response.create")
            await client.until("response.done")

    run(scenario())


def test_a_second_response_is_refused_while_the_first_is_written() -> None:
    async def scenario() -> None:
        async with service(LONG) as realtime, talking(realtime) as client:
            await client.send("response.create")
            first = (await client.until("response.created"))["response"]["id"]
            await client.send("response.create")
            error = await client.refused()
            assert error["code"] == "conversation_already_has_active_response"
            assert error["message"].startswith(
                f"Conversation already has an active response in progress: {first}."
            )
            aside = {"conversation": "none", "input": [], "metadata": {"topic": "aside"}}
            await client.send("response.create", response=aside)
            told = (await client.until("response.created"))["response"]
            assert (told["conversation_id"], told["metadata"]) == (None, {"topic": "aside"})
            await client.send("response.cancel", response_id=told["id"])
            done = (await client.until("response.done"))["response"]
            assert (done["id"], done["status"]) == (told["id"], "cancelled")
            await client.send("response.cancel")
            assert (await client.until("response.done"))["response"]["id"] == first

    run(scenario())


def test_cancelling_what_is_over_or_unknown_is_an_error_and_no_more() -> None:
    async def scenario() -> None:
        async with service(delta_s=0) as realtime, talking(realtime) as client:
            await client.send("response.create")
            done = (await client.until("response.done"))["response"]
            for wanted in ({}, {"response_id": done["id"]}, {"response_id": "resp_0"}):
                await client.send("response.cancel", event_id="race", **wanted)
                error = await client.refused()
                assert error["code"] == "response_cancel_not_active"
                assert error["event_id"] == "race"
            await client.send("response.create")
            await client.until("response.done")

    run(scenario())


def test_audio_output_is_refused_plainly() -> None:
    async def scenario() -> None:
        async with service() as realtime, connected(realtime) as client:
            await client.send("response.create")
            error = await client.refused()
            assert error["code"] == "not_simulated"
            assert "output_modalities" in error["message"]
            await greet(client)
            assert (await client.refused())["code"] == "not_simulated"

    run(scenario())


@pytest.mark.parametrize(("eagerness", "waits_ms"), [("high", 300), ("low", 1000)])
def test_an_eager_model_answers_sooner(eagerness: str, waits_ms: int) -> None:
    async def scenario() -> None:
        detection = {"type": "semantic_vad", "eagerness": eagerness}
        async with service() as realtime, talking(realtime, turn_detection=detection) as client:
            await greet(client, then_silent_ms=1500)
            stopped = await client.until("input_audio_buffer.speech_stopped")
            spoke_ms = len(HELLO.pcm(24000)) / 48
            assert stopped["audio_end_ms"] - spoke_ms == pytest.approx(waits_ms, abs=60)

    run(scenario())


def test_after_a_long_silence_the_model_speaks_again() -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        async with service() as realtime, talking(realtime, turn_detection=IDLE) as client:
            await client.send("response.create")
            await client.until("response.done")
            done_at = loop.time()
            async with asyncio.TaskGroup() as group:
                group.create_task(client.say(silence(9000, 24000), then_silent_ms=0))
                fired = await client.until("input_audio_buffer.timeout_triggered")
            assert loop.time() - done_at == pytest.approx(9, abs=0.1)
            assert fired["audio_end_ms"] - fired["audio_start_ms"] == pytest.approx(8000, abs=100)
            committed = await client.until("input_audio_buffer.committed")
            assert committed["item_id"] == fired["item_id"]
            assert (await client.until("response.done"))["response"]["status"] == "completed"

    run(scenario())


def test_speech_and_further_responses_put_the_idle_prompt_off() -> None:
    async def scenario() -> None:
        async with service() as realtime, talking(realtime, turn_detection=IDLE) as client:
            await client.send("response.create")
            await client.until("response.done")
            await asyncio.sleep(7)
            await greet(client)
            await client.until("response.done")
            await asyncio.sleep(7)
            await client.send("response.create")
            await client.until("response.done")
            await asyncio.sleep(7)
            assert len(client.session.responses) == 3
            await client.until("input_audio_buffer.timeout_triggered")

    run(scenario())
