import asyncio
import io
import json
import logging
import time

import pytest

from media_worker import lag, log


def test_a_blocked_loop_is_reported_with_its_lateness() -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    told: list[float] = []
    log.set_up("INFO", stream)

    async def scenario() -> None:
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(lag.watch(told.append))
            await asyncio.sleep(0.05)
            time.sleep(0.5)  # noqa: ASYNC251  # the fault to be seen
            await asyncio.sleep(0.05)
            watch.cancel()

    asyncio.run(scenario())
    root.handlers[:] = before
    root.setLevel(level)
    (line,) = [json.loads(text) for text in stream.getvalue().splitlines()]
    assert line["event"] == "loop_lag"
    assert 200 < line["lag_ms"] < 2000
    assert max(told) == pytest.approx(line["lag_ms"], abs=0.1)
