"""The two storage accounts that the contract tests run against."""

import asyncio
import uuid
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from azure.storage.blob.aio import ContainerClient
from azure.storage.queue.aio import QueueClient

from simulator.storage import Storage
from tests.simulator.azurite import Azurite, AzuriteUnavailable, running
from tests.virtual_time import run


@dataclass(frozen=True)
class Account:
    """A storage account under test and where it differs from Azure."""

    connection_string: str
    emulator: bool
    """True: Azurite. What it answers otherwise than Azure stands in each test."""

    def queue(self, name: str | None = None) -> QueueClient:
        """A client of a queue that nobody else uses; not created yet."""
        return QueueClient.from_connection_string(
            self.connection_string,
            name or f"q-{uuid.uuid4()}",
            use_env_settings=False,
            retry_total=0,
        )

    def container(self, name: str | None = None) -> ContainerClient:
        """A client of a container that nobody else uses; not created yet."""
        return ContainerClient.from_connection_string(
            self.connection_string,
            name or f"c-{uuid.uuid4()}",
            use_env_settings=False,
            retry_total=0,
        )


Scenario = Callable[[Account], Coroutine[Any, Any, None]]
Play = Callable[[Scenario], None]


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """Azurite, for the whole test run; skips what needs it where it cannot be had."""
    try:
        with running() as emulator:
            yield emulator
    except AzuriteUnavailable as why:
        pytest.skip(
            f"not compared with Azurite: {why}. The simulator's own half of each contract test ran."
        )


@pytest.fixture(
    params=[
        "simulator",
        pytest.param("azurite", marks=[pytest.mark.long, pytest.mark.timeout(300)]),
    ]
)
def play(request: pytest.FixtureRequest) -> Play:
    """Plays a scenario against the simulator (virtual time) or Azurite (real time)."""
    if request.param == "simulator":
        return _play_against_the_simulator
    emulator: Azurite = request.getfixturevalue("azurite")

    def play_against_azurite(scenario: Scenario) -> None:
        asyncio.run(scenario(Account(emulator.connection_string, emulator=True)))

    return play_against_azurite


def _play_against_the_simulator(scenario: Scenario) -> None:
    async def play_it() -> None:
        async with Storage() as storage:
            await scenario(Account(storage.connection_string, emulator=False))

    run(play_it())
