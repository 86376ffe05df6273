"""Scripts as data: who plays which part, and with what sound."""

import pytest

from simulator.audio import Clip, placeholder
from simulator.script import AgentScript, Utterance, choose_agent

CLIP = Clip(b"\1\0" * 480, 24000)
BY_MODEL = AgentScript((), {"Hello.": Utterance("Hello.", CLIP)}, model="gpt-realtime")
BY_AGENT = AgentScript((), {}, agent="front-desk")
BY_DEPLOYMENT = AgentScript((), {}, deployment="gpt-realtime")
ANYBODY = AgentScript((), {})


@pytest.mark.parametrize("scripts", [(BY_MODEL, BY_AGENT, BY_DEPLOYMENT, ANYBODY)])
def test_agents_are_chosen_by_model_agent_or_deployment(scripts: tuple[AgentScript, ...]) -> None:
    assert choose_agent(scripts, model="gpt-realtime") is BY_MODEL
    assert choose_agent(scripts, agent="front-desk") is BY_AGENT
    assert choose_agent(scripts, deployment="gpt-realtime") is BY_DEPLOYMENT
    assert choose_agent(scripts, model="other") is ANYBODY
    assert choose_agent(scripts[:3], model="other") is None


def test_a_script_that_names_somebody_goes_before_one_that_fits_any() -> None:
    assert choose_agent((ANYBODY, BY_AGENT), agent="front-desk") is BY_AGENT


def test_a_line_is_spoken_with_its_clip_or_as_a_murmur() -> None:
    assert BY_MODEL.line("Hello.").pcm(24000) == CLIP.pcm
    other = BY_MODEL.line("Goodbye.")
    assert other.clip is None
    assert other.pcm(16000) == placeholder("Goodbye.", 16000).pcm
