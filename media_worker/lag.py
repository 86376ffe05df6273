"""How late the event loop runs: every call of the process hears it when something blocks it."""

import asyncio

from media_worker import log
from media_worker.limits import LAG_PROBE_S, LAG_REPORT_S


async def watch() -> None:
    """Runs for ever; a wake-up later than `LAG_REPORT_S` becomes one log line."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LAG_PROBE_S
        await asyncio.sleep(LAG_PROBE_S)
        if (lag_s := loop.time() - due) > LAG_REPORT_S:
            log.event("loop_lag", "warning", lag_ms=round(lag_s * 1000, 1))
