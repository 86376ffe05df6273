"""The words of the call record's rules: events, effects, and what ACS says of a call. No I/O.

The rules themselves are `transitions.step`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal, TypeAlias

from switchboard.end_reason import EndReason
from switchboard.record import MessageRef, TurnRecord


class AcsView(Enum):
    """What ACS says is true of a call now (`get_call_properties`)."""

    GONE = "gone"
    """404, or disconnecting or disconnected."""
    STREAMING = "streaming"
    """Connected, media streaming subscription `active`."""
    SILENT = "silent"
    """Connected, media streaming subscription there and not `active`."""
    TRANSFERRING = "transferring"
    """`transferring` or `transferAccepted`."""
    UNKNOWN = "unknown"
    """ACS could not be asked, or did not say how the subscription stands."""


@dataclass(frozen=True)
class IncomingCall:
    """A further delivery of the incoming-call event."""


@dataclass(frozen=True)
class AnswerAccepted:
    """`answer_call` returned. `setup`: this attempt's setup message, None if none could be sent."""

    connection_id: str
    setup: MessageRef | None


@dataclass(frozen=True)
class AnswerRefused:
    """`answer_call` failed. `proof`: the only request of this attempt was refused in a way that
    proves that nothing happened (400/8523, 401, 403); anything else leaves doubt."""

    attempt: int
    proof: bool
    setup: MessageRef | None


@dataclass(frozen=True)
class MediaRefused:
    """A door refused a socket that had the call's token; `claim` is what failed."""

    claim: str


@dataclass(frozen=True)
class FirstFrame:
    """A socket spoke. `owner` names this socket; `message` is its worker's live message, None if
    none could be sent."""

    owner: str
    message: MessageRef | None
    connection_id: str


@dataclass(frozen=True)
class StillHeard:
    """The owner of an epoch that somebody held to be lost hears the caller; its message as now."""

    epoch: int
    owner: str
    message_id: str | None


@dataclass(frozen=True)
class Replaced:
    """The owner's live message was lost; it sent this one instead."""

    epoch: int
    message_id: str


@dataclass(frozen=True)
class Checkpoint:
    """The owner keeps its turns; winning the write also shows that the call is still its own."""

    epoch: int
    turns: tuple[TurnRecord, ...]


Parting = Literal["hang_up", "apologise", "to_person"]
"""How an owner parts with the caller: it hangs up; Azure Communication Services apologises, for an
agent that cannot, then a person takes over; a person takes over without further words. Without a
fallback number there is no person, and it hangs up."""


@dataclass(frozen=True)
class Ending:
    """The owner wants to end the call."""

    epoch: int
    reason: EndReason
    parting: Parting = "hang_up"
    turns: tuple[TurnRecord, ...] = ()
    usage: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Finished:
    """The owner saw that the call is gone. `message`: its live message, to delete after."""

    epoch: int
    reason: EndReason
    message: MessageRef | None
    turns: tuple[TurnRecord, ...] = ()
    usage: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class LetGo:
    """Somebody holds a message and nothing else of the call: may it be deleted?"""

    message: MessageRef


@dataclass(frozen=True)
class StillClosing:
    """The closer of this claim is alive and waits for a transfer."""

    claim: int


@dataclass(frozen=True)
class Closed:
    """The closer of this claim is done: the caller was handed over, or hung up on."""

    claim: int
    transferred: bool


@dataclass(frozen=True)
class MediaDown:
    """Hearsay: a callback says that the media failed or stopped, perhaps long ago."""

    connection_id: str


@dataclass(frozen=True)
class ConnectedWithoutMedia:
    """Hearsay: a callback said that the call is connected, and no media has come."""

    connection_id: str


@dataclass(frozen=True)
class SocketLost:
    """The owner's socket closed, or brought no frame for 2 s."""

    epoch: int


@dataclass(frozen=True)
class HandOver:
    """The owner is draining, in a pause of the conversation: let another worker take the call."""

    epoch: int
    turns: tuple[TurnRecord, ...]


@dataclass(frozen=True)
class Restarted:
    """Whoever restarted the media of this lost epoch, and was not refused, looks again."""

    epoch: int


@dataclass(frozen=True)
class RestartRefused:
    """The restart was refused because streaming is on: the doubt was wrong, or ACS is."""

    epoch: int


@dataclass(frozen=True)
class Surfaced:
    """The queue handed out a message that its owner should have kept hidden."""

    message: MessageRef
    dequeue_count: int
    text: str = ""
    """Of the message, for setting it aside."""


Doubt: TypeAlias = MediaDown | ConnectedWithoutMedia | SocketLost | HandOver | Restarted | Surfaced
"""Events that start or go on with a recovery; `step` needs ACS's view for them."""

Event: TypeAlias = (
    IncomingCall
    | AnswerAccepted
    | AnswerRefused
    | MediaRefused
    | FirstFrame
    | StillHeard
    | Replaced
    | Checkpoint
    | Ending
    | Finished
    | LetGo
    | StillClosing
    | Closed
    | RestartRefused
    | Doubt
)


@dataclass(frozen=True)
class Answer:
    """Send the descriptor as the setup message, then answer, within `ANSWER_WITHIN_S` of the
    claim. `attempt` goes into the report of a refusal."""

    attempt: int


@dataclass(frozen=True)
class DeleteMessage:
    """Delete this queue message; one that is gone already is no fault."""

    message: MessageRef


@dataclass(frozen=True)
class SetAside:
    """Keep a copy of this message for people, then delete it."""

    message: MessageRef
    text: str
    why: str


@dataclass(frozen=True)
class RestartStreaming:
    """Start media streaming; a refusal means that it is on."""


@dataclass(frozen=True)
class StopThenStart:
    """Stop media streaming, then start it, whatever ACS holds to be true."""


@dataclass(frozen=True)
class Apologise:
    """Say this to the caller through ACS and wait until it was heard."""

    text: str


@dataclass(frozen=True)
class Transfer:
    """Transfer the caller to this number (E.164); hang up if that fails."""

    number: str


@dataclass(frozen=True)
class HangUp:
    """Hang up for everyone; a call that is gone is no fault."""


Effect: TypeAlias = (
    Answer
    | DeleteMessage
    | SetAside
    | RestartStreaming
    | StopThenStart
    | Apologise
    | Transfer
    | HangUp
)
