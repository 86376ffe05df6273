"""Managed identity, through the real credential."""

from collections.abc import Callable
from typing import Any

import aiohttp
import jwt
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CredentialUnavailableError
from azure.identity.aio import ManagedIdentityCredential

from simulator.clock import wall_now
from simulator.identity import (
    Identity,
    IdentitySwitches,
    TokenRefused,
    check_token,
    make_token,
)
from tests.virtual_time import run

STORAGE = "https://storage.azure.com"
CLIENT = "2b6f1c1a-1111-4222-8333-444455556666"


async def _token(
    identity: Identity, monkeypatch: pytest.MonkeyPatch, client_id: str | None = None
) -> str:
    for name, value in identity.env().items():
        monkeypatch.setenv(name, value)
    async with ManagedIdentityCredential(client_id=client_id, use_env_settings=False) as credential:
        token: str = (await credential.get_token(f"{STORAGE}/.default")).token
        return token


def test_the_real_credential_gets_a_token_for_the_resource(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask() -> None:
        async with Identity() as identity:
            token = await _token(identity, monkeypatch)
            claims = check_token(token, audience=STORAGE, now=wall_now(), key=identity.token_key)
            assert claims["aud"] == STORAGE
            assert identity.issued == {STORAGE: 1}

    run(ask())


def test_a_user_assigned_identity_is_named_in_its_token(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask() -> dict[str, Any]:
        async with Identity(client_ids=(CLIENT,)) as identity:
            token = await _token(identity, monkeypatch, CLIENT)
            return check_token(token, audience=STORAGE, now=wall_now())

    assert run(ask())["appid"] == CLIENT


def test_an_identity_that_is_not_assigned_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask() -> None:
        async with Identity() as identity:
            await _token(identity, monkeypatch, CLIENT)

    with pytest.raises((ClientAuthenticationError, CredentialUnavailableError)):
        run(ask())


def test_the_credential_outlasts_two_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask() -> int:
        switches = IdentitySwitches(fail_next=2)
        async with Identity(switches=switches) as identity:
            await _token(identity, monkeypatch)
            return switches.fail_next

    assert run(ask()) == 0


def test_the_next_requests_fail_with_the_status_given() -> None:
    async def ask() -> list[int]:
        switches = IdentitySwitches(fail_next=1, fail_status=418)
        async with Identity(switches=switches) as identity, aiohttp.ClientSession() as http:
            statuses = []
            query = {"api-version": "2019-08-01", "resource": STORAGE}
            headers = {"X-IDENTITY-HEADER": identity.header}
            for _ in range(2):
                async with http.get(identity.endpoint, params=query, headers=headers) as reply:
                    statuses.append(reply.status)
            return statuses

    assert run(ask()) == [418, 200]


def test_a_slow_endpoint_answers_late(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask() -> float:
        async with Identity(switches=IdentitySwitches(delay_s=3)) as identity:
            started = wall_now()
            await _token(identity, monkeypatch)
            return wall_now() - started

    assert run(ask()) >= 3


@pytest.mark.parametrize(
    ("header", "version", "status"),
    [("wrong", "2019-08-01", 401), (None, "2019-08-01", 401), ("right", "2017-09-01", 400)],
)
def test_a_request_without_the_header_or_of_another_version_is_refused(
    header: str | None, version: str, status: int
) -> None:
    async def ask() -> int:
        async with Identity() as identity, aiohttp.ClientSession() as http:
            value = identity.header if header == "right" else header
            headers = {"X-IDENTITY-HEADER": value} if value else {}
            query = {"api-version": version, "resource": STORAGE}
            async with http.get(identity.endpoint, params=query, headers=headers) as reply:
                return reply.status

    assert run(ask()) == status


def _refusal(make: Callable[[], str], key: Any = None) -> str:
    with pytest.raises(TokenRefused) as refused:
        check_token(make(), audience=STORAGE, now=1000.0, key=key)
    return str(refused.value)


def test_a_token_is_good_for_its_audience_issuer_and_time_only() -> None:
    assert "Audience" in _refusal(lambda: make_token("https://ai.azure.com", now=1000))
    assert "Issuer" in _refusal(lambda: make_token(STORAGE, now=1000, iss="https://else.example/"))
    assert "Lifetime" in _refusal(lambda: make_token(STORAGE, now=400, lifetime_s=600))
    assert "Lifetime" in _refusal(lambda: make_token(STORAGE, now=1001))
    assert "Signature" in _refusal(lambda: "not a token")
    check_token(make_token(f"{STORAGE}/", now=999), audience=STORAGE, now=1000)


def test_a_forged_signature_is_seen_with_the_key() -> None:
    public = Identity().token_key
    forged = jwt.encode({"aud": STORAGE}, "a secret that is long enough for HS256", "HS256")
    assert "Signature" in _refusal(lambda: forged, public)
    good = make_token(STORAGE, now=1000)
    assert "Signature" in _refusal(lambda: good[:-6] + "AAAAAA", public)
