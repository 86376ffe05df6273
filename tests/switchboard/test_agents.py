import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard.agents import (
    BRIDGES,
    Agent,
    AgentError,
    RealtimeSpeechAgent,
    Silence,
    VoiceLiveAgent,
    agent_from_json,
    agent_to_json,
)
from switchboard.speech_voice import BargeIn, SpeechVoice

_scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
_json: st.SearchStrategy[Any] = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_tables = st.dictionaries(st.text(min_size=1), _json, max_size=4)
_seconds = st.floats(1, 120)


@st.composite
def agents(draw: st.DrawFn) -> Agent:
    in_model_mode = draw(st.booleans())
    mode: dict[str, Any] = (
        {
            "model": draw(st.text()),
            "instructions": draw(st.none() | st.text()),
            "temperature": draw(st.none() | st.floats(0, 1.2)),
        }
        if in_model_mode
        else {
            "project": draw(st.text()),
            "agent_name": draw(st.text()),
            "agent_version": draw(st.none() | st.text()),
        }
    )
    return VoiceLiveAgent(
        name=draw(st.text()),
        voice=draw(st.none() | _tables),
        turn_detection=draw(_tables),
        noise_reduction=draw(st.none() | _tables),
        echo_cancellation=draw(st.none() | _tables),
        transcription=draw(st.none() | _tables),
        session=draw(_tables),
        greeting=draw(st.none() | st.text()),
        silence=Silence(
            draw(_seconds), tuple(draw(st.lists(st.text(), max_size=3))), draw(st.text())
        ),
        goodbye=draw(st.text()),
        apology=draw(st.text()),
        max_call_minutes=draw(st.floats(0.1, 60)),
        transcript=draw(st.booleans()),
        heard_truth=draw(st.sampled_from(("truncate", "replace", "service"))),
        **mode,
    )


_voices = st.builds(
    SpeechVoice,
    st.text(),
    locale=st.none() | st.text(),
    style=st.none() | st.text(),
    style_degree=st.none() | st.floats(0.01, 2),
    rate=st.none() | st.text(),
    endpoint_id=st.none() | st.text(),
)
_speech_agents = st.builds(
    RealtimeSpeechAgent,
    st.text(),
    _voices,
    instructions=st.none() | st.text(),
    turn_detection=_tables,
    noise_reduction=st.none() | _tables,
    transcription=st.none() | _tables,
    fallback_voice=st.none() | _voices,
    speaking=st.sampled_from(("auto", "stream", "clauses")),
    barge_in=st.builds(
        BargeIn, st.sampled_from(("service", "rms", "both")), st.floats(-80, 0), st.integers()
    ),
    waiting=st.lists(st.text(), max_size=3).map(tuple),
    greeting=st.none() | st.text(),
)


@given(agents() | _speech_agents)
def test_an_agent_comes_back_from_its_snapshot_as_it_was(agent: Agent) -> None:
    snapshot = agent_to_json(agent)
    assert agent_from_json(snapshot) == agent
    assert agent_from_json(json.loads(json.dumps(snapshot))) == agent


def test_a_snapshot_shares_nothing_with_its_agent() -> None:
    agent = VoiceLiveAgent(name="a", model="gpt-realtime", session={"tools": [{"name": "x"}]})
    snapshot: Any = agent_to_json(agent)
    snapshot["session"]["tools"][0]["name"] = "changed"
    assert agent.session == {"tools": [{"name": "x"}]}


def test_a_neighbouring_versions_snapshot_is_understood() -> None:
    newer = {**agent_to_json(VoiceLiveAgent(name="a", model="m")), "new_setting": 1}
    assert agent_from_json(newer) == VoiceLiveAgent(name="a", model="m")
    older = {"name": "a", "bridge": "voice_live", "model": "m"}
    assert agent_from_json(older) == VoiceLiveAgent(name="a", model="m")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            {"bridge": "semaphore"},
            r"agent.bridge: 'semaphore' is not known here, only voice_live, realtime_speech",
        ),
        ({"bridge": None}, "agent.bridge"),
        ({"greeting": 3}, "agent.greeting: a int"),
        ({"transcript": "yes"}, "agent.transcript"),
        ({"max_call_minutes": True}, "agent.max_call_minutes"),
        ({"voice": "alloy"}, "agent.voice"),
        ({"turn_detection": None}, "agent.turn_detection"),
        ({"silence": {"prompts": "a"}}, "agent.silence.prompts"),
        ({"silence": []}, "agent.silence"),
        ({"heard_truth": "guess"}, "agent.heard_truth"),
        ({"heard_truth": []}, "agent.heard_truth"),
        ({"model": None}, "either model, or project and agent_name"),
        ({"project": "p", "agent_name": "a"}, "either model, or project and agent_name"),
        ({"session": {1: 2}}, "agent.session"),
    ],
)
def test_what_is_no_snapshot_is_refused_by_its_field(
    change: dict[str, Any], complaint: str
) -> None:
    snapshot = agent_to_json(VoiceLiveAgent(name="a", model="m"))
    with pytest.raises(AgentError, match=complaint):
        agent_from_json({**snapshot, **change})


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"voice": "en-US-AvaNeural"}, r"agent\.voice"),
        ({"voice": {"style": "chat"}}, r"agent\.voice\.name: missing"),
        ({"voice": {"name": "v", "style_degree": "much"}}, r"agent\.voice\.style_degree"),
        ({"fallback_voice": {"name": 1}}, r"agent\.fallback_voice\.name"),
        ({"speaking": "softly"}, r"agent\.speaking"),
        ({"barge_in": {"sensor": "ears"}}, r"agent\.barge_in\.sensor"),
        ({"barge_in": {"threshold_dbfs": True}}, r"agent\.barge_in\.threshold_dbfs"),
        ({"waiting": "one moment"}, r"agent\.waiting"),
        ({"model": None}, r"agent\.model"),
    ],
)
def test_what_is_no_snapshot_of_a_speech_agent_is_refused_by_its_field(
    change: dict[str, Any], complaint: str
) -> None:
    snapshot = agent_to_json(RealtimeSpeechAgent("a", SpeechVoice("v")))
    with pytest.raises(AgentError, match=complaint):
        agent_from_json({**snapshot, **change})


def test_a_snapshot_without_a_name_is_refused() -> None:
    with pytest.raises(AgentError, match=r"agent\.name: missing"):
        agent_from_json({"bridge": "voice_live", "model": "m"})


def test_no_content_of_a_faulty_snapshot_is_quoted() -> None:
    with pytest.raises(AgentError) as refused:
        agent_from_json({"name": "a", "bridge": "voice_live", "greeting": ["secret words"]})
    assert "secret" not in str(refused.value)


@given(_json)
def test_any_json_is_an_agent_or_refused(obj: Any) -> None:
    try:
        agent = agent_from_json(obj)
    except AgentError:
        return
    assert agent.bridge in BRIDGES
