"""Who may open a connection."""

import pytest

from simulator.identity import make_token
from simulator.speech_service_door import AUDIENCE, SPEECH_RESOURCE_ID, Refused, admit

NOW = 1_795_000_000.0
USP = {"Sec-WebSocket-Protocol": "USP"}
TOKEN = make_token(AUDIENCE, now=NOW)


def _admitted(**headers: str) -> object:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return admit({**USP, **given}, key="k", now=NOW)


def test_a_key_a_token_and_a_token_with_its_resource_are_taken() -> None:
    assert _admitted(Ocp_Apim_Subscription_Key="k") == "key"
    assert _admitted(Authorization=f"Bearer {TOKEN}") == "credential"
    assert _admitted(Authorization=f"Bearer aad#{SPEECH_RESOURCE_ID}#{TOKEN}") == "aad"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Ocp_Apim_Subscription_Key": "other"},
        {"Authorization": "Basic k"},
        {"Authorization": "Bearer nothing"},
        {"Authorization": f"Bearer aad#/subscriptions/other#{TOKEN}"},
        {"Authorization": f"Bearer aad#{TOKEN}"},
        {"Authorization": f"Bearer {make_token('https://ai.azure.com', now=NOW)}"},
        {"Authorization": f"Bearer {make_token(AUDIENCE, now=NOW - 90_000)}"},
    ],
)
def test_others_get_401(headers: dict[str, str]) -> None:
    refused = _admitted(**headers)
    assert isinstance(refused, Refused)
    assert refused.status == 401


def test_the_subprotocol_is_asked_for() -> None:
    refused = admit({"Ocp-Apim-Subscription-Key": "k"}, key="k", now=NOW)
    assert isinstance(refused, Refused)
    assert refused.status == 400
