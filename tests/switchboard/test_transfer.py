import asyncio
from collections.abc import Sequence

import pytest

from switchboard import limits
from switchboard.moves import AcsView
from switchboard.operations import Acted
from switchboard.transfer import transfer


class Acs:
    """Call Automation as a list of what it will say; the last view stays true."""

    def __init__(self, views: Sequence[AcsView], asked: Acted = Acted.DONE) -> None:
        self._views, self._asked = list(views), asked
        self.polls = 0

    async def transfer(self, connection_id: str, number: str) -> Acted:
        assert (connection_id, number) == ("c", "+15550100099")
        return self._asked

    async def view(self, connection_id: str) -> AcsView:
        self.polls += 1
        return self._views.pop(0) if len(self._views) > 1 else self._views[0]

    async def restart(self, connection_id: str) -> Acted:
        raise AssertionError

    async def stop_and_start(self, connection_id: str) -> Acted:
        raise AssertionError

    async def apologise(self, connection_id: str, text: str) -> Acted:
        raise AssertionError

    async def hang_up(self, connection_id: str) -> Acted:
        raise AssertionError


TALKING, RINGING, GONE = AcsView.STREAMING, AcsView.TRANSFERRING, AcsView.GONE


def reached(acs: Acs) -> bool:
    async def sleep(_: float) -> None:
        return None

    return asyncio.run(transfer(acs, "c", "+15550100099", sleep))


@pytest.mark.parametrize(
    ("views", "polls", "success"),
    [
        ([RINGING, RINGING, GONE], 3, True),
        ([GONE], 1, True),
        ([TALKING, RINGING, TALKING], 3, False),
        ([TALKING], limits.TRANSFER_START_POLLS, False),
        ([RINGING], limits.TRANSFER_POLLS, False),
        ([AcsView.UNKNOWN, RINGING, AcsView.SILENT], 3, False),
    ],
    ids=["taken", "taken at once", "declined", "never began", "rings for ever", "declined, mute"],
)
def test_a_transfer_is_what_acs_shows_of_it(
    views: Sequence[AcsView], polls: int, success: bool
) -> None:
    acs = Acs(views)
    assert reached(acs) is success
    assert acs.polls == polls


@pytest.mark.parametrize("asked", [Acted.GONE, Acted.REFUSED, Acted.FAILED])
def test_a_transfer_that_acs_does_not_begin_is_not_watched(asked: Acted) -> None:
    acs = Acs([RINGING], asked)
    assert not reached(acs)
    assert acs.polls == 0


def test_who_may_not_go_on_watching_gives_up() -> None:
    async def sleep(_: float) -> None:
        return None

    async def twice(polled: int) -> bool:
        return polled < 2

    acs = Acs([RINGING])
    assert not asyncio.run(transfer(acs, "c", "+15550100099", sleep, twice))
    assert acs.polls == 2
