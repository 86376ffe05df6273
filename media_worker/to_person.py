"""The way to a person: wished for by the model, begun when its words have been heard."""

import asyncio
from collections.abc import Callable

from media_worker.tools import PutThrough


class WayToPerson:
    """Of one call. A caller who speaks before it has begun stays with the agent."""

    def __init__(self) -> None:
        self._wish: PutThrough | None = None
        self._wished = asyncio.Event()
        self._under_way: PutThrough | None = None

    @property
    def is_on(self) -> bool:
        """Whether it is wished for, or under way."""
        return self._wish is not None or self._under_way is not None

    def wish(self, wish: PutThrough) -> None:
        """The model wants the caller put through."""
        self._wish = wish
        self._wished.set()

    def withdraw(self) -> PutThrough | None:
        """The caller speaks; the wish that came to nothing."""
        wish, self._wish = self._wish, None
        self._wished.clear()
        return wish

    async def begin(self, ahead_s: Callable[[], float]) -> None:
        """Returns when it is wished for and all has been heard; `ahead_s`: how much has not."""
        while self._under_way is None:
            await self._wished.wait()
            await asyncio.sleep(ahead_s())
            self._under_way = self.withdraw()

    def failed(self) -> PutThrough | None:
        """Nobody took the call; the wish that is to be answered."""
        wish, self._under_way = self._under_way, None
        return wish
