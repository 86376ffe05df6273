"""Who may call ACS: by the key's signature, or by an Entra token."""

import base64
import hashlib
import hmac
from dataclasses import replace
from pathlib import Path
from typing import Any

import jwt
import pytest
from aiohttp import ClientSession
from azure.communication.callautomation.aio import CallAutomationClient
from azure.core.credentials import AccessToken, AzureKeyCredential
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
)

from simulator.acs import ACCESS_KEY
from simulator.acs_auth import AccessKey, EntraTokens, Received
from simulator.clock import machine_now, wall_now
from simulator.identity import Identity, make_token
from simulator.keys import SigningKey
from simulator.tls import make_certificate
from tests.simulator.answerer import scene
from tests.virtual_time import run


def test_a_request_without_the_right_key_or_api_version_is_refused() -> None:
    async def body() -> None:
        async with scene() as s, ClientSession() as http:
            await s.ring()
            other = AzureKeyCredential("b3RoZXI=")
            async with CallAutomationClient(s.acs.url, other, use_env_settings=False) as client:
                with pytest.raises(ClientAuthenticationError):
                    await client.get_call_connection("x").get_call_properties()
            async with http.get(f"{s.acs.url}/calling/callConnections/x") as response:
                assert response.status == 401
            old = CallAutomationClient(
                s.acs.url, AzureKeyCredential(ACCESS_KEY), api_version="2022-01-01"
            )
            async with old:
                with pytest.raises(HttpResponseError) as refused:
                    await old.get_call_connection("x").get_call_properties()
            assert refused.value.status_code == 400

    run(body())


class _Credential:
    """A token credential with one token."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.scopes: tuple[str, ...] = ()

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.scopes = scopes
        return AccessToken(self.token, int(machine_now()) + 3600)

    async def close(self) -> None: ...

    async def __aenter__(self) -> "_Credential":
        return self

    async def __aexit__(self, *_: object) -> None: ...


def test_over_https_the_client_is_let_in_by_its_entra_token(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)

    async def get(url: str, token: str) -> Any:
        credential = _Credential(token)
        client = CallAutomationClient(
            url,
            credential,
            connection_verify=str(certificate.ca_file),
            use_env_settings=False,
            retry_total=0,
        )
        async with client:
            try:
                await client.get_call_connection("x").get_call_properties()
            finally:
                assert credential.scopes == ("https://communication.azure.com//.default",)

    async def body() -> None:
        async with scene(who=EntraTokens(), tls=certificate.server_context()) as s:
            good = make_token("https://communication.azure.com/", now=wall_now())
            with pytest.raises(ResourceNotFoundError):
                await get(s.acs.url, good)
            for bad in (
                make_token("https://storage.azure.com/", now=wall_now()),
                make_token("https://communication.azure.com/", now=wall_now() - 1e6),
                make_token("https://communication.azure.com/", now=wall_now(), iss="https://evil"),
                "not.a.token",
            ):
                with pytest.raises(ClientAuthenticationError):
                    await get(s.acs.url, bad)

    run(body())


def _signed(key: str = ACCESS_KEY, **changes: Any) -> Received:
    """A request as the Call Automation client signs it, with `changes` made on its way."""
    body, target = b'{"a":1}', "/calling/callConnections/c:hangup?api-version=2025-06-15"
    content = base64.b64encode(hashlib.sha256(body).digest()).decode()
    date, host = "Mon, 23 Nov 2026 10:00:00 GMT", "127.0.0.1:1"
    text = f"POST\n{target}\n{date};{host};{content}"
    digest = hmac.digest(base64.b64decode(key), text.encode(), "sha256")
    signature = base64.b64encode(digest).decode()
    headers = {
        "x-ms-date": date,
        "x-ms-content-sha256": content,
        "Authorization": "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature="
        + signature,
    }
    return replace(Received("POST", target, host, headers, body), **changes)


def test_a_signature_covers_method_path_query_host_and_body() -> None:
    door = AccessKey(ACCESS_KEY)
    assert door.refuses(_signed()) is None
    assert door.refuses(_signed(key="b3RoZXI=")) == "the signature does not match"
    for changes in ({"method": "GET"}, {"target": "/other"}, {"host": "elsewhere"}):
        assert door.refuses(_signed(**changes)) == "the signature does not match"
    assert door.refuses(_signed(body=b"{}")) == "x-ms-content-sha256 is not the body's"
    assert door.refuses(_signed(headers={})) == "no HMAC-SHA256 signature"


def test_a_forged_token_is_seen_where_the_issuers_key_is_known() -> None:
    good = make_token("https://communication.azure.com/", now=wall_now())
    forged = SigningKey().sign(jwt.decode(good, options={"verify_signature": False}))
    for token, why in ((good, None), (forged, "Signature"), ("", "Signature")):
        request = _signed(headers={"Authorization": f"Bearer {token}"})
        refusal = EntraTokens(Identity().token_key).refuses(request)
        assert (refusal is None) == (why is None)
        assert (why or "") in (refusal or "")
