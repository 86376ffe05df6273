"""What ending and recovering a call ask of Azure Communication Services: a protocol only."""

from enum import Enum
from typing import Protocol

from switchboard.moves import AcsView


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
    """The ACS operations that the ledger's procedures need. `connection_id` as in the record.

    Every method has a time limit of its own, under 10 s with all retries, logs its failures and
    raises nothing but `asyncio.CancelledError`.
    """

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
