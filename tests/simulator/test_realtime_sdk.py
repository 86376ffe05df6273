"""The real openai client (openai-python 3.54.0) against the simulated service.

Every event is also held against the client's own types, strictly: the client itself takes almost
anything.
"""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter
from websockets.exceptions import ConnectionClosed, InvalidStatus

from simulator.audio import frames, silence
from simulator.clock import wall_now
from simulator.identity import make_token
from simulator.realtime import Realtime
from simulator.realtime_switches import RealtimeSwitches
from simulator.script import AgentScript, Reply, ToolCall, Utterance
from tests.virtual_time import run

MODEL = "gpt-realtime-2.1-mini"
LONG = Reply(Utterance("word " * 100), to="hours")
TOOL = Reply(Utterance("One moment."), to="order", calls=(ToolCall("get_order", {"id": 7}),))
SENT = Reply(Utterance("It is on its way."), after="get_order")
SHOP = AgentScript((LONG, TOOL, SENT), {}, deployment=MODEL)
HOURS = Utterance("What are your hours?")
ORDER = Utterance("Where is my order?")
EVENTS: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)
UNKNOWN = (b"session.mood.changed", b"response.thought.delta")
SESSION: Any = {
    "type": "realtime",
    "output_modalities": ["text"],
    "instructions": "You are the front desk.",
    "audio": {
        "input": {
            "format": {"type": "audio/pcm", "rate": 24000},
            "noise_reduction": {"type": "far_field"},
            "transcription": {"model": "gpt-4o-mini-transcribe", "language": "en"},
            "turn_detection": {"type": "server_vad", "silence_duration_ms": 300},
        }
    },
    "tools": [{"type": "function", "name": "get_order", "parameters": {"type": "object"}}],
}


class Talk:
    """The client's connection, and every event it was sent."""

    def __init__(self, connection: AsyncRealtimeConnection) -> None:
        self.connection = connection
        self.seen: list[Any] = []

    async def until(self, kind: str) -> Any:
        async with asyncio.timeout(30):
            while True:
                data = await self.connection.recv_bytes()
                if not any(kind in data for kind in UNKNOWN):
                    EVENTS.validate_json(data)
                event = self.connection.parse_event(data)
                self.seen.append(event)
                if event.type == kind:
                    return event

    async def say(self, utterance: Utterance, then_silent_ms: float = 400) -> None:
        for frame in frames(utterance.pcm(24000) + silence(then_silent_ms, 24000), 24000):
            await self.connection.input_audio_buffer.append(audio=base64.b64encode(frame).decode())
            await asyncio.sleep(0.02)

    def kinds(self) -> list[str]:
        kinds = [event.type for event in self.seen]
        return [kind for i, kind in enumerate(kinds) if i == 0 or kinds[i - 1] != kind]


@asynccontextmanager
async def connected(service: Realtime, key: Any = None, model: str = MODEL) -> AsyncIterator[Talk]:
    """With the service's key unless told otherwise; `key` may be a provider of tokens."""
    client = AsyncOpenAI(base_url=f"{service.url}/openai/v1", api_key=key or service.key)
    async with client, client.realtime.connect(model=model) as connection:
        talk = Talk(connection)
        await talk.until("session.created")
        yield talk


@asynccontextmanager
async def in_text(service: Realtime) -> AsyncIterator[Talk]:
    service.know(HOURS)
    service.know(ORDER)
    async with connected(service) as talk:
        await talk.connection.session.update(session=SESSION)
        await talk.until("session.updated")
        yield talk


def test_the_real_client_holds_a_conversation() -> None:
    async def scenario() -> None:
        async with Realtime() as service, in_text(service) as talk:
            await talk.say(HOURS)
            done = await talk.until("response.done")
            assert done.response.status == "completed"
            text = done.response.output[0].content[0].text
            assert text == f"You said: {HOURS.text}"
            kind = "conversation.item.input_audio_transcription.completed"
            told = next((event for event in talk.seen if event.type == kind), None)
            assert (told or await talk.until(kind)).transcript == HOURS.text
            assert service.sessions[0].errors == []

    run(scenario())


