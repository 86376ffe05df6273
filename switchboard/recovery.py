"""The one procedure for a call whose media is in doubt, and for ending a call.

Three callers: the callback Function, an owner whose socket died, a worker that received a surfaced
message. All of them wait, ask ACS what is true now, decide on the record, and act only on a write
they won.
"""

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Protocol

from switchboard.ledger import Ledger
from switchboard.moves import AcsView, Doubt, Ending


class Acted(Enum):
    """What became of an operation on a call. Nothing else comes back, and nothing is raised."""

    DONE = "done"
    """Accepted (2xx)."""
    GONE = "gone"
    """There is no such call any more: 404/8522, 400/8528 (call terminated)."""
    REFUSED = "refused"
    """Any other 4xx: for `restart`, streaming is on."""
    FAILED = "failed"
    """No answer, 5xx, or throttled, after the client's own retries."""


class AcsCalls(Protocol):
    """The ACS operations that recovery needs. `connection_id` as in the record. Every method has
    a time limit of its own, under 10 s with all retries, logs its failures and raises nothing but
    `asyncio.CancelledError`."""

    async def view(self, connection_id: str) -> AcsView:
        """What is true now (`get_call_properties`): 404, `disconnecting`, `disconnected` → GONE;
        `transferring`, `transferAccepted` → TRANSFERRING; `connecting` or `connected` → STREAMING
        or SILENT by the media streaming subscription's state, UNKNOWN without one; no answer →
        UNKNOWN."""
        ...

    async def restart(self, connection_id: str) -> Acted:
        """`start_media_streaming`, which connects to the URL given at the answer."""
        ...

    async def stop_and_start(self, connection_id: str) -> Acted:
        """`stop_media_streaming`, its refusal ignored, then `start_media_streaming`: the result
        of the second."""
        ...

    async def apologise(self, connection_id: str, text: str) -> Acted:
        """Plays `text` to all, over anything that plays; returns when the play was accepted."""
        ...

    async def transfer(self, connection_id: str, number: str) -> Acted:
        """Transfers the caller to this number (E.164); returns when the request was accepted."""
        ...

    async def hang_up(self, connection_id: str) -> Acted:
        """`hang_up(is_for_everyone=True)`."""
        ...


class Recovered(Enum):
    """How a recovery ended."""

    HEALTHY = "healthy"
    """Somebody hears the caller, or nothing is wrong as far as ACS says: nothing was done."""
    GONE = "gone"
    """The call is over at ACS, and its owner is to write the end (`Finished`)."""
    ENDED = "ended"
    """The record is `ended`, by this recovery or by another."""
    LEFT = "left"
    """Another party is ending the call, or it is being transferred, or the limits of this
    recovery were reached: the message in the queue stays and brings the next one."""


Sleep = Callable[[float], Awaitable[None]]


async def recover(
    ledger: Ledger,
    acs: AcsCalls,
    call_id: str,
    doubt: Doubt,
    *,
    sleep: Sleep = asyncio.sleep,
) -> Recovered:
    """Sees `doubt` through to one of `Recovered`. May take a minute when a transfer rings.

    Raises `StorageUnavailable`; the call's message in the queue then brings the next recovery.
    """
    raise NotImplementedError


async def end_call(
    ledger: Ledger,
    acs: AcsCalls,
    call_id: str,
    ending: Ending,
    *,
    sleep: Sleep = asyncio.sleep,
) -> Recovered:
    """An owner's way to hang up: `closing` is won first, then the caller hears the apology (if
    any) and is transferred or hung up on, then the record ends. `Recovered.ENDED`: delete the live
    message (`LetGo` says so too). Anything else: the call is not ours to end."""
    raise NotImplementedError
