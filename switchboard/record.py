"""The call record: the one blob per call that says who may do what with it. No I/O.

Its state is a closed union; `transitions.step` is the only place that changes it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias, TypeVar, assert_never

from switchboard.end_reason import EndReason
from switchboard.session import DescriptorError, SessionDescriptor

VERSION = 1
"""The only record version that this code writes and reads."""


class RecordError(ValueError):
    """Text that is not a call record; the message says why, without content."""


@dataclass(frozen=True)
class Ringing:
    """Claimed, answer on its way. `attempt` counts the claims, from 1."""

    attempt: int


@dataclass(frozen=True)
class Answered:
    """Azure Communication Services accepted the answer; no media yet."""


@dataclass(frozen=True)
class Live:
    """A media socket spoke and its worker owns the call."""

    epoch: int
    """Counts the takings of the call, from 1; it only grows."""
    owner: str
    """Names one socket at one worker, never two."""
    message_id: str | None
    """The owner's live message: the one message that is the call's own now. None: the queue could
    not take one, so any message is."""


@dataclass(frozen=True)
class Lost:
    """Nobody hears the caller; streaming is being restarted."""

    epoch: int
    """Of the live state that was lost; 0: there was none yet."""
    cause: EndReason
    """The reason if this cannot be mended."""
    streaming: bool = False
    """The restart was refused because streaming is on: only who knows better may close."""


@dataclass(frozen=True)
class Closing:
    """One party won the right to end the call and is about to. Doors are shut."""

    claim: int
    """Counts the closers, from 1; a later one hangs up without a second apology."""
    cause: EndReason


@dataclass(frozen=True)
class Ended:
    """Over, for good."""

    reason: EndReason


State: TypeAlias = Ringing | Answered | Live | Lost | Closing | Ended


@dataclass(frozen=True)
class MessageRef:
    """One queue message as one party may touch it: each receive or update makes a new receipt."""

    id: str
    receipt: str


@dataclass(frozen=True, kw_only=True)
class TurnRecord:
    """One turn as it is kept. Times in milliseconds from the media's first frame."""

    speaker: Literal["caller", "agent"]
    text: str | None = None
    """What was said; None where the agent keeps no transcript."""
    heard_text: str | None = None
    """What the caller heard of an agent's turn, where that is less than `text`."""
    started_ms: float = 0.0
    ended_ms: float = 0.0
    interrupted: bool = False
    reply_latency_ms: float | None = None
    """End of the caller's speech to the first sample of this agent turn; None: no such pair."""


