"""Sources: Azure OpenAI, "GPT Realtime API for speech and audio", and the migration guide to GA."""

import pytest

from simulator.identity import ISSUER, Identity, make_token
from simulator.keys import SigningKey
from simulator.realtime_door import admit
from simulator.voice_live_door import Refused

NOW = 1_795_000_000.0
MODEL = {"model": "front-desk"}


def token(audience: str = "https://ai.azure.com", **claims: object) -> dict[str, str]:
    return {"Authorization": f"Bearer {make_token(audience, now=NOW, **claims)}"}  # type: ignore[arg-type]


def ask(
    query: dict[str, str], headers: dict[str, str], deployments: tuple[str, ...] | None = None
) -> str | Refused:
    return admit(query, headers, key="k", now=NOW, deployments=deployments)


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        (MODEL, {"api-key": "k"}),
        ({**MODEL, "api-key": "k"}, {}),
        (MODEL, {"Authorization": "Bearer k"}),
        (MODEL, token()),
        (MODEL, token("https://cognitiveservices.azure.com")),
    ],
)
def test_a_key_or_a_token_opens_the_deployment_that_model_names(
    query: dict[str, str], headers: dict[str, str]
) -> None:
    assert ask(query, headers) == "front-desk"


@pytest.mark.parametrize(
    ("query", "headers", "status", "told"),
    [
        (MODEL, {}, 401, "neither a key nor a token"),
        (MODEL, {"api-key": "other"}, 401, "wrong key"),
        (MODEL, {"Authorization": "Basic k2"}, 401, "not a bearer token"),
        (MODEL, token("https://vault.azure.net"), 401, "Audience"),
        (MODEL, token(lifetime_s=-1), 401, "expired"),
        ({}, {"api-key": "k"}, 400, "Missing required parameter: 'model'"),
        ({"deployment": "front-desk"}, {"api-key": "k"}, 400, "preview"),
        ({"model": "gone"}, {"api-key": "k"}, 404, "does not exist"),
        (MODEL, {"api-key": "k", "OpenAI-Beta": "realtime=v1"}, 400, "OpenAI-Beta"),
    ],
)
def test_anything_else_is_refused_with_its_reason(
    query: dict[str, str], headers: dict[str, str], status: int, told: str
) -> None:
    refused = ask(query, headers, ("front-desk",))
    assert isinstance(refused, Refused)
    assert refused.status == status
    assert told in refused.message


@pytest.mark.parametrize("version", ["2025-04-01-preview", "v1", ""])
def test_an_api_version_is_answered_with_401_however_good_the_key_is(version: str) -> None:
    refused = ask({**MODEL, "api-version": version}, {"api-key": "k"})
    assert isinstance(refused, Refused)
    assert refused.status == 401


def test_a_forged_token_is_refused_where_the_issuers_key_is_known() -> None:
    claims = {"aud": "https://ai.azure.com", "iss": ISSUER, "nbf": 0, "exp": NOW + 60}
    forged = {"Authorization": f"Bearer {SigningKey().sign(claims)}"}
    key = Identity().token_key
    admitted, refused = (
        admit(MODEL, headers, key="k", now=NOW, token_key=key) for headers in (token(), forged)
    )
    assert admitted == "front-desk"
    assert isinstance(refused, Refused)
