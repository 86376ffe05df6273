"""How many messages are on the sessions queue, counted now and then."""

import asyncio
from collections.abc import Awaitable, Callable

from media_worker.telemetry.limits import QUEUE_DEPTH_EVERY_S
from media_worker.telemetry.process import Telemetry
from switchboard.ledger import StorageUnavailable


class QueueDepth:
    """Counts for as long as `run` runs. `count` raises `StorageUnavailable`."""

    def __init__(self, telemetry: Telemetry, count: Callable[[], Awaitable[int]]) -> None:
        self._telemetry = telemetry
        self._count = count

    async def run(self) -> None:
        """Runs for ever. While storage is out, the depth is not known, and not told."""
        while True:
            try:
                self._telemetry.queue_depth = await self._count()
            except StorageUnavailable:
                self._telemetry.queue_depth = None
            await asyncio.sleep(QUEUE_DEPTH_EVERY_S)
