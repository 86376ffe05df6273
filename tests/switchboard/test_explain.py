import json

import pytest

from switchboard.directory import parse_directory
from switchboard.explain import explain
from switchboard.numbers import NumberError

AGENTS = """
[agents.reception]
bridge = "voice_live"
model = "gpt-realtime"
voice = "alloy"
greeting = "Hello."
[agents.workshop]
bridge = "voice_live"
project = "p"
agent = "desk"
version = 2
[numbers]
"+15550100001" = "reception"
"8:acs:desk" = { agent = "workshop", fallback_number = "+15550100099" }
"""
DIRECTORY = parse_directory(f'region = "US"\n{AGENTS}', source="agents.toml")
WITH_DEFAULT = parse_directory(f'default_agent = "workshop"\n{AGENTS}', source="agents.toml")


def test_a_listed_number_is_explained() -> None:
    assert list(explain(DIRECTORY, "(555) 010-0001", "+1 555 010 0050").lines()) == [
        "+15550100001: reception answers.",
        "  because   it is listed under [numbers].",
        "  bridge    voice_live, model gpt-realtime",
        "  voice     alloy (openai)",
        '  greeting  "Hello."',
        "  fallback  none: an apology, then hang up",
        "  caller    +15550100050",
    ]


def test_a_foundry_agent_is_explained() -> None:
    assert list(explain(DIRECTORY, "8:acs:DESK").lines()) == [
        "8:acs:desk: workshop answers.",
        "  because   it is listed under [numbers].",
        "  bridge    voice_live, Foundry agent desk of project p, version 2",
        "  voice     the service's own choice",
        "  greeting  none: the agent waits for the caller",
        "  fallback  +15550100099",
    ]


def test_the_default_agent_is_the_reason_where_it_answers() -> None:
    explanation = explain(WITH_DEFAULT, "+15550100077")
    assert explanation.why == "it is not under [numbers], so default_agent answers."
    assert explanation.to_json()["matched"] == "default"


@pytest.mark.parametrize(
    ("called", "why"),
    [
        ("+15550100077", "there is no default_agent: the call is rejected."),
        ("8:acs:other", "default_agent is for phone numbers only: the call is left alone."),
    ],
)
def test_where_nobody_answers_it_says_what_happens(called: str, why: str) -> None:
    explanation = explain(DIRECTORY, called)
    assert why in explanation.why
    assert next(explanation.lines()) == f"{called}: nobody answers."
    assert explanation.to_json()["answered"] is False


@pytest.mark.parametrize(
    ("caller", "shown"),
    [
        ("anonymous", "anonymous: the number is withheld"),
        ("", "anonymous: the number is withheld"),
        ("4:+15550100050", "+15550100050"),
        ("8:orgid:A", "8:orgid:a"),
        ("some \x1b[31mnonsense", "some  [31mnonsense"),
    ],
)
def test_any_caller_is_shown(caller: str, shown: str) -> None:
    *_, last = explain(DIRECTORY, "+15550100001", caller).lines()
    assert last == f"  caller    {shown}"


def test_programs_get_the_same_facts() -> None:
    facts = explain(DIRECTORY, "8:acs:desk", "anonymous").to_json()
    assert json.loads(json.dumps(facts)) == {
        "called": "8:acs:desk",
        "caller": "anonymous",
        "answered": True,
        "agent": "workshop",
        "bridge": "voice_live",
        "model": None,
        "project": "p",
        "agent_name": "desk",
        "agent_version": "2",
        "voice": None,
        "greeting": None,
        "matched": "number",
        "key": "8:acs:desk",
        "fallback_number": "+15550100099",
        "why": "it is listed under [numbers].",
        "generation": DIRECTORY.generation,
    }


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(NumberError):
        explain(DIRECTORY, "reception")


def test_an_agent_of_the_second_bridge_is_explained_with_its_model_and_voice() -> None:
    text = """
default_agent = "a"
[agents.a]
bridge = "realtime_speech"
voice = { name = "en-US-AvaNeural", style = "chat" }
"""
    explanation = explain(parse_directory(text, source="x"), "+15550100001")
    assert "  bridge    realtime_speech, model gpt-realtime-2.1-mini" in explanation.lines()
    assert "  voice     en-US-AvaNeural (Azure Speech)" in explanation.lines()
    voice = explanation.to_json()["voice"]
    assert isinstance(voice, dict)
    assert (voice["name"], voice["style"]) == ("en-US-AvaNeural", "chat")
