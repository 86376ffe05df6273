"""Wall time, from one place, so that tests can replace it. Durations use `loop.time()`."""

import time
from collections.abc import Callable

_source: Callable[[], float] = time.time


def wall_now() -> float:
    """Seconds since the Unix epoch."""
    return _source()


def use_wall_clock(source: Callable[[], float]) -> Callable[[], float]:
    """Makes `wall_now` read `source`; returns the source used until now, to put back."""
    global _source
    previous, _source = _source, source
    return previous


def machine_now() -> float:
    """The machine's own clock, whatever `wall_now` was told: only for values that a client library
    compares with it (an access token's expires_on)."""
    return time.time()
