"""The owner edits `agents.toml` while calls come in."""

import asyncio
import json
import logging
from pathlib import Path

import pytest

from simulator.script import AfterAgent, CallerScript, Expect, HangUp, Say, Step, Utterance
from tests.calls.whole import AGENTS, Whole, whole
from tests.virtual_time import run

FIRST, SECOND = "Hello, you have reached Harbour Cycles.", "Welcome to Harbour Cycles, again."
HANGS_UP = CallerScript((Step(HangUp(), AfterAgent()),), Expect(ended_by="caller"))
ASKS_TWICE = CallerScript(
    (
        Step(Say(Utterance("When are you open?"))),
        Step(Say(Utterance("And on Sundays?"))),
        Step(HangUp(), AfterAgent()),
    ),
    Expect(ended_by="caller"),
)
PICKED_UP_S = 4.0
"""Longer than the app takes to see a change."""


async def greeting(system: Whole) -> str | None:
    """How a new caller is greeted."""
    before = {record.call_id for record in system.records()}
    call = await system.call(HANGS_UP)
    outcome = await call.ended()
    assert outcome.as_scripted, outcome.faults
    await system.settled()
    (record,) = [record for record in system.records() if record.call_id not in before]
    return record.turns[0].text


def test_an_edit_counts_for_the_next_call_and_not_for_the_one_in_progress(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with whole(tmp_path) as system:
            in_progress = await system.call(ASKS_TWICE)
            await asyncio.sleep(2)
            (tmp_path / "agents.toml").write_text(AGENTS.replace(FIRST, SECOND))
            await asyncio.sleep(PICKED_UP_S)
            assert in_progress.outcome is None
            next_call = await system.call(HANGS_UP)
            assert (await next_call.ended()).as_scripted
            assert (await in_progress.ended()).as_scripted
            await system.settled()
            greeted = {len(record.turns): record.turns[0].text for record in system.records()}
            assert greeted == {5: FIRST, 1: SECOND}

    run(scenario())


@pytest.mark.parametrize(
    "broken",
    [AGENTS.replace('voice = "marin"', 'voice = "marine"'), "agents = ", "", None],
    ids=["a wrong value", "no TOML", "an empty file", "no file"],
)
def test_a_broken_edit_changes_nothing_for_callers_and_is_logged_until_it_is_mended(
    broken: str | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "agents.toml"

    async def scenario() -> None:
        async with whole(tmp_path) as system:
            assert await greeting(system) == FIRST
            file.write_text(broken) if broken is not None else file.unlink()
            await asyncio.sleep(PICKED_UP_S)
            assert await greeting(system) == FIRST
            file.write_text(AGENTS.replace(FIRST, SECOND))
            await asyncio.sleep(PICKED_UP_S)
            assert await greeting(system) == SECOND

    with caplog.at_level(logging.ERROR, "switchboard.functions"):
        run(scenario())
    told = [json.loads(r.message) for r in caplog.records if r.name == "switchboard.functions"]
    assert {line["event"] for line in told} == {"directory_refused"}
    assert all(line["kept"] for line in told)
