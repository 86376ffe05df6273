"""Sources: Voice Live API reference 2026-07-15, client and server events."""

import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.audio import Clip
from simulator.script import AgentScript, Reply, ToolCall, Utterance
from simulator.voice_live import VoiceLive
from tests.simulator.voice_live_client import Client, talking
from tests.virtual_time import run

TYPES = (
    *("session.update", "response.create", "response.cancel", "input_audio_buffer.append"),
    *("input_audio_buffer.commit", "input_audio_buffer.clear", "conversation.item.create"),
    *("conversation.item.delete", "conversation.item.truncate", "conversation.item.retrieve"),
)
FIELDS = ("item_id", "audio_end_ms", "content_index", "response_id", "previous_item_id", "event_id")
KEYS = st.sampled_from(
    (
        *("type", "role", "content", "text", "id", "name", "call_id", "output", "voice", "tools"),
        *("turn_detection", "modalities", "output_audio_format", "input_audio_sampling_rate"),
        *("pre_generated_assistant_message", "instructions", "cancel_previous", "metadata"),
    )
)
HOURS = Utterance("When are you open on Saturday?")
TURN = [
    "input_audio_buffer.speech_started",
    "input_audio_buffer.speech_stopped",
    "input_audio_buffer.committed",
    "conversation.item.created",
    "conversation.item.input_audio_transcription.delta",
    "conversation.item.input_audio_transcription.completed",
    "response.created",
    "rate_limits.updated",
    "response.output_item.added",
    "conversation.item.created",
    "response.content_part.added",
]
ENDING = [
    "response.audio.done",
    "response.audio_transcript.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.done",
]


def script(*replies: Reply) -> AgentScript:
    return AgentScript(replies, {})


async def ask(client: Client, utterance: Utterance = HOURS, rate: int = 24000) -> None:
    """Says it, and lets 600 ms of silence follow."""
    await client.say(utterance.pcm(rate), rate)


def test_a_spoken_turn_is_answered_by_the_documented_events_in_their_order() -> None:
    async def scenario() -> None:
        async with VoiceLive() as service, talking(service) as client:
            service.know(HOURS)
            await client.update(input_audio_transcription={"model": "azure-speech"})
            client.seen.clear()
            await ask(client)
            done = await client.until("response.done")
            kinds = client.kinds()
            assert kinds[: len(TURN)] == TURN
            assert kinds[-len(ENDING) :] == ENDING
            between = set(kinds[len(TURN) : -len(ENDING)])
            assert between == {"response.audio_transcript.delta", "response.audio.delta"}
            assert done["response"]["status"] == "completed"
            assert done["response"]["usage"]["output_token_details"]["audio_tokens"] > 0
            said = client.session.conversation.items
            assert [item.kind for item in said] == ["user", "assistant"]
            assert said[1].text == "You said: When are you open on Saturday?"

    run(scenario())


@pytest.mark.parametrize("rate", [8000, 16000, 24000])
def test_the_service_hears_and_speaks_at_the_rates_it_was_told(rate: int) -> None:
    speaks = {8000: "pcm16_8000hz", 16000: "pcm16_16000hz", 24000: "pcm16"}[rate]

    async def scenario() -> None:
        async with VoiceLive() as service, talking(service) as client:
            service.know(HOURS)
            await client.update(input_audio_sampling_rate=rate, output_audio_format=speaks)
            await ask(client, rate=rate)
            await client.until("response.done")
            said = f"You said: {HOURS.text}"
            assert client.audio() == Utterance(said).pcm(rate)
            assert bytes(client.session.responses[0].audio) == client.audio()

    run(scenario())


def test_what_the_client_sent_can_be_compared_sample_by_sample() -> None:
    async def scenario() -> None:
        async with VoiceLive() as service, talking(service) as client:
            pcm = HOURS.pcm(24000)
            await client.say(pcm, then_silent_ms=0)
            await client.until("input_audio_buffer.speech_started")
            received = bytes(client.session.received)
            assert received[: len(pcm)] == pcm
            assert client.session.received_sha256 == hashlib.sha256(received).hexdigest()

    run(scenario())


def test_tools_are_called_and_their_output_is_answered() -> None:
    order = script(
        Reply(
            Utterance("Let me look."),
            calls=(ToolCall("get_order", {"id": "A 17"}), ToolCall("undeclared", {})),
        ),
        Reply(Utterance("It is on its way."), after="get_order"),
    )

    async def scenario() -> None:
        async with VoiceLive([order]) as service, talking(service) as client:
            await client.update(tools=[{"type": "function", "name": "get_order"}])
            await client.send("response.create")
            call = await client.until("response.function_call_arguments.done")
            assert (call["name"], call["arguments"]) == ("get_order", '{"id": "A 17"}')
            done = await client.until("response.done")
            kinds = [item["type"] for item in done["response"]["output"]]
            assert kinds == ["message", "function_call"]
            output = {"type": "function_call_output", "call_id": call["call_id"], "output": "sent"}
            await client.send("conversation.item.create", item=output)
            await client.until("conversation.item.created")
            await client.send("response.create")
            await client.until("response.done")
            assert client.session.responses[1].text == "It is on its way."

    run(scenario())


