"""What a call asks of the process around it, and what it gives back when it is over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from switchboard.end_reason import EndReason
from switchboard.moves import Parting
from switchboard.record import TurnRecord


class Leg(Protocol):
    """The caller's media connection: the WebSocket that Azure Communication Services opened."""

    async def receive(self) -> bytes | None:
        """The payload of the next message: text as UTF-8 bytes, a binary message as b"" (the
        service sends none). None: the connection is closed, whatever closed it; so ever after."""

    async def send(self, data: bytes) -> None:
        """Sends a text message; it is written before the first suspension, so that messages keep
        the order of the calls. Suspends only while the peer does not read. Raises ConnectionError
        when the connection is closed, also while it is suspended."""

    async def close(self, code: int) -> None:
        """Closes, within `LEG_CLOSE_S`; another task's `receive` then returns None."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """The caller is back on this leg, which has spoken and has taken the call for us. Messages it
    received until now are still to be read from it, its first one included."""

    leg: Leg


@dataclass(frozen=True, slots=True)
class Gone:
    """The call is over: the caller hung up, or whoever recovers calls has ended it."""

    reason: EndReason = EndReason.CALLER_HUNG_UP


@dataclass(frozen=True, slots=True)
class Superseded:
    """The call goes on, but not with us: another worker holds it, or is to take it."""


SocketLost: TypeAlias = Resumed | Gone | Superseded


class Owner(Protocol):
    """The call's place in the ledger and at Azure Communication Services. Every method bounds its
    own waits and raises nothing that a call could act upon."""

    async def first_frame(self) -> bool:
        """The leg spoke: takes the call. False: it is somebody else's, or over."""

    async def checkpoint(self, turns: Sequence[TurnRecord]) -> bool:
        """Writes the turns so far to the record. False: the call is no longer ours."""

    async def socket_lost(self) -> SocketLost:
        """The leg closed. Finds out what became of the call, within `RESUME_S`."""
        ...

    async def transfer(self, number: str) -> bool:
        """Hands the caller to this number (E.164). True: the call is over for us; False: nobody
        took it, and the caller is still here."""
        ...

    async def part(self, outcome: "CallOutcome", parting: Parting) -> None:
        """Ends the call for the caller, who is still there. `outcome` is what is known by then,
        for the record, which is written before anything is done."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The call is over: its record is still to be written, its message to be deleted."""

    reason: EndReason


@dataclass(frozen=True, slots=True)
class LetGo:
    """The call goes on without us: nothing of it is ours to write or to delete."""

    why: Literal["never_spoke", "not_taken", "superseded", "handed_over"]


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """What a call leaves behind for its record and its last log line."""

    ending: Ended | LetGo
    turns: tuple[TurnRecord, ...] = ()
    usage: Mapping[str, int] = field(default_factory=dict)
    """Token counts, summed over the agent's turns, as the service names them."""
    greeting_ms: float | None = None
    """From the first frame to the first agent audio sent; None: the agent never spoke."""
    frames_in: int = 0
    frames_out: int = 0
    frames_skipped: int = 0
    failure: str = ""
    """The bridge's code when the reason is `bridge_failed`, for the log."""
