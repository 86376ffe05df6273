"""What the call record's rules answer: write and then act, only act, or leave it. No I/O."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from switchboard.moves import Effect
from switchboard.record import CallRecord


class Why(StrEnum):
    """Why an event changes nothing."""

    TOO_SOON = "too soon"
    """The record was not unchanged for `patience` yet."""
    HEALTHY = "healthy"
    """Nothing is wrong, as far as the asker can know."""
    SUPERSEDED = "superseded"
    """A higher epoch took the call."""
    LOST = "lost"
    """Of this epoch, but in doubt: an owner who hears the caller says `StillHeard`."""
    CLOSING = "closing"
    """Another party is ending the call."""
    ENDED = "ended"
    GONE = "gone"
    """ACS has no such call any more: its owner writes the end, else whoever gets its message."""
    TRANSFERRING = "transferring"
    NO_RECORD = "no record"
    FOREIGN = "foreign"
    """The socket belongs to another call connection."""


@dataclass(frozen=True)
class Write:
    """Write `record`; only whoever wins that write does `then`, in order."""

    record: CallRecord
    then: tuple[Effect, ...] = ()


@dataclass(frozen=True)
class Do:
    """Nothing to write; do this."""

    effects: tuple[Effect, ...]


@dataclass(frozen=True)
class Leave:
    """Nothing to write, nothing to do."""

    why: Why


Decision: TypeAlias = Write | Do | Leave
