"""How late the event loop runs: every call of the process hears it when something blocks it."""

import asyncio
from collections.abc import Callable

from media_worker import log
from media_worker.limits import LAG_PROBE_S, LAG_REPORT_S


async def watch(tell: Callable[[float], None]) -> None:
    """Runs for ever and tells each wake-up's lateness in ms; one later than `LAG_REPORT_S` becomes
    a log line, too."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LAG_PROBE_S
        await asyncio.sleep(LAG_PROBE_S)
        lag_s = max(0.0, loop.time() - due)
        tell(lag_s * 1000)
        if lag_s > LAG_REPORT_S:
            log.event("loop_lag", "warning", lag_ms=round(lag_s * 1000, 1))
