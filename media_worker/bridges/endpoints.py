"""The resources of one AI service, which share its calls.

A resource takes so many new connections a minute and so many tokens (Voice Live, S0: 30 and
120,000; Microsoft Learn, "Voice Live quotas"): several are a deployment's way to more calls. A new
connection goes where the fewest went in the last minute; a resource that is out of quota or cannot
be reached is passed over for a while, if there is another.
"""

from collections import deque
from collections.abc import Collection, Sequence

from media_worker.limits import ENDPOINT_WINDOW_S


class Endpoints:
    """`urls`: at least one. Times are seconds of the loop's clock."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._connections: dict[str, deque[float]] = {url: deque() for url in urls}
        self._shunned_until = dict.fromkeys(urls, float("-inf"))

    @property
    def urls(self) -> tuple[str, ...]:
        """All of them, as configured."""
        return tuple(self._connections)

    def best(self, now: float, but: Collection[str] = ()) -> str | None:
        """Where to connect next; `but`: not there. None: nothing is left."""
        for times in self._connections.values():
            while times and times[0] <= now - ENDPOINT_WINDOW_S:
                times.popleft()
        left = [url for url in self._connections if url not in but]
        return min(left, key=lambda url: self._badness(url, now), default=None)

    def connected(self, url: str, now: float) -> None:
        """A connection was made."""
        self._connections[url].append(now)

    def shun(self, url: str, now: float, for_s: float) -> None:
        """It refused, or did not answer."""
        self._shunned_until[url] = now + for_s

    def _badness(self, url: str, now: float) -> tuple[bool, int]:
        return self._shunned_until[url] > now, len(self._connections[url])
