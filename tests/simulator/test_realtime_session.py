"""Sources: OpenAI Realtime API reference (GA), client and server events."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.audio import frames
from simulator.realtime import Realtime
from simulator.script import AgentScript, Reply, ToolCall, Utterance
from tests.simulator.realtime_client import Client, connected, talking
from tests.virtual_time import run

HOURS = Utterance("When are you open on Saturday?")
TURN = [
    "input_audio_buffer.speech_started",
    "input_audio_buffer.speech_stopped",
    "input_audio_buffer.committed",
    "conversation.item.added",
    "conversation.item.done",
    "response.created",
    "rate_limits.updated",
]
TYPES = (
    *("session.update", "response.create", "response.cancel", "input_audio_buffer.append"),
    *("input_audio_buffer.commit", "input_audio_buffer.clear", "conversation.item.create"),
    *("conversation.item.delete", "conversation.item.truncate", "conversation.item.retrieve"),
)
KEYS = st.sampled_from(
    (
        *("type", "role", "content", "text", "id", "name", "call_id", "output", "tools", "audio"),
        *("turn_detection", "output_modalities", "input", "format", "rate", "transcription"),
        *("conversation", "instructions", "metadata", "model", "max_output_tokens"),
    )
)


def message(role: str, text: str, **fields: Any) -> dict[str, Any]:
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}], **fields}


async def create(client: Client, item: dict[str, Any], after: str | None = None) -> str | None:
    """Creates an item; returns the id of the one that the service says is before it."""
    await client.send("conversation.item.create", item=item, previous_item_id=after)
    added = await client.until("conversation.item.added")
    done = await client.until("conversation.item.done")
    assert done["item"] == added["item"]
    before: str | None = added["previous_item_id"]
    return before


def said(client: Client) -> list[tuple[str, str]]:
    return [(item.kind, item.text) for item in client.session.conversation]


def test_a_session_is_created_with_what_the_reference_says() -> None:
    async def scenario() -> None:
        async with Realtime() as service, connected(service) as client:
            session = client.seen[0]["session"]
            assert (session["object"], session["type"]) == ("realtime.session", "realtime")
            assert session["output_modalities"] == ["audio"]
            assert session["audio"]["input"]["format"] == {"type": "audio/pcm", "rate": 24000}
            assert session["expires_at"] == client.session.expires_at

    run(scenario())


def test_a_spoken_turn_is_answered_in_text_by_the_documented_events() -> None:
    async def scenario() -> None:
        async with Realtime() as service, talking(service) as client:
            service.know(HOURS)
            await client.say(HOURS.pcm(24000))
            await client.until("response.done")
            assert client.kinds()[: len(TURN)] == TURN
            assert client.text() == f"You said: {HOURS.text}"
            items = client.session.conversation.items
            assert [item.kind for item in items] == ["user", "assistant"]
            added = [e for e in client.seen if e["type"] == "conversation.item.added"]
            assert [event["previous_item_id"] for event in added] == [None, items[0].id]

    run(scenario())


def test_what_the_client_sent_can_be_compared_sample_by_sample() -> None:
    async def scenario() -> None:
        async with Realtime() as service, talking(service) as client:
            pcm = b"".join(frames(HOURS.pcm(24000), 24000))
            await client.say(pcm, then_silent_ms=0)
            await client.until("input_audio_buffer.speech_started")
            received = bytes(client.session.received)
            assert received[: len(pcm)] == pcm
            assert client.session.received_sha256 == hashlib.sha256(received).hexdigest()

    run(scenario())


def test_words_that_were_not_heard_are_replaced_in_their_place() -> None:
    async def scenario() -> None:
        async with Realtime() as service, talking(service) as client:
            await create(client, message("user", "Hello", id="asked"))
            await client.send("response.create")
            done = await client.until("response.done")
            unheard = done["response"]["output"][0]["id"]
            await create(client, message("user", "Wait", id="next"))
            await client.send("conversation.item.delete", item_id=unheard)
            await client.until("conversation.item.deleted")
            assert await create(client, message("assistant", "You"), after="asked") == "asked"
            assert said(client) == [("user", "Hello"), ("assistant", "You"), ("user", "Wait")]

    run(scenario())


def test_an_item_that_is_gone_can_be_neither_deleted_nor_followed() -> None:
    async def scenario() -> None:
        async with Realtime() as service, talking(service) as client:
            await client.send("conversation.item.delete", item_id="gone")
            assert (await client.refused())["code"] == "item_delete_invalid_item_id"
            item = message("assistant", "Hello")
            await client.send("conversation.item.create", item=item, previous_item_id="gone")
            assert (await client.refused())["code"] == "invalid_previous_item_id"
            assert said(client) == []
            assert await create(client, message("system", "Be kind."), after="root") is None

    run(scenario())


def test_text_cannot_be_truncated() -> None:
    async def scenario() -> None:
        async with Realtime() as service, talking(service) as client:
            await create(client, message("assistant", "Hello", id="a"))
            await client.send(
                "conversation.item.truncate", item_id="a", content_index=0, audio_end_ms=100
            )
            assert "audio messages can be truncated" in (await client.refused())["message"]
            await client.send("conversation.item.retrieve", item_id="a")
            assert (await client.until("conversation.item.retrieved"))["item"]["id"] == "a"

    run(scenario())


def test_a_tool_is_called_and_what_it_brought_is_answered() -> None:
    order = AgentScript(
        (
            Reply(Utterance("One moment."), calls=(ToolCall("get_order", {"id": 7}),)),
            Reply(Utterance("It is on its way."), after="get_order"),
        ),
        {},
    )

    async def scenario() -> None:
        async with Realtime([order]) as service, talking(service) as client:
            await client.update(tools=[{"type": "function", "name": "get_order"}])
            await client.send("response.create")
            call = await client.until("response.function_call_arguments.done")
            done = await client.until("response.done")
            kinds = [item["type"] for item in done["response"]["output"]]
            assert kinds == ["message", "function_call"]
            output = {"type": "function_call_output", "call_id": call["call_id"], "output": "{}"}
            await create(client, output)
            await client.send("response.create")
            await client.until("response.done")
            assert client.session.responses[1].text == "It is on its way."
            await client.send("conversation.item.create", item={**output, "call_id": "call_0"})
            assert "call_0" in (await client.refused())["message"]

    run(scenario())


def test_push_to_talk_answers_only_when_asked() -> None:
    async def scenario() -> None:
        async with Realtime() as service, talking(service, turn_detection=None) as client:
            service.know(HOURS)
            await client.send("input_audio_buffer.commit")
            error = await client.refused()
            assert error["code"] == "input_audio_buffer_commit_empty"
            assert "0.00ms" in error["message"]
            await client.say(HOURS.pcm(24000))
            await client.send("input_audio_buffer.clear")
            await client.until("input_audio_buffer.cleared")
            await client.say(HOURS.pcm(24000))
            await client.send("input_audio_buffer.commit")
            await client.until("conversation.item.done")
            await client.send("response.create")
            await client.until("response.done")
            assert "input_audio_buffer.speech_started" not in client.kinds()
            assert len(client.session.conversation.items) == 2

    run(scenario())


def test_a_wrong_update_changes_nothing_and_the_session_goes_on() -> None:
    async def scenario() -> None:
        async with Realtime() as service, talking(service) as client:
            await client.send("session.update", session={"modalities": ["text"]}, event_id="e1")
            error = await client.refused()
            assert error["message"] == "Missing required parameter: 'session.type'."
            assert error["event_id"] == "e1"
            session = {"type": "realtime", "instructions": "Be rude.", "temperature": 1}
            await client.send("session.update", session=session)
            assert (await client.refused())["param"] == "session.temperature"
            told = (await client.update())["session"]
            assert told["instructions"] == ""

    run(scenario())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
FIELDS = ("item_id", "audio_end_ms", "content_index", "response_id", "previous_item_id", "event_id")
EVENTS = st.fixed_dictionaries(
    {"type": st.sampled_from(TYPES)},
    optional=dict.fromkeys(("session", "response", "item", "audio", *FIELDS), JSON),
)


@pytest.mark.timeout(20)
@settings(max_examples=60)
@given(st.lists(EVENTS | JSON, max_size=20))
def test_whatever_is_sent_the_session_goes_on(messages: list[object]) -> None:
    async def scenario() -> None:
        async with Realtime() as service, talking(service) as client:
            for told in messages:
                await client.socket.send_str(json.dumps(told))
            await client.send("conversation.item.retrieve", item_id="nobody at all", event_id="end")
            while (await client.next()).get("error", {}).get("event_id") != "end":
                pass

    run(scenario())
