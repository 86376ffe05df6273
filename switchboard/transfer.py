"""Hands a caller to a phone number and finds out whether anybody took the call."""

from collections.abc import Awaitable, Callable

from switchboard import limits
from switchboard.moves import AcsView
from switchboard.operations import AcsCalls, Acted

Sleep = Callable[[float], Awaitable[None]]


async def transfer(
    acs: AcsCalls,
    connection_id: str,
    number: str,
    sleep: Sleep,
    go_on: Callable[[int], Awaitable[bool]] | None = None,
) -> bool:
    """Whether the caller is in other hands. No callback reaches us, so ACS is asked: gone means
    accepted, connected again means failed (Call Automation docs, "Transfer"). `go_on` is asked
    after each poll, with its number from 1; False gives up watching."""
    if await acs.transfer(connection_id, number) is not Acted.DONE:
        return False
    under_way = False
    for polled in range(1, limits.TRANSFER_POLLS + 1):
        await sleep(limits.TRANSFER_POLL_S)
        match await acs.view(connection_id):
            case AcsView.GONE:
                return True
            case AcsView.TRANSFERRING:
                under_way = True
            case AcsView.STREAMING | AcsView.SILENT:
                if under_way or polled >= limits.TRANSFER_START_POLLS:
                    return False
            case AcsView.UNKNOWN:
                pass
        if go_on is not None and not await go_on(polled):
            return False
    return False
