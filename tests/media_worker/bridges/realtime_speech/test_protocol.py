"""Against the Realtime API reference (GA) and the types of the openai client."""

import json
from typing import Any

import pytest
from openai.types.realtime import ConversationItemCreateEvent, SessionUpdateEvent

from media_worker.bridges.realtime_speech import protocol
from media_worker.tools import offered
from switchboard.agents import RealtimeSpeechAgent
from switchboard.speech_voice import BargeIn, Sensor, SpeechVoice

AGENT = RealtimeSpeechAgent("desk", SpeechVoice("en-US-AvaNeural"), instructions="Be kind.")


def session_of(agent: RealtimeSpeechAgent) -> dict[str, Any]:
    message = json.loads(protocol.session_update(agent, offered(person=False)))
    SessionUpdateEvent.model_validate(message)
    assert message["type"] == "session.update"
    session: dict[str, Any] = message["session"]
    return session


@pytest.mark.parametrize(
    ("endpoint", "base"),
    [
        ("https://ours.openai.azure.com/", "wss://ours.openai.azure.com"),
        ("http://127.0.0.1:8080", "ws://127.0.0.1:8080"),
    ],
)
def test_the_address_is_the_ga_one_without_api_version(endpoint: str, base: str) -> None:
    assert protocol.url(endpoint, "my model") == f"{base}/openai/v1/realtime?model=my+model"


def test_the_session_hears_24_khz_and_writes_text_only() -> None:
    session = session_of(AGENT)
    assert session["type"] == "realtime"
    assert session["output_modalities"] == ["text"]
    assert session["instructions"] == "Be kind."
    heard = session["audio"]["input"]
    assert heard["format"] == {"type": "audio/pcm", "rate": 24000}
    assert heard["noise_reduction"] == {"type": "far_field"}
    assert heard["transcription"] == {"model": "gpt-realtime-whisper"}
    assert [tool["name"] for tool in session["tools"]] == ["end_call"]
    assert "output" not in session["audio"]


@pytest.mark.parametrize(("sensor", "interrupts"), [("service", True), ("rms", False)])
def test_the_service_interrupts_by_itself_only_where_its_sensor_counts(
    sensor: Sensor, interrupts: bool
) -> None:
    agent = RealtimeSpeechAgent("a", SpeechVoice("v"), barge_in=BargeIn(sensor))
    detection = session_of(agent)["audio"]["input"]["turn_detection"]
    assert detection["interrupt_response"] is interrupts
    assert detection["create_response"] is True


@pytest.mark.parametrize(
    ("role", "kind"),
    [("assistant", "output_text"), ("user", "input_text"), ("system", "input_text")],
)
def test_a_message_has_the_content_of_its_role_and_its_place(role: Any, kind: str) -> None:
    message = json.loads(protocol.add_message(role, "Hello", "heard-1", "root"))
    ConversationItemCreateEvent.model_validate(message)
    assert message["previous_item_id"] == "root"
    assert message["item"]["id"] == "heard-1"
    assert message["item"]["content"] == [{"type": kind, "text": "Hello"}]
