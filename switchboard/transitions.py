"""What may become of a call record: `step` decides, its callers write and only then act. No I/O.

The rules are those of docs/ledger.md. In short: whoever wins the write acts on it; the worker whose
socket spoke last owns the call; all others can only ask Azure Communication Services (ACS) for a
new socket, or end the call.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias, assert_never

from switchboard import limits
from switchboard.end_reason import EndReason
from switchboard.moves import (
    AcsView,
    Answer,
    AnswerAccepted,
    AnswerRefused,
    Apologise,
    Checkpoint,
    Closed,
    ConnectedWithoutMedia,
    DeleteMessage,
    Doubt,
    Effect,
    Ending,
    Event,
    Finished,
    FirstFrame,
    HandOver,
    HangUp,
    IncomingCall,
    LetGo,
    MediaDown,
    MediaRefused,
    Replaced,
    RestartRefused,
    RestartStreaming,
    Restarted,
    SetAside,
    SocketLost,
    StillClosing,
    StopThenStart,
    Surfaced,
    Transfer,
)
from switchboard.record import (
    Answered,
    CallRecord,
    Closing,
    Ended,
    Live,
    Lost,
    MessageRef,
    Ringing,
    State,
    TurnRecord,
)


class Why(StrEnum):
    """Why an event changes nothing."""

    TOO_SOON = "too soon"
    """The record was not unchanged for `patience` yet."""
    HEALTHY = "healthy"
    """Nothing is wrong, as far as the asker can know."""
    SUPERSEDED = "superseded"
    """A higher epoch took the call."""
    LOST = "lost"
    """Of this epoch, but in doubt: an owner who hears the caller says `FirstFrame` again."""
    CLOSING = "closing"
    """Another party is ending the call."""
    ENDED = "ended"
    GONE = "gone"
    """ACS has no such call any more: its owner writes the end, else whoever gets its message."""
    TRANSFERRING = "transferring"
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


def patience(record: CallRecord, event: Event) -> float:
    """Seconds for which the record must be known to be unchanged before `event` counts."""
    raise NotImplementedError


def step(
    record: CallRecord, event: Event, acs: AcsView = AcsView.UNKNOWN, waited_s: float = 0.0
) -> Decision:
    """What `event` makes of `record`. `waited_s`: how long the record is known to be unchanged."""
    raise NotImplementedError