def test_a_greeting_is_spoken_word_by_word_and_joins_the_conversation() -> None:
    message = {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "text", "text": "Welcome!"}],
    }

    async def scenario() -> None:
        async with VoiceLive() as service, talking(service) as client:
            await client.send(
                "response.create", response={"pre_generated_assistant_message": message}
            )
            done = await client.until("response.audio_transcript.done")
            assert done["transcript"] == "Welcome!"
            assert [item.text for item in client.session.conversation] == ["Welcome!"]
            message["content"] = []
            await client.send(
                "response.create", response={"pre_generated_assistant_message": message}
            )
            assert "exactly one text" in (await client.until("error"))["error"]["message"]

    run(scenario())


def test_typed_digits_are_answered_like_words() -> None:
    async def scenario() -> None:
        async with VoiceLive() as service, talking(service) as client:
            item = {"type": "message", "role": "user"}
            content = [{"type": "input_text", "text": "The caller pressed 12#"}]
            await client.send("conversation.item.create", item={**item, "content": content})
            await client.send("response.create")
            await client.until("response.done")
            assert client.session.responses[0].text == "You said: The caller pressed 12#"

    run(scenario())


def test_push_to_talk_answers_only_when_asked() -> None:
    async def scenario() -> None:
        async with VoiceLive() as service, talking(service) as client:
            service.know(HOURS)
            await client.update(turn_detection=None)
            await client.send("input_audio_buffer.commit")
            assert (await client.until("error"))["error"]["code"] == (
                "input_audio_buffer_commit_empty"
            )
            await ask(client)
            await client.send("input_audio_buffer.commit")
            await client.until("conversation.item.created")
            await client.send("response.create")
            await client.until("response.done")
            assert "input_audio_buffer.speech_started" not in client.kinds()

    run(scenario())


def test_a_text_only_response_has_text_and_no_audio() -> None:
    async def scenario() -> None:
        async with VoiceLive() as service, talking(service) as client:
            await client.update(modalities=["text"])
            await client.send("response.create")
            assert (await client.until("response.text.done"))["text"] == "I did not catch that."
            await client.until("response.done")
            assert client.audio() == b""

    run(scenario())


def test_word_timestamps_come_if_asked_for() -> None:
    async def scenario() -> None:
        async with VoiceLive() as service, talking(service) as client:
            await client.update(output_audio_timestamp_types=["word"])
            await client.send("response.create")
            await client.until("response.done")
            stamps = [e for e in client.seen if e["type"] == "response.audio_timestamp.delta"]
            assert [stamp["text"] for stamp in stamps] == ["I", "did", "not", "catch", "that."]
            ends = [stamp["audio_offset_ms"] + stamp["audio_duration_ms"] for stamp in stamps]
            length_ms = len(client.audio()) / 48
            assert ends[-1] == pytest.approx(length_ms, abs=2)

    run(scenario())


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("{", "invalid_json"),
        ("[1]", "missing_required_parameter"),
        ('{"type": "session.dance"}', "invalid_value"),
        ('{"type": "input_audio_buffer.append", "audio": "!"}', "invalid_value"),
        ('{"type": "input_audio_buffer.append", "audio": "AAAA"}', "invalid_value"),
        ('{"type": "conversation.item.delete", "item_id": "x"}', "item_delete_invalid_item_id"),
        ('{"type": "response.create", "response": {"loud": true}}', "unknown_parameter"),
        ('{"type": "session.update", "session": {"voice": 3}}', "invalid_type"),
    ],
)
def test_a_wrong_message_is_an_error_event_and_the_session_goes_on(message: str, code: str) -> None:
    async def scenario() -> None:
        async with VoiceLive() as service, talking(service) as client:
            await client.socket.send_str(message)
            assert (await client.until("error"))["error"]["code"] == code
            assert client.session.errors[0]["code"] == code
            await client.update(temperature=0.7)

    run(scenario())


def test_a_clip_on_a_changed_line_is_still_recognised() -> None:
    """At another rate and level no byte is equal; the words are known by their loudness."""

    async def scenario() -> None:
        async with VoiceLive() as service, talking(service) as client:
            tune = Clip(Utterance("A tune with words").pcm(24000), 24000)
            service.know(Utterance("Hello tune", tune))
            pcm = Clip(tune.at(16000), 16000).at(24000)
            await client.say(pcm)
            await client.until("response.done")
            assert client.session.responses[0].text == "You said: Hello tune"

    run(scenario())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
EVENTS = st.fixed_dictionaries(
    {"type": st.sampled_from(TYPES)},
    optional=dict.fromkeys(("session", "response", "item", "audio", *FIELDS), JSON),
)


@settings(max_examples=60)
@given(st.lists(EVENTS | JSON, max_size=20))
def test_whatever_is_sent_the_session_goes_on(messages: list[object]) -> None:
    async def scenario() -> None:
        async with VoiceLive() as service, talking(service) as client:
            for message in messages:
                await client.socket.send_str(json.dumps(message))
            await client.send("conversation.item.retrieve", item_id="nobody at all", event_id="end")
            while (await client.next()).get("error", {}).get("event_id") != "end":
                pass

    run(scenario())
