"""Looks after calls whose worker vanished: their messages surface on the queue.

A message that surfaces without need is deleted; the call of one that surfaces with reason is
recovered. Every worker does this, also a full or draining one.
"""

import asyncio
import random

from media_worker import log
from media_worker.edge import contained
from media_worker.limits import REAP_EVERY_S, REAP_JITTER, REAP_MOST
from media_worker.telemetry.process import Telemetry
from media_worker.telemetry.trace import recovered
from switchboard.ledger import Ledger, StorageUnavailable, Surfacing
from switchboard.operations import AcsCalls
from switchboard.record import RecordError
from switchboard.recovery import Recovered, recover_surfaced


class Reaper:
    """Polls the queue for as long as `run` runs. `seed` spreads the polls of many workers."""

    def __init__(self, ledger: Ledger, acs: AcsCalls, telemetry: Telemetry, *, seed: int) -> None:
        self._ledger = ledger
        self._acs = acs
        self._random = random.Random(seed)
        self._telemetry = telemetry

    async def run(self) -> None:
        """Runs for ever. Recoveries go on beside the next polls: one may take a minute."""
        async with asyncio.TaskGroup() as group:
            while True:
                await asyncio.sleep(REAP_EVERY_S * self._random.uniform(1 - REAP_JITTER, 1))
                try:
                    surfaced = await self._ledger.messages.receive(REAP_MOST)
                except StorageUnavailable:
                    log.event("storage_unavailable", "warning", error="receive")
                    continue
                for one in surfaced:
                    group.create_task(
                        contained("reaper", self._see_to(one), call_id=one.call_id or "")
                    )

    async def _see_to(self, one: Surfacing) -> None:
        """One surfaced message, to its end or until it surfaces again."""
        call_id, surfaced = one.call_id or "", one.surfaced
        began = asyncio.get_running_loop().time()
        log.event("message_surfaced", call_id=call_id, dequeue_count=surfaced.dequeue_count)
        try:
            try:
                outcome = await recover_surfaced(self._ledger, self._acs, one)
            except RecordError:
                why = "unreadable record"
                await self._ledger.messages.set_aside(surfaced.message, surfaced.text, why)
                log.event("message_set_aside", "error", call_id=call_id, outcome=why)
            else:
                log.event("message_seen_to", call_id=call_id, outcome=outcome.value)
                if outcome is Recovered.ENDED:
                    reason = await self._ledger.end_reason(call_id)
                    log.event("call_ended", call_id=call_id, reason=str(reason))
                if self._telemetry.tells and call_id:
                    found = await self._ledger.records.get(call_id)
                    if found is not None:
                        recovered(self._telemetry, found.record, began, outcome)
        except StorageUnavailable:
            log.event("storage_unavailable", "warning", call_id=call_id, error="recovery")
