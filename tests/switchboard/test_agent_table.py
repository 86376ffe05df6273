from typing import Any

import pytest

from switchboard.agent_table import agent_of_table
from switchboard.agents import RealtimeSpeechAgent, VoiceLiveAgent
from switchboard.speech_voice import BargeIn, SpeechVoice


def _agent(**table: Any) -> VoiceLiveAgent:
    if "model" not in table and "agent" not in table:
        table["model"] = "gpt-5.1"
    agent = agent_of_table("a", {"bridge": "voice_live", **table})
    assert isinstance(agent, VoiceLiveAgent)
    return agent


@pytest.mark.parametrize(
    ("written", "model", "wire"),
    [
        (None, "gpt-5.1", None),
        ("alloy", "gpt-realtime", {"type": "openai", "name": "alloy"}),
        ("en-US-AvaNeural", "m", {"type": "azure-standard", "name": "en-US-AvaNeural"}),
        ("denise", "azure-realtime", {"type": "azure-realtime-native", "name": "denise"}),
        (
            {"type": "azure-realtime-native"},
            "azure-realtime",
            {"type": "azure-realtime-native", "name": "ava"},
        ),
        (
            {"type": "azure-custom", "name": "n", "endpoint_id": "e", "rate": 1.1, "volume": 80},
            "m",
            # rate, pitch and volume are strings on the wire (Voice Live API reference)
            {
                "type": "azure-custom",
                "name": "n",
                "endpoint_id": "e",
                "rate": "1.1",
                "volume": "80",
            },
        ),
        (
            {"type": "azure-standard", "name": "n", "temperature": 0.5, "rate": "+10%"},
            "m",
            {"type": "azure-standard", "name": "n", "temperature": 0.5, "rate": "+10%"},
        ),
    ],
)
def test_a_voice_gets_its_wire_form(written: Any, model: str, wire: Any) -> None:
    table = {} if written is None else {"voice": written}
    assert _agent(model=model, **table).voice == wire


def test_what_an_owner_leaves_out_suits_a_phone() -> None:
    agent = _agent(model="gpt-5.1")
    assert agent.turn_detection == {"type": "azure_semantic_vad"}
    assert agent.noise_reduction == {"type": "azure_deep_noise_suppression"}
    assert agent.echo_cancellation == {"type": "server_echo_cancellation"}
    assert agent.transcription == {"model": "azure-speech"}
    assert agent == VoiceLiveAgent(name="a", model="gpt-5.1")


def test_gpt_realtime_models_get_a_transcriber_that_they_take() -> None:
    assert _agent(model="gpt-realtime-2.1").transcription == {"model": "gpt-4o-mini-transcribe"}
    assert _agent(model="azure-realtime").transcription == {"model": "azure-speech"}
    assert _agent(model="gpt-realtime", transcription={"language": "de"}).transcription == {
        "model": "gpt-4o-mini-transcribe",
        "language": "de",
    }


@pytest.mark.parametrize(
    ("key", "written", "wire"),
    [
        ("turn_detection", "server_vad", {"type": "server_vad"}),
        (
            "turn_detection",
            {"silence_duration_ms": 700.0, "threshold": 1.0},
            {"type": "azure_semantic_vad", "silence_duration_ms": 700, "threshold": 1.0},
        ),
        ("noise_reduction", False, None),
        ("noise_reduction", True, {"type": "azure_deep_noise_suppression"}),
        ("noise_reduction", "near_field", {"type": "near_field"}),
        ("noise_reduction", {"type": "far_field"}, {"type": "far_field"}),
        ("echo_cancellation", False, None),
        ("transcription", False, None),
        ("transcription", "whisper-1", {"model": "whisper-1"}),
    ],
)
def test_each_way_to_write_a_setting_has_one_wire_form(key: str, written: Any, wire: Any) -> None:
    assert getattr(_agent(**{key: written}), key) == wire


@pytest.mark.parametrize(
    ("table", "heard_truth"),
    [
        ({"model": "gpt-realtime"}, "truncate"),
        ({"model": "gpt-realtime-mini", "voice": "alloy"}, "truncate"),
        ({"model": "azure-realtime", "voice": "ava"}, "truncate"),
        ({"model": "gpt-realtime", "voice": "en-US-AvaNeural"}, "replace"),
        ({"model": "gpt-5.1"}, "replace"),
        ({"model": "gpt-5.1", "voice": "en-US-AvaNeural"}, "replace"),
        ({"model": "phi4-mm-realtime"}, "replace"),
        ({"project": "p", "agent": "a", "voice": "alloy"}, "replace"),
        ({"model": "gpt-realtime", "heard_truth": "service"}, "service"),
    ],
)
def test_heard_truth_follows_from_who_makes_the_audio(
    table: dict[str, Any], heard_truth: str
) -> None:
    assert _agent(**table).heard_truth == heard_truth


def test_a_foundry_agent_has_its_names_under_other_keys() -> None:
    agent = _agent(project="p", agent="desk", version=3)
    assert (agent.project, agent.agent_name, agent.agent_version) == ("p", "desk", "3")
    assert agent.model is None


def test_silence_keeps_the_defaults_that_are_not_replaced() -> None:
    silence = _agent(silence={"prompts": ["Hello?", "Anybody?"]}).silence
    assert silence.prompts == ("Hello?", "Anybody?")
    assert silence.prompt_after_s == 8


def test_the_shortest_agent_of_the_second_bridge_has_every_default() -> None:
    table = {"bridge": "realtime_speech", "voice": "en-US-AvaNeural"}
    assert agent_of_table("a", table) == RealtimeSpeechAgent("a", SpeechVoice("en-US-AvaNeural"))


def test_an_agent_of_the_second_bridge_is_read_as_written() -> None:
    table = {
        "bridge": "realtime_speech",
        "model": "ours",
        "voice": {"name": "en-US-AvaNeural", "style": "chat", "rate": 1.1, "volume": 80},
        "fallback_voice": "en-US-GuyNeural",
        "speaking": "clauses",
        "turn_detection": {"silence_duration_ms": 300.0},
        "noise_reduction": False,
        "transcription": {"model": "whisper", "language": "en"},
        "barge_in": {"sensor": "rms", "minimum_speech_ms": 80.0},
        "waiting": ["Hm."],
        "greeting": "Hello",
    }
    assert agent_of_table("a", table) == RealtimeSpeechAgent(
        "a",
        SpeechVoice("en-US-AvaNeural", style="chat", rate="1.1", volume="80"),
        model="ours",
        turn_detection={"type": "server_vad", "silence_duration_ms": 300},
        noise_reduction=None,
        transcription={"model": "whisper", "language": "en"},
        fallback_voice=SpeechVoice("en-US-GuyNeural"),
        speaking="clauses",
        barge_in=BargeIn("rms", minimum_speech_ms=80),
        waiting=("Hm.",),
        greeting="Hello",
    )
