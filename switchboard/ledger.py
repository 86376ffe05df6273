"""The ledger: carries out `transitions.step` on the one record that every party of a call shares.

A write is conditional on the version it was decided from. An answer of "conflict" is no verdict: a
reply may have been lost and the request sent again, by the SDK or by aiohttp itself. So the record
is read: a version stamped with our own `by` and `seq` means that we won; anything else is decided
again. Here are no clocks and no sockets: `storage.py` has those.
"""

from dataclasses import dataclass
from typing import Protocol, TypeAlias

from switchboard.decisions import Why
from switchboard.moves import AcsView, Effect, Event
from switchboard.record import CallRecord, MessageRef
from switchboard.session import SessionDescriptor


class StorageUnavailable(Exception):
    """Storage did not answer, or refused, within the limits; the text says on what."""


@dataclass(frozen=True)
class Versioned:
    """A record as it was read."""

    record: CallRecord
    etag: str
    age_s: float
    """Since its last write, by the storage's own clock (response Date − Last-Modified): ± 1 s."""


@dataclass(frozen=True)
class Decided:
    """The decision is ours to carry out: its write, if any, was won."""

    record: CallRecord
    effects: tuple[Effect, ...]


@dataclass(frozen=True)
class Left:
    """Nothing to do. `record` as it stands; None: there is no record of this call."""

    why: Why
    record: CallRecord | None


@dataclass(frozen=True)
class Waited:
    """What a party saw: this version, unchanged for so long."""

    etag: str
    seconds: float


@dataclass(frozen=True)
class Surfacing:
    """A message that the queue handed out. `call_id` None: it is not one of ours; `text` is kept
    only for setting it aside."""

    message: MessageRef
    dequeue_count: int
    call_id: str | None
    text: str


class Records(Protocol):
    """The records' blobs. Every method raises `StorageUnavailable`, `RecordError` for a blob that
    cannot be read, and nothing else."""

    async def get(self, call_id: str) -> Versioned | None:
        """The record; None if there is none."""
        ...

    async def etag(self, call_id: str) -> str | None:
        """The version alone, at a fraction of the cost."""
        ...

    async def put(self, record: CallRecord, etag: str | None) -> bool:
        """Writes `record` over version `etag`, None: only if there is none yet. False: refused
        or unclear, so read."""
        ...


class Messages(Protocol):
    """The queue `sessions`. Every method raises `StorageUnavailable`, and nothing else."""

    async def send_setup(self, descriptor: SessionDescriptor) -> MessageRef:
        """The descriptor, hidden for `SETUP_HIDDEN_S`."""
        ...

    async def send_live(self, call_id: str) -> MessageRef:
        """An owner's message, hidden for `LIVE_HIDDEN_S`."""
        ...

    async def renew(self, message: MessageRef) -> MessageRef | None:
        """Hides it for `LIVE_HIDDEN_S` more; its old receipt is dead. None: the message is lost,
        so send another and say `Replaced`."""
        ...

    async def delete(self, message: MessageRef) -> None:
        """Deletes it, if it is still there and this receipt still counts."""
        ...

    async def receive(self, most: int) -> list[Surfacing]:
        """What has surfaced, hidden for `SURFACED_HIDDEN_S`."""
        ...

    async def set_aside(self, surfacing: Surfacing, why: str) -> None:
        """Keeps a copy in the blob `dead-letters/…`, then deletes it."""
        ...


class Ledger:
    """Reads, decides, writes. One per process; safe for any number of calls at once."""

    def __init__(self, records: Records, messages: Messages, *, by: str) -> None:
        """`by`: random, never used by another process."""
        self.records = records
        self.messages = messages
        self._by = by
        self._attempts = 0

    async def open(
        self, descriptor: SessionDescriptor, media_token_hash: str, callback_token_hash: str
    ) -> "Decided | Left":
        """Claims the call. `Decided`: send the setup message, then answer (`Ringing.attempt` tells
        the first claim from a taking over). `Left`: another delivery has it, or had it."""
        raise NotImplementedError

    async def decide(
        self,
        call_id: str,
        event: Event,
        *,
        acs: AcsView = AcsView.UNKNOWN,
        waited: Waited | None = None,
    ) -> "Decided | Left":
        """Carries out what `step` makes of `event`, against all comers. The caller then does
        `Decided.effects`, in order, and nothing else."""
        raise NotImplementedError


Verdict: TypeAlias = Decided | Left
