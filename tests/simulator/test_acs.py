"""Whole calls through simulated ACS, answered by the real client."""

import asyncio

import jwt
import pytest
from aiohttp import ClientSession
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from simulator.acs_switches import Refusal
from simulator.clock import wall_now
from tests.simulator.answerer import PATIENT, scene
from tests.virtual_time import run


def test_a_call_is_answered_greeted_and_ends_as_scripted() -> None:
    async def body() -> None:
        async with scene() as s:
            call = await s.ring()
            properties = await s.answer()
            assert properties.call_connection_state == "connecting"
            assert properties.correlation_id == call.correlation_id
            await asyncio.sleep(0.5)
            await s.answerer.speak(1000)
            await asyncio.sleep(5)
            await s.answerer.speak(1000)
            outcome = await call.ended()
            assert outcome.faults == ()
            assert outcome.ended_by == "caller"
            await asyncio.sleep(0.5)
            assert s.answerer.types[-1] == "CallDisconnected"
            assert s.answerer.sockets[0].closed
            assert s.acs.calls == []

    run(body())


def test_the_socket_names_its_call_and_carries_a_token_that_pyjwt_accepts_with_our_key_set() -> (
    None
):
    async def body() -> None:
        async with scene() as s, ClientSession() as http:
            call = await s.connected(PATIENT)
            headers = s.answerer.handshakes[0]
            assert call.connection is not None
            assert headers["x-ms-call-connection-id"] == call.connection.id
            assert headers["x-ms-call-correlation-id"] == call.correlation_id
            openid = f"{s.acs.url}/calling/.well-known/acsopenidconfiguration"
            async with http.get(openid) as response:
                config = await response.json()
            async with http.get(config["jwks_uri"]) as response:
                keys = jwt.PyJWKSet.from_dict(await response.json())
            for token, life in [
                (headers["Authorization"].removeprefix("Bearer "), 86400),
                (s.answerer.tokens[0], 300),
            ]:
                key = keys[jwt.get_unverified_header(token)["kid"]]
                claims = jwt.decode(
                    token,
                    key.key,
                    algorithms=["RS256"],
                    audience=s.acs.immutable_id,
                    issuer=config["issuer"],
                    options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
                )
                assert claims["exp"] - claims["nbf"] == life
                assert claims["nbf"] <= wall_now() < claims["exp"]

    run(body())


def test_a_second_answer_is_refused_as_the_switch_says() -> None:
    async def body() -> None:
        async with scene() as s:
            await s.ring(PATIENT)
            await s.answer()
            with pytest.raises(ResourceNotFoundError) as refused:
                await s.answer()
            assert refused.value.error is not None
            assert refused.value.error.code == "8522"
            s.acs.switches.second_answer = Refusal(400, "8501")
            with pytest.raises(HttpResponseError) as other:
                await s.answer()
            assert other.value.status_code == 400
            s.acs.switches.second_answer = None
            assert (await s.answer()).call_connection_id
            await asyncio.sleep(1)
            assert len(s.answerer.handshakes) == 1

    run(body())
