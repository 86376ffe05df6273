"""Field names are those of Microsoft Learn, "Voice Live API reference (2026-07-15)"."""

import json
from typing import Any

import pytest

from media_worker.bridges.voice_live import protocol
from media_worker.tools import END_CALL, offered
from switchboard.agents import HeardTruth, VoiceLiveAgent

TOOLS = offered(person=False)
MODEL = VoiceLiveAgent(
    name="desk",
    model="gpt-realtime-2.1",
    instructions="You are the desk.",
    temperature=0.7,
    voice={"type": "azure-standard", "name": "en-US-Ava:DragonHDLatestNeural"},
)
FOUNDRY = VoiceLiveAgent(
    name="desk", project="shop", agent_name="front desk", instructions=None, agent_version="3"
)


def session_of(agent: VoiceLiveAgent, rate: int = 24000) -> dict[str, Any]:
    message = json.loads(protocol.session_update(agent, rate, "20261123-abc", TOOLS))
    assert message["type"] == "session.update"
    session: dict[str, Any] = message["session"]
    return session


def test_model_mode_is_addressed_by_its_model() -> None:
    assert (
        protocol.url("https://res.services.ai.azure.com/", "2026-07-15", MODEL)
        == "wss://res.services.ai.azure.com/voice-live/realtime"
        "?api-version=2026-07-15&model=gpt-realtime-2.1"
    )


def test_agent_mode_is_addressed_by_agent_and_project() -> None:
    address = protocol.url("http://127.0.0.1:8080", "2026-07-15", FOUNDRY, conversation="c 1")
    assert address == (
        "ws://127.0.0.1:8080/voice-live/realtime?api-version=2026-07-15&agent-name=front+desk"
        "&agent-project-name=shop&agent-version=3&conversation-id=c+1"
    )


def test_a_model_gets_the_whole_agent() -> None:
    session = session_of(MODEL)
    assert session["instructions"] == "You are the desk."
    assert session["temperature"] == 0.7
    assert session["voice"] == MODEL.voice
    assert session["input_audio_noise_reduction"] == {"type": "azure_deep_noise_suppression"}
    assert session["input_audio_echo_cancellation"] == {"type": "server_echo_cancellation"}
    assert session["input_audio_transcription"] == {"model": "azure-speech"}
    assert [tool["name"] for tool in session["tools"]] == [END_CALL.name]
    assert session["metadata"] == {"call_id": "20261123-abc"}


def test_only_azure_voices_are_asked_to_time_their_words() -> None:
    assert session_of(MODEL)["output_audio_timestamp_types"] == ["word"]
    openai = VoiceLiveAgent(name="a", model="m", voice={"type": "openai", "name": "alloy"})
    assert "output_audio_timestamp_types" not in session_of(openai)


def test_a_foundry_agent_keeps_its_own_instructions_and_tools() -> None:
    assert not {"instructions", "tools", "temperature"} & session_of(FOUNDRY).keys()


@pytest.mark.parametrize(("rate", "output"), [(24000, "pcm16"), (16000, "pcm16_16000hz")])
def test_both_directions_run_at_the_rate_of_the_phone(rate: int, output: str) -> None:
    session = session_of(MODEL, rate)
    assert session["input_audio_format"] == "pcm16"
    assert session["input_audio_sampling_rate"] == rate
    assert session["output_audio_format"] == output


@pytest.mark.parametrize(
    ("truth", "auto_truncate"), [("service", True), ("truncate", False), ("replace", False)]
)
def test_the_service_truncates_only_when_it_is_asked_to(
    truth: HeardTruth, auto_truncate: bool
) -> None:
    agent = VoiceLiveAgent(name="a", model="m", heard_truth=truth)
    assert session_of(agent)["turn_detection"] == {
        "type": "azure_semantic_vad",
        "create_response": True,
        "interrupt_response": True,
        "auto_truncate": auto_truncate,
    }


def test_openais_own_detector_is_not_told_of_truncation() -> None:
    agent = VoiceLiveAgent(name="a", model="m", turn_detection={"type": "semantic_vad"})
    assert "auto_truncate" not in session_of(agent)["turn_detection"]


def test_raw_fields_win_but_cannot_break_the_audio_or_the_goodbye() -> None:
    agent = VoiceLiveAgent(
        name="a",
        model="m",
        session={
            "max_response_output_tokens": 500,
            "input_audio_noise_reduction": None,
            "output_audio_format": "g711_ulaw",
            "tools": [{"type": "mcp", "server_label": "shop"}],
        },
    )
    session = session_of(agent)
    assert session["max_response_output_tokens"] == 500
    assert session["input_audio_noise_reduction"] is None
    assert session["output_audio_format"] == "pcm16"
    assert [tool.get("name") for tool in session["tools"]] == [None, END_CALL.name]


def test_exact_words_are_a_pre_generated_message() -> None:
    (message,) = protocol.say_exactly("Welcome!", "ask-1")
    assert json.loads(message) == {
        "type": "response.create",
        "event_id": "ask-1",
        "response": {
            "pre_generated_assistant_message": {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "text", "text": "Welcome!"}],
            }
        },
    }


def test_the_models_own_greeting_is_a_system_item_and_a_response() -> None:
    item, response = (json.loads(m) for m in protocol.say_by_model("Welcome!", "ask-2"))
    assert item["type"] == "conversation.item.create"
    assert item["item"]["role"] == "system"
    assert item["item"]["content"][0]["type"] == "input_text"
    assert "Welcome!" in item["item"]["content"][0]["text"]
    assert response == {"type": "response.create", "event_id": "ask-2"}


def test_the_remaining_messages_have_their_documented_form() -> None:
    assert json.loads(protocol.truncate("i1", 0, 1234)) == {
        "type": "conversation.item.truncate",
        "item_id": "i1",
        "content_index": 0,
        "audio_end_ms": 1234,
    }
    assert json.loads(protocol.add_message("assistant", "Hi", after="i0")) == {
        "type": "conversation.item.create",
        "previous_item_id": "i0",
        "item": {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "text", "text": "Hi"}],
        },
    }
