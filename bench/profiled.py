"""The media worker under a profiler that counts CPU time: `python -m bench.profiled FILE`."""

import cProfile
import runpy
import sys
import time


def main() -> None:
    target = sys.argv.pop(1)
    profile = cProfile.Profile(time.process_time)
    try:
        profile.runcall(runpy.run_module, "media_worker", run_name="__main__", alter_sys=True)
    finally:
        profile.dump_stats(target)


if __name__ == "__main__":
    main()
