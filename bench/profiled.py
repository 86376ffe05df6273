"""The media worker under a profiler that counts CPU time: `python -m bench.profiled FILE`.

It records between two signals `TOGGLE`, so that FILE has neither the start nor the end of calls.
"""

import cProfile
import itertools
import runpy
import signal
import sys
import time
from types import FrameType

TOGGLE = signal.SIGUSR1


def main() -> None:
    target = sys.argv.pop(1)
    profile = cProfile.Profile(time.process_time)
    turns = itertools.cycle((profile.enable, profile.disable))

    def toggle(_: int, __: FrameType | None) -> None:
        next(turns)()

    signal.signal(TOGGLE, toggle)
    try:
        runpy.run_module("media_worker", run_name="__main__", alter_sys=True)
    finally:
        profile.disable()
        profile.dump_stats(target)


if __name__ == "__main__":
    main()
