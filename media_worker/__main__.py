"""`python -m media_worker`: one media worker, until SIGTERM (drains) or SIGINT (stops)."""

import asyncio
import ctypes
import gc
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress

from media_worker import log
from media_worker.app import CannotListen, serving
from media_worker.settings import Settings
from switchboard.settings import SettingsError

LoopFactory = Callable[[], asyncio.AbstractEventLoop]

_M_ARENA_MAX = -8
"""`mallopt`'s name for it in glibc's malloc.h."""


def main() -> int:
    """0 after a stop that was asked for; 1 if the port is taken; 2 if the environment is not in
    order."""
    try:
        settings = Settings.from_env(os.environ)
    except SettingsError as error:
        print(f"The media worker's settings are not in order:\n{error}", file=sys.stderr)
        return 2
    log.set_up(settings.log_level)
    limit_arenas()
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_serve(settings))
    except CannotListen as error:
        print(f"The media worker {error}", file=sys.stderr)
        return 1
    return 0


def limit_arenas() -> None:
    """Two heaps for all threads, where the memory allocator is glibc's. It would make eight for
    each core: the native Speech SDK has hundreds of threads, what they freed would stay in the heap
    of each, and the worker would grow for hours without a leak."""
    if sys.platform == "linux":
        with suppress(AttributeError):  # another C library, which has no such thing
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


def _loop_factory() -> LoopFactory:
    """uvloop's where it exists: it is faster, and there is none for Windows."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    factory: LoopFactory = uvloop.new_event_loop
    return factory


async def _serve(settings: Settings) -> None:
    loop = asyncio.get_running_loop()
    told, hurried = asyncio.Event(), asyncio.Event()

    def tell(hurry: bool) -> None:
        if hurry or told.is_set():
            hurried.set()
        told.set()

    # Not aiohttp's own handling of SIGTERM: it would stop reading from open media sockets.
    loop.add_signal_handler(signal.SIGTERM, tell, False)
    loop.add_signal_handler(signal.SIGINT, tell, True)
    async with serving(settings) as serves:
        gc.freeze()  # what is here now lives as long as the process: no collection need visit it
        await told.wait()
        async with asyncio.TaskGroup() as group:
            drained = group.create_task(serves.drain(0 if hurried.is_set() else None))
            hurry = group.create_task(_cut_short(hurried, drained))
            await asyncio.wait([drained])
            hurry.cancel()


async def _cut_short(hurried: asyncio.Event, drained: "asyncio.Task[None]") -> None:
    """A second signal, or Ctrl-C, ends the drain."""
    await hurried.wait()
    drained.cancel()


if __name__ == "__main__":
    sys.exit(main())
