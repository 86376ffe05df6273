"""The media worker with its event loop watched: `python -m bench.observed FILE`.

Between two signals `TOGGLE` it notes how late a timer of the loop is, 50 times a second, and then
leaves the list in FILE, as JSON, in milliseconds. The agents that `--sentences` names wait for
whole sentences before they speak (`bench.sentences`); nothing else differs from the worker.
"""

import argparse
import asyncio
import json
import runpy
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

from bench.sentences import speakers
from media_worker import lag
from media_worker.bridges.realtime_speech import bridge
from simulator.processes import put_file

TOGGLE = signal.SIGUSR1
PROBE_S = 0.02


class LoopWatch:
    """Stands in for `media_worker.lag.watch`."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lags_ms: list[float] | None = None

    async def run(self, tell: Callable[[float], None]) -> None:
        """Runs for ever. Not by the loop's clock: uvloop's stands still within one turn."""
        asyncio.get_running_loop().add_signal_handler(TOGGLE, self._toggle)
        while True:
            due = time.perf_counter() + PROBE_S
            await asyncio.sleep(PROBE_S)
            lag_ms = max(0.0, time.perf_counter() - due) * 1000
            tell(lag_ms)
            if self._lags_ms is not None:
                self._lags_ms.append(lag_ms)

    def _toggle(self) -> None:
        if self._lags_ms is None:
            self._lags_ms = []
            return
        noted, self._lags_ms = self._lags_ms, None
        put_file(self._file, json.dumps(noted))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--sentences", nargs="*", default=[], metavar="AGENT")
    options = parser.parse_args()
    del sys.argv[1:]
    watch = lag.watch
    watch = LoopWatch(options.file).run  # assigned, so that its type is held to the other's
    with (
        patch.object(lag, "watch", watch),
        patch.object(bridge, "Speaker", speakers(options.sentences)),
    ):
        runpy.run_module("media_worker", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
