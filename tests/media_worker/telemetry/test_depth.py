import asyncio

from simulator.storage import Fault
from tests.media_worker.stage import STAYS, stage
from tests.media_worker.telemetry.collected import Collected
from tests.virtual_time import run

DEPTH = "switchboard.queue.depth"


def test_the_queue_is_counted_every_half_minute_and_unknown_while_storage_is_out() -> None:
    async def scenario() -> None:
        seen = Collected()
        async with stage(telemetry=seen.telemetry) as here:
            call = await here.ring(STAYS)
            await asyncio.sleep(31)
            assert seen.numbers(DEPTH) == {(): 1}
            assert here.storage.counts["GetQueueMetadata"] == 2
            here.storage.faults.append(Fault(times=50, operation="GetQueueMetadata", status=503))
            await asyncio.sleep(40)
            assert seen.numbers(DEPTH) == {}
            here.storage.faults.clear()
            await call.simulated.hang_up()
            await asyncio.sleep(40)
            assert seen.numbers(DEPTH) == {(): 0}

    run(scenario())


def test_nothing_is_counted_when_nobody_is_told() -> None:
    async def scenario() -> None:
        async with stage() as here:
            await asyncio.sleep(31)
            assert here.storage.counts["GetQueueMetadata"] == 0

    run(scenario())