def test_the_real_client_calls_a_tool_and_tells_what_it_brought() -> None:
    async def scenario() -> None:
        async with Realtime([SHOP]) as service, in_text(service) as talk:
            await talk.say(ORDER)
            call = await talk.until("response.function_call_arguments.done")
            assert (call.name, call.arguments) == ("get_order", '{"id": 7}')
            await talk.until("response.done")
            await talk.connection.conversation.item.create(
                item={"type": "function_call_output", "call_id": call.call_id, "output": "sent"}
            )
            await talk.until("conversation.item.done")
            await talk.connection.response.create()
            assert (await talk.until("response.output_text.done")).text == "It is on its way."
            await talk.until("response.done")

    run(scenario())


def test_the_real_client_is_interrupted_and_puts_the_history_right() -> None:
    switches = RealtimeSwitches(transcription_s=0.1)

    async def scenario() -> None:
        async with Realtime([SHOP], switches) as service, in_text(service) as talk:
            await talk.say(HOURS)
            await talk.until("response.output_text.delta")
            async with asyncio.TaskGroup() as group:
                group.create_task(talk.say(ORDER))
                done = await talk.until("response.done")
            assert done.response.status_details.reason == "turn_detected"
            item = done.response.output[0]
            assert item.status == "incomplete"
            before = service.sessions[0].conversation.items[0].id
            items = talk.connection.conversation.item
            await items.delete(item_id=item.id)
            await items.create(
                previous_item_id=before,
                item={
                    "type": "message",
                    "role": "assistant",
                    "content": [{"type": "output_text", "text": "word word"}],
                },
            )
            await talk.until("response.done")
            said = [(item.kind, item.text) for item in service.sessions[0].conversation][:3]
            assert said == [
                ("user", HOURS.text),
                ("assistant", "word word"),
                ("user", ORDER.text),
            ]

    run(scenario())


def test_a_cancellation_that_comes_too_late_is_an_error_and_no_more() -> None:
    async def scenario() -> None:
        async with Realtime() as service, in_text(service) as talk:
            await talk.connection.response.cancel()
            assert (await talk.until("error")).error.code == "response_cancel_not_active"
            await talk.connection.response.create()
            await talk.until("response.output_text.delta")
            await talk.connection.response.cancel()
            details = (await talk.until("response.done")).response.status_details
            assert (details.type, details.reason) == ("cancelled", "client_cancelled")

    run(scenario())


@pytest.mark.parametrize("code", ["server_error", "rate_limit_exceeded", "content_filter"])
def test_the_real_client_takes_every_end_of_a_response(code: Any) -> None:
    switches = RealtimeSwitches(fail_after_deltas=2, fail_code=code, unknown_events=True)

    async def scenario() -> None:
        async with Realtime([SHOP], switches) as service, in_text(service) as talk:
            await talk.connection.response.create()
            response = (await talk.until("response.done")).response
            if code == "content_filter":
                assert (response.status, response.status_details.reason) == ("incomplete", code)
            else:
                assert response.status_details.error.code == code

    run(scenario())


def test_the_real_client_hears_that_the_session_expired() -> None:
    async def scenario() -> None:
        switches = RealtimeSwitches(session_s=60)
        async with Realtime(switches=switches) as service, connected(service) as talk:
            created = talk.seen[0].session
            assert created.expires_at == int(wall_now() + 60)
            async with asyncio.timeout(90):
                error = EVENTS.validate_json(await talk.connection.recv_bytes())
                assert error.error.code == "session_expired"
                with pytest.raises(ConnectionClosed) as closed:
                    await talk.connection.recv_bytes()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1001

    run(scenario())


def test_tokens_are_taken_from_a_provider_and_checked() -> None:
    async def token(audience: str = "https://ai.azure.com", lifetime_s: float = 3600) -> str:
        return make_token(audience, now=wall_now(), lifetime_s=lifetime_s)

    async def scenario() -> None:
        async with Realtime() as service:
            async with connected(service, key=token):
                pass
            wrong: list[Any] = [
                lambda: token("https://storage.azure.com"),
                lambda: token(lifetime_s=-1),
            ]
            for provider in wrong:
                with pytest.raises(InvalidStatus) as refused:
                    async with connected(service, key=provider):
                        pass
                assert refused.value.response.status_code == 401

    run(scenario())
