"""An owner's edits of agents.toml, as the next caller notices them."""

import asyncio
import json
import logging

import pytest

from simulator.storage import Fault
from switchboard import publishing
from switchboard.directory import parse_directory
from switchboard.publishing import opened
from tests.functions.deployment import (
    AGENTS,
    deployment,
    leaves_after,
)
from tests.switchboard.published import publish, publishes
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


def test_a_published_edit_is_live_for_a_call_30_s_later_and_named_in_its_record() -> None:
    async def call() -> None:
        async with deployment() as d, publishes(d.storage) as generations:
            await (await d.ring(leaves_after(1))).ended()
            name = await publish(generations, AGENTS.replace('"reception"\n"+', '"sales"\n"+'))
            await asyncio.sleep(30.1)
            await (await d.ring(leaves_after(1))).ended()
            broken = AGENTS.replace("model", "modle")
            await publish(generations, broken, "0123456789ab")
            await asyncio.sleep(30.1)
            await (await d.ring(leaves_after(1))).ended()
            by_time = sorted(d.records(), key=lambda record: record.descriptor.rung_at)
            assert [r.descriptor.agent.name for r in by_time] == ["reception", "sales", "sales"]
            assert by_time[1].descriptor.directory_generation == name

    run(call())


def test_a_broken_generation_is_logged_by_its_lines_alone(caplog: pytest.LogCaptureFixture) -> None:
    async def call() -> None:
        async with deployment() as d, publishes(d.storage) as generations:
            await publish(generations, AGENTS)
            await (await d.ring(leaves_after(1))).ended()
            await publish(generations, AGENTS.replace("model", "modle"), "0123456789ab")
            await asyncio.sleep(31)
            await (await d.ring(leaves_after(1))).ended()

    with caplog.at_level(logging.ERROR, "switchboard.functions"):
        run(call())
    told = [json.loads(r.message) for r in caplog.records if r.name == "switchboard.functions"]
    assert [(line["event"], line["source"]) for line in told] == [
        ("directory_refused", "published")
    ] * 2
    assert [line["line"] for line in told] == [6, 10]
    assert all(line["kept"] for line in told)
    assert "modle" not in caplog.text


def test_a_published_directory_is_written_and_read_by_the_identity_alone() -> None:
    async def call() -> None:
        async with deployment(tokens=True) as d:
            environ = {
                "STORAGE_BLOB_ENDPOINT": d.storage.blob_endpoint,
                "TLS_CA_FILE": str(d.agents_file.with_name("ca.pem")),
            }
            content = AGENTS.replace('"reception"\n"+', '"sales"\n"+').encode()
            async with opened(environ) as generations:
                directory = parse_directory(content, source="agents.toml")
                done = await publishing.publish(generations, directory, content)
                assert done.good
            await (await d.ring(leaves_after(1))).ended()
            (record,) = d.records()
            assert record.descriptor.agent.name == "sales"

    run(call())


def test_a_phone_rings_on_when_the_storage_of_the_directory_hangs() -> None:
    async def call() -> None:
        async with deployment() as d, publishes(d.storage) as generations:
            await publish(generations, AGENTS)
            await (await d.ring(leaves_after(1))).ended()
            d.storage.faults.append(Fault(times=999, path="directory*", delay_s=60))
            await asyncio.sleep(60)
            outcome = await (await d.ring(leaves_after(1))).ended()
            assert outcome.answered

    run(call())
