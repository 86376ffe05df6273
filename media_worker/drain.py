"""What happens to the calls in progress when the process is told to stop."""

import asyncio

from media_worker import log
from media_worker.limits import (
    FAREWELL_BEFORE_S,
    HAND_OVER_AGAIN_S,
    HAND_OVER_BEFORE_S,
    HAND_OVER_PAUSE_S,
)
from media_worker.worker import Carried, Worker
from switchboard.end_reason import EndReason


async def drain(worker: Worker, limit_s: float) -> None:
    """Lets calls end by themselves, near the limit moves them to another worker, and at last ends
    those that are still here with an apology. Returns when there is none, within `limit_s`.

    Readiness says 503 from the first moment; media sockets are taken all the same.
    """
    worker.draining = True
    log.event("draining", calls=worker.live_calls, deadline_s=limit_s)
    began = asyncio.get_running_loop().time()

    def left_s(before_the_end_s: float) -> float:
        passed_s = asyncio.get_running_loop().time() - began
        return max(0.0, limit_s - before_the_end_s - passed_s)

    farewell_s = min(FAREWELL_BEFORE_S, limit_s / 4)
    emptied = await worker.emptied(left_s(min(HAND_OVER_BEFORE_S, limit_s / 2)))
    while not emptied and (time_s := left_s(farewell_s)):
        # Again, for ACS may have come back here, and new sockets are taken meanwhile.
        async with asyncio.TaskGroup() as group:
            for carried in list(worker.calls.values()):
                group.create_task(_hand_over(carried, time_s))
        emptied = await worker.emptied(min(HAND_OVER_AGAIN_S, left_s(farewell_s)))
    for carried in list(worker.calls.values()):
        carried.call.end(EndReason.DRAINED)
    await worker.emptied(left_s(0))
    log.event("drained", calls=worker.live_calls)


async def _hand_over(carried: Carried, limit_s: float) -> None:
    await carried.call.pause(min(HAND_OVER_PAUSE_S, limit_s))
    if not carried.over.is_set():
        carried.owner.hand_over()