@dataclass(frozen=True, kw_only=True)
class CallRecord:
    """All that is known of one call. Only the ledger stamps `by` and `seq`."""

    call_id: str
    state: State
    by: str = ""
    """Who wrote this version: random per process, counted per attempt, so never used twice."""
    seq: int = 0
    """Counts the versions."""
    media_token_hash: str
    callback_token_hash: str
    descriptor: SessionDescriptor
    connection_id: str | None = None
    """The ACS call connection; None until the answer returned, or a socket or callback named it."""
    setup: MessageRef | None = None
    """The setup message, once the answer was recorded."""
    media_refusal: str | None = None
    """The claim on which a door last refused the call's media."""
    turns: tuple[TurnRecord, ...] = ()
    usage: Mapping[str, int] = field(default_factory=dict)
    """Token counts as the AI service names them."""
    started: float | None = None
    """Wall time of the media's first frame, Unix seconds."""
    ended: float | None = None
    """Wall time of the end, Unix seconds."""

    @property
    def epoch(self) -> int:
        """The newest epoch that the state speaks of; 0 before the first, and once it is closing."""
        return self.state.epoch if isinstance(self.state, Live | Lost) else 0

    def owns(self, message_id: str) -> bool:
        """Whether this message is the call's own: the one that the record names, or any while it
        names none."""
        match self.state:
            case Live(message_id=named):
                return named is None or named == message_id
            case Answered():
                return self.setup is None or self.setup.id == message_id
            case Ringing() | Lost() | Closing():
                return True
            case Ended():
                return False
            case _:
                assert_never(self.state)

    def ending(self, reason: EndReason) -> "CallRecord":
        """This record, ended. Its words stay only if the agent keeps a transcript."""
        turns = self.turns
        if not self.descriptor.agent.transcript:
            turns = tuple(replace(turn, text=None, heard_text=None) for turn in turns)
        return replace(self, state=Ended(reason), turns=turns)

    def stamped(self, by: str, seq: int) -> "CallRecord":
        """This record as the version that `by` writes."""
        return replace(self, by=by, seq=seq)

    def to_json(self) -> str:
        """One JSON object; the descriptor and the state are objects inside it."""
        fields = {name: getattr(self, name) for name in _PLAIN}
        return json.dumps(
            fields
            | {
                "version": VERSION,
                "state": _state_to_json(self.state),
                "setup": vars(self.setup) if self.setup else None,
                "turns": [vars(turn) for turn in self.turns],
                "usage": dict(self.usage),
                "descriptor": json.loads(self.descriptor.to_json()),
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, text: str | bytes) -> "CallRecord":
        """The record in `text`. Unknown fields are ignored; raises `RecordError` saying which
        known one is missing or wrong, or that the version or the state is unknown here."""
        try:
            fields = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise RecordError("not JSON") from error
        if not isinstance(fields, dict):
            raise RecordError("not a JSON object")
        if fields.get("version") != VERSION:
            raise RecordError(f"version {fields.get('version')!r} is unknown, {VERSION} is known")
        try:
            return cls._from_fields(fields)
        except KeyError as error:
            raise RecordError(f"missing: {error.args[0]}") from error
        except DescriptorError as error:
            raise RecordError(f"descriptor: {error}") from error
        except (TypeError, ValueError, AttributeError) as error:
            raise RecordError(f"malformed: {error}") from error

    @classmethod
    def _from_fields(cls, fields: dict[str, Any]) -> "CallRecord":
        for name, kinds in _PLAIN.items():
            if not isinstance(fields[name], kinds) or isinstance(fields[name], bool):
                raise RecordError(f"malformed: {name}")
        return cls(
            **{name: fields[name] for name in _PLAIN},
            state=_state_from_json(fields["state"]),
            setup=_known(MessageRef, fields["setup"]) if fields["setup"] is not None else None,
            turns=tuple(_known(TurnRecord, turn) for turn in fields["turns"]),
            usage={str(name): int(count) for name, count in fields["usage"].items()},
            descriptor=SessionDescriptor.from_fields(fields["descriptor"]),
        )


_OPTIONAL_TEXT, _OPTIONAL_TIME = (str, type(None)), (int, float, type(None))
_PLAIN: Mapping[str, tuple[type, ...]] = {
    "call_id": (str,),
    "by": (str,),
    "seq": (int,),
    "media_token_hash": (str,),
    "callback_token_hash": (str,),
    "connection_id": _OPTIONAL_TEXT,
    "media_refusal": _OPTIONAL_TEXT,
    "started": _OPTIONAL_TIME,
    "ended": _OPTIONAL_TIME,
}

_STATES: Mapping[str, Callable[[dict[str, Any]], State]] = {
    "ringing": lambda at: Ringing(int(at["attempt"])),
    "answered": lambda at: Answered(),
    "live": lambda at: Live(int(at["epoch"]), str(at["owner"]), at["message_id"]),
    "lost": lambda at: Lost(int(at["epoch"]), EndReason(at["cause"]), bool(at["streaming"])),
    "closing": lambda at: Closing(int(at["claim"]), EndReason(at["cause"])),
    "ended": lambda at: Ended(EndReason(at["reason"])),
}


def state_name(state: State) -> str:
    """The state's name in the record and in the log: `ringing`, `live`, …"""
    match state:
        case Ringing() | Answered() | Live() | Lost() | Closing() | Ended():
            return type(state).__name__.lower()
        case _:
            assert_never(state)


def _state_to_json(state: State) -> dict[str, Any]:
    return {"name": state_name(state)} | vars(state)


def _state_from_json(fields: dict[str, Any]) -> State:
    if (make := _STATES.get(fields["name"])) is None:
        raise RecordError(f"state {fields['name']!r} is unknown")
    return make(fields)


T = TypeVar("T")


def _known(kind: type[T], fields: dict[str, Any]) -> T:
    """`kind` from the fields it knows; what a later version added is left out."""
    names = kind.__dataclass_fields__  # type: ignore[attr-defined]  # both kinds are dataclasses
    return kind(**{name: value for name, value in fields.items() if name in names})
