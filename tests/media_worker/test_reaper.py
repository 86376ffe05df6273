import asyncio
from dataclasses import replace

import pytest
from azure.storage.queue.aio import QueueClient

from media_worker.app import serving
from media_worker.settings import Settings
from simulator.storage import Fault
from switchboard.end_reason import EndReason
from switchboard.record import Ended, Live, Ringing
from tests.media_worker.stage import STAYS, Stage, announced, environment, stage
from tests.media_worker.telemetry.collected import Collected
from tests.virtual_time import run

UNREACHABLE = "ws://127.0.0.1:9"


def test_a_call_whose_worker_vanished_is_taken_up_by_another() -> None:
    async def scenario() -> None:
        async with stage(PORT="0") as here:
            settings = Settings.from_env(environment(here.storage, here.acs, here.voice))
            async with serving(settings) as doomed:
                call = await here.ring(STAYS, media_url=doomed.url.replace("http", "ws"))
                await here.until(lambda: doomed.live_calls == 1)
                await asyncio.sleep(5)
                assert len(here.voice.sessions) == 1
            # Its process is gone; ACS finds a worker at the same address.
            port = int(doomed.url.rpartition(":")[2])
            heir = Settings.from_env(
                environment(here.storage, here.acs, here.voice) | {"PORT": str(port)}
            )
            async with serving(heir) as heir_worker:
                await here.until(lambda: heir_worker.live_calls == 1, 60)
                await asyncio.sleep(2)
                state = (await here.record(call.call_id)).state
                assert isinstance(state, Live)
                assert state.epoch == 2
                await call.simulated.hang_up()
                await here.until(lambda: heir_worker.live_calls == 0)
                await asyncio.sleep(100)
                assert here.messages == 0

    run(scenario())


def test_a_call_whose_worker_vanished_and_that_nobody_can_take_up_ends_with_an_apology(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", logger="media_worker")
    seen = Collected()

    async def scenario() -> None:
        async with stage(telemetry=seen.telemetry) as here:
            settings = Settings.from_env(environment(here.storage, here.acs, here.voice))
            async with serving(settings) as doomed:
                call = await here.ring(STAYS, media_url=doomed.url.replace("http", "ws"))
                await here.until(lambda: doomed.live_calls == 1)
                await asyncio.sleep(5)
            spoken: list[str] = []
            while call.simulated.outcome is None:
                spoken = announced(here, call) or spoken
                await asyncio.sleep(0.2)
            assert spoken == ["I'm sorry, we have a technical problem."]
            await asyncio.sleep(120)
            assert (await here.record(call.call_id)).state == Ended(EndReason.WORKER_LOST)
            assert here.messages == 0
            ends = [line for line in caplog.records if line.getMessage() == "call_ended"]
            assert vars(ends[-1])["fields"]["reason"] == "worker_lost"
            recovery = seen.one("switchboard.recovery")
            assert recovery.attributes == {
                "switchboard.call_id": call.call_id,
                "switchboard.agent": "reception",
                "switchboard.bridge": "voice_live",
                "switchboard.doubt": "Surfaced",
                "switchboard.outcome": "ended",
                "switchboard.end_reason": "worker_lost",
            }
            ended = seen.numbers("switchboard.calls.ended")
            assert ended == {("reception", "voice_live", "worker_lost"): 1}

    run(scenario())


def test_a_caller_who_left_while_no_worker_was_there_is_written_off() -> None:
    async def scenario() -> None:
        async with stage() as here:
            settings = Settings.from_env(environment(here.storage, here.acs, here.voice))
            async with serving(settings) as doomed:
                call = await here.ring(STAYS, media_url=doomed.url.replace("http", "ws"))
                await here.until(lambda: doomed.live_calls == 1)
                await asyncio.sleep(5)
            await call.simulated.hang_up()
            await asyncio.sleep(90)
            assert isinstance((await here.record(call.call_id)).state, Ended)
            assert here.messages == 0

    run(scenario())


def test_a_setup_message_of_a_call_that_was_never_answered_ends_its_record() -> None:
    async def scenario() -> None:
        async with stage() as here:
            call = await here.ring(STAYS, media_url=UNREACHABLE)
            record = await here.record(call.call_id)
            await rewrite_as_ringing(here, call.call_id)
            await asyncio.sleep(110)
            assert (await here.record(call.call_id)).state == Ended(EndReason.NEVER_ANSWERED)
            assert record.setup is not None
            assert here.messages == 0

    run(scenario())


async def rewrite_as_ringing(here: Stage, call_id: str) -> None:
    """As if the answering process had died right after its setup message."""
    found = await here.ledger.records.get(call_id)
    assert found is not None
    ringing = replace(found.record, state=Ringing(1), connection_id=None, setup=None)
    assert await here.ledger.records.put(ringing.stamped("gone", 99), found.etag)


def test_a_message_that_is_no_session_is_set_aside_for_people() -> None:
    async def scenario() -> None:
        async with stage() as here:
            client = QueueClient.from_connection_string(
                here.storage.connection_string, "sessions", use_env_settings=False
            )
            async with client:
                await client.send_message('{"hello": "world"}')
            await asyncio.sleep(10)
            assert here.messages == 0
            kept = here.storage.blobs("records")
            (name,) = [name for name in kept if name.startswith("dead-letters/")]
            assert kept[name] == b'{"hello": "world"}'

    run(scenario())


def test_an_outage_of_the_queue_only_delays_the_reaping() -> None:
    async def scenario() -> None:
        async with stage() as here:
            here.storage.faults.append(Fault(times=30, operation="GetMessages", status=503))
            before = here.storage.counts["GetMessages"]
            await asyncio.sleep(120)
            assert here.storage.counts["GetMessages"] - before > 40

    run(scenario())
