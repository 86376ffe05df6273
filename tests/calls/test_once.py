"""One phone call is one call, however often it is announced and to however many instances."""

import asyncio
import os
from pathlib import Path

import pytest

from media_worker import app as worker_app
from media_worker.settings import Settings as WorkerSettings
from simulator.event_grid import EventGridSwitches, Subscription
from simulator.processes import Processes, free_port
from simulator.script import AfterAgent, CallerScript, Expect, HangUp, Say, Step, Utterance
from simulator.world import World, simulated_azure
from switchboard.record import CallRecord, Ended
from tests.calls.whole import AGENTS, NUMBER, ROOT, environ

INSTANCES = 4
DELIVERIES = 100

CONVERSATION = CallerScript(
    (Step(Say(Utterance("When are you open?"))), Step(HangUp(), AfterAgent(pause_ms=300))),
    Expect(ended_by="caller"),
)


@pytest.mark.long
@pytest.mark.timeout(120)
def test_a_hundred_deliveries_to_four_instances_make_one_answer_one_record_no_message(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        copies = EventGridSwitches(copies=DELIVERIES // INSTANCES, spread_s=1.0)
        async with simulated_azure(grid=copies) as world:
            agents_file = tmp_path / "agents.toml"
            environment = world.endpoints.worker_env(port=0, agents_file=agents_file)
            environment |= {"LOG_LEVEL": "WARNING"}
            settings = WorkerSettings.from_env(environment)
            async with environ(environment), worker_app.serving(settings) as worker:
                processes = Processes(tmp_path)
                try:
                    await start_instances(processes, world, worker.url, tmp_path)
                    await one_call(world, worker)
                finally:
                    await processes.stop()

    asyncio.run(scenario())


async def start_instances(
    processes: Processes, world: World, worker_url: str, directory: Path
) -> None:
    """Four Functions hosts, each its own process and its own subscription to the event."""
    agents_file = directory / "agents.toml"
    agents_file.write_text(AGENTS, encoding="utf-8")
    ports = [free_port() for _ in range(INSTANCES)]
    env = world.endpoints.functions_env(
        callback_url=f"http://127.0.0.1:{ports[0]}/api",
        media_url=worker_url.replace("http", "ws", 1),
        agents_file=agents_file,
        rate=24_000,
    )
    for number, port in enumerate(ports):
        host = ["-m", "simulator.functions_host", "--app-dir", str(ROOT), "--port", str(port)]
        await processes.start(f"functions-{number}", host, {**os.environ, **env})
    for number, port in enumerate(ports):
        await processes.listening(f"functions-{number}", port)
        webhook = f"http://127.0.0.1:{port}/runtime/webhooks/eventgrid?functionName=incoming_call"
        await world.grid.subscribe(Subscription(webhook, name=f"instance-{number}"))


async def one_call(world: World, worker: worker_app.Serving) -> None:
    call = await world.call(NUMBER, CONVERSATION)
    outcome = await call.ended()
    assert outcome.as_scripted, outcome.faults
    async with asyncio.timeout(60):
        while worker.live_calls or world.storage.messages("sessions"):
            await asyncio.sleep(0.2)
        while len(world.grid.deliveries) < DELIVERIES:
            await asyncio.sleep(0.2)
    assert {delivery.status for delivery in world.grid.deliveries} == {202}
    assert [entry.event for entry in call.timeline.entries].count("answered") == 1
    assert [status for operation, status in world.acs.rest.log if operation == "answer"] == [200]
    (body,) = world.storage.blobs("records").values()
    assert isinstance(CallRecord.from_json(body.decode()).state, Ended)
    assert len(world.voice_live.sessions) == 1
