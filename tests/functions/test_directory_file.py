"""An owner's edits of agents.toml, as the next caller notices them."""

import asyncio

from tests.functions.deployment import (
    AGENTS,
    deployment,
    leaves_after,
)
from tests.virtual_time import run


def test_a_directory_that_is_broken_from_the_start_leaves_the_phone_ringing() -> None:
    async def call() -> None:
        async with deployment(agents="[agents.reception\n") as d:
            outcome = await (await d.ring()).ended()
            assert outcome.ended_by == "nobody"
            assert d.statuses() == [202]
            d.agents_file.write_text(AGENTS)
            assert (await (await d.ring(leaves_after(1))).ended()).answered

    run(call())


def test_an_edit_of_the_directory_is_live_for_the_next_call_and_a_mistake_changes_nothing() -> None:
    async def call() -> None:
        async with deployment() as d:
            await (await d.ring(leaves_after(1))).ended()
            d.agents_file.write_text(AGENTS.replace('"reception"\n"+', '"sales"\n"+'))
            await asyncio.sleep(5)
            await (await d.ring(leaves_after(1))).ended()
            d.agents_file.write_text("[numbers]\n")
            await asyncio.sleep(5)
            await (await d.ring(leaves_after(1))).ended()
            by_time = sorted(d.records(), key=lambda record: record.descriptor.rung_at)
            assert [r.descriptor.agent.name for r in by_time] == ["reception", "sales", "sales"]

    run(call())
