"""Source: Voice Live API reference 2026-07-15, "Endpoint" and "Authentication"."""

from collections.abc import Mapping

import pytest
from multidict import CIMultiDict

from simulator.identity import ISSUER, Identity, make_token
from simulator.keys import SigningKey
from simulator.voice_live_door import AgentMode, Mode, ModelMode, Refused, admit

NOW = 1_795_000_000.0
KEY = {"api-key": "secret"}
MODEL = {"api-version": "2026-07-15", "model": "gpt-realtime-2.1"}
AGENT = {"api-version": "2026-07-15", "agent-name": "desk", "agent-project-name": "shop"}


def token(resource: str = "https://ai.azure.com", lifetime_s: float = 60) -> dict[str, str]:
    return {"Authorization": f"Bearer {make_token(resource, now=NOW, lifetime_s=lifetime_s)}"}


def opened(query: Mapping[str, str], headers: Mapping[str, str] = KEY) -> Mode | Refused:
    return admit(query, CIMultiDict(headers), key="secret", now=NOW)


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        (MODEL, KEY),
        (MODEL, {"API-KEY": "secret"}),
        (MODEL | KEY, {}),
        (MODEL, token()),
        (MODEL | token(), {}),
        (MODEL, token("https://cognitiveservices.azure.com/")),
        (MODEL | {"x-ms-client-sdk": "azsdk-python"}, KEY),
    ],
)
def test_a_model_takes_a_key_or_a_token_in_header_or_query(
    query: dict[str, str], headers: dict[str, str]
) -> None:
    assert opened(query, headers) == ModelMode("gpt-realtime-2.1")


def test_an_agent_takes_a_token_and_keeps_its_version_and_conversation() -> None:
    query = AGENT | {"agent-version": "3", "conversation-id": "thread_1"}
    assert opened(query, token()) == AgentMode("desk", "shop", "3", "thread_1")
    assert opened(AGENT | {"model": "gpt-5"}, token()) == AgentMode("desk", "shop", None, None)


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ({"model": "gpt-realtime-2.1"}, KEY, 400),
        (MODEL | {"api-version": "2024-01-01"}, KEY, 400),
        ({"api-version": "2026-07-15"}, KEY, 400),
        (MODEL | {"model": "gpt-reeltime"}, KEY, 400),
        (MODEL | {"profile": "byom-of-mine"}, KEY, 400),
        ({"api-version": "2026-07-15", "agent-name": "desk"}, token(), 400),
        ({"api-version": "2026-07-15", "agent-project-name": "shop"}, token(), 400),
        (MODEL, {}, 401),
        (MODEL, {"api-key": "wrong"}, 401),
        (MODEL, {"Authorization": "Basic abc"}, 401),
        (MODEL, {"Authorization": "Bearer a.b.c"}, 401),
        (MODEL, token("https://storage.azure.com"), 401),
        (MODEL, token(lifetime_s=0), 401),
        (AGENT, KEY, 401),
    ],
)
def test_what_is_missing_unknown_or_not_allowed_is_refused(
    query: dict[str, str], headers: dict[str, str], status: int
) -> None:
    refused = opened(query, headers)
    assert isinstance(refused, Refused)
    assert refused.status == status


def test_a_forged_token_is_refused_where_the_issuers_key_is_known() -> None:
    claims = {"aud": "https://ai.azure.com", "iss": ISSUER, "nbf": 0, "exp": NOW + 60}
    forged = {"Authorization": f"Bearer {SigningKey().sign(claims)}"}
    key = Identity().token_key
    admitted, refused = (
        admit(AGENT, headers, key="secret", now=NOW, token_key=key) for headers in (token(), forged)
    )
    assert isinstance(admitted, AgentMode)
    assert isinstance(refused, Refused)
    assert "Signature" in refused.message


def test_with_a_profile_any_deployment_is_a_model() -> None:
    query = MODEL | {"model": "my-own", "profile": "byom-azure-openai-realtime"}
    assert opened(query) == ModelMode("my-own")
