import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest
from azure.core.exceptions import AzureError
from azure.identity.aio import ManagedIdentityCredential

from media_worker.entra import Tokens
from media_worker.limits import TOKEN_CHECK_S
from simulator.identity import Identity
from tests.virtual_time import run

SCOPE = "https://ai.azure.com/.default"


@pytest.fixture
def with_identity(
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[Callable[[Identity, Tokens], Awaitable[None]]], None]:
    """Runs a scenario with the real managed-identity credential against the simulated endpoint."""

    async def scene(scenario: Callable[[Identity, Tokens], Awaitable[None]]) -> None:
        async with Identity() as identity:
            for name, value in identity.env().items():
                monkeypatch.setenv(name, value)
            async with ManagedIdentityCredential(use_env_settings=False) as credential:
                await scenario(identity, Tokens(credential, SCOPE))

    return lambda scenario: run(scene(scenario))


Scenes = Callable[[Callable[[Identity, Tokens], Awaitable[None]]], None]


def test_a_call_finds_its_token_there_and_does_not_wait_for_entra(with_identity: Scenes) -> None:
    async def scenario(identity: Identity, tokens: Tokens) -> None:
        identity.switches.delay_s = 3.0
        async with asyncio.TaskGroup() as group:
            keeper = group.create_task(tokens.keep_fresh())
            await asyncio.sleep(4)
            before = asyncio.get_running_loop().time()
            assert await tokens.bearer()
            assert asyncio.get_running_loop().time() == before
            keeper.cancel()
        assert identity.issued == {"https://ai.azure.com": 1}

    with_identity(scenario)


def test_an_expired_token_is_replaced_before_a_call_asks(with_identity: Scenes) -> None:
    async def scenario(identity: Identity, tokens: Tokens) -> None:
        identity.switches.lifetime_s = 1
        async with asyncio.TaskGroup() as group:
            keeper = group.create_task(tokens.keep_fresh())
            await asyncio.sleep(1)
            first = await tokens.bearer()
            time.sleep(1.5)  # noqa: ASYNC251  # the library compares with the machine's clock
            identity.switches.lifetime_s = 3600
            await asyncio.sleep(TOKEN_CHECK_S)
            assert identity.issued["https://ai.azure.com"] == 2
            assert await tokens.bearer() != first
            keeper.cancel()

    with_identity(scenario)


def test_an_outage_of_the_identity_endpoint_is_survived(with_identity: Scenes) -> None:
    async def scenario(identity: Identity, tokens: Tokens) -> None:
        identity.switches.fail_next, identity.switches.fail_status = 1, 400
        async with asyncio.TaskGroup() as group:
            keeper = group.create_task(tokens.keep_fresh())
            await asyncio.sleep(TOKEN_CHECK_S + 1)
            assert await tokens.bearer()
            keeper.cancel()

    with_identity(scenario)


def test_without_any_token_the_asker_is_told(with_identity: Scenes) -> None:
    async def scenario(identity: Identity, tokens: Tokens) -> None:
        identity.switches.fail_next, identity.switches.fail_status = 1, 400
        with pytest.raises(AzureError):
            await tokens.bearer()

    with_identity(scenario)
