"""A worker that has just started greets from memory, in real time: the native Speech SDK knows no
other."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from simulator.acs_calls import SimulatedCall
from simulator.realtime_switches import RealtimeSwitches
from simulator.report import describe
from simulator.script import AfterAgent, CallerScript, Expect, HangUp, Step
from tests.calls.whole import NUMBER, Whole, whole
from tests.switchboard.published import publish, publishes

AGENTS = """
default_agent = "brand"

[agents.brand]
bridge = "realtime_speech"
voice = "en-US-AvaMultilingualNeural"
greeting = "Hello."
instructions = "You answer the phone."
"""
PUBLISHED, EDITED = AGENTS.replace("Hello", "Welcome"), AGENTS.replace("Hello", "Good morning")
HANGS_UP = CallerScript((Step(HangUp(), AfterAgent(2500)),), Expect(ended_by="caller"))
"""Stays long enough for a session that opens after 2 s."""
LATE = RealtimeSwitches(open_delay_s=2.0)


async def rendered(caplog: pytest.LogCaptureFixture, times: int) -> None:
    """Waits until the worker has said so often that everything is rendered."""
    while [record.message for record in caplog.records].count("clips_ready") < times:
        await asyncio.sleep(0.05)


async def greeted(system: Whole) -> tuple[str | None, float]:
    """The words with which the next caller is greeted, and how many ms after the socket was open
    the first of them arrived."""
    call: SimulatedCall = await system.call(HANGS_UP, NUMBER)
    outcome = await call.ended()
    assert outcome.as_scripted, outcome.faults
    await system.settled()
    told = describe(call)
    newest = max(system.records(), key=lambda record: record.descriptor.rung_at)
    return newest.turns[0].text, told["greeting_first_sample_ms"] - told["media_connected_ms"]


def known(system: Whole) -> list[str]:
    """What the model of the newest call was told that it has said."""
    items: list[dict[str, Any]] = system.world.realtime.sessions[-1].conversation.report()
    return [item["text"] for item in items if item["kind"] == "assistant"]


def real(scenario: Callable[[], Awaitable[None]], caplog: pytest.LogCaptureFixture) -> None:
    async def limited() -> None:
        async with asyncio.timeout(19):
            await scenario()

    with caplog.at_level(logging.INFO, "media_worker"):
        asyncio.run(limited())


def test_the_first_caller_is_greeted_at_once_though_the_model_is_late_and_the_model_knows_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with whole(
            tmp_path, agents_toml=AGENTS, realtime=LATE, worker_knows_agents=True
        ) as system:
            await rendered(caplog, times=1)
            before = len(system.world.speech.utterances)
            words, after_ms = await greeted(system)
            assert words == "Hello."
            assert after_ms < 500
            assert known(system) == ["Hello."]
            assert len(system.world.speech.utterances) == before, (
                "nothing was rendered for the call"
            )

    real(scenario, caplog)


def test_what_is_published_is_rendered_too_and_greets_the_next_caller(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with (
            whole(tmp_path, agents_toml=AGENTS, realtime=LATE, worker_knows_agents=True) as system,
            publishes(system.world.storage) as generations,
        ):
            await rendered(caplog, times=1)
            await publish(generations, PUBLISHED)
            await rendered(caplog, times=2)
            words, after_ms = await greeted(system)
            assert words == "Welcome."
            assert after_ms < 500

    real(scenario, caplog)


def test_an_owners_edit_of_the_greeting_is_spoken_to_the_next_caller(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with whole(tmp_path, agents_toml=AGENTS, worker_knows_agents=True) as system:
            await rendered(caplog, times=1)
            assert (await greeted(system))[0] == "Hello."
            (tmp_path / "agents.toml").write_text(EDITED)
            await rendered(caplog, times=2)
            words, after_ms = await greeted(system)
            assert words == "Good morning."
            assert after_ms < 500

    real(scenario, caplog)
