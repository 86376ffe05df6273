"""The ledger: carries out `transitions.step` on the one record that every party of a call shares.

A write is conditional on the version it was decided from. An answer of "conflict" is no verdict: a
reply may have been lost and the request sent again, by the SDK or by aiohttp itself. So the record
is read: a version stamped with our own `by` and `seq` means that we won; anything else is decided
again. Here are no clocks and no sockets: `storage.py` has those.
"""

from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias, assert_never

from switchboard import limits
from switchboard.clock import wall_now
from switchboard.decisions import Do, Leave, Why, Write
from switchboard.end_reason import EndReason
from switchboard.moves import AcsView, Answer, Effect, Event, IncomingCall, Surfaced
from switchboard.record import CallRecord, Ended, Live, MessageRef, Ringing
from switchboard.session import SessionDescriptor
from switchboard.transitions import step


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


Verdict: TypeAlias = Decided | Left


@dataclass(frozen=True)
class Waited:
    """What a party saw: this version, unchanged for so long."""

    etag: str
    seconds: float


@dataclass(frozen=True)
class Surfacing:
    """What the queue handed out. `call_id` None: the message is not one of ours."""

    call_id: str | None
    surfaced: Surfaced


class Records(Protocol):
    """The records' blobs. Every method raises `StorageUnavailable`, `RecordError` for a blob that
    cannot be read, and nothing else."""

    async def get(self, call_id: str) -> Versioned | None:
        """The record; None if there is none."""
        ...

    async def put(self, record: CallRecord, etag: str | None) -> bool:
        """Writes `record` over version `etag`, None: only if there is none yet. False: refused
        (409, 412), perhaps because an earlier sending of the same request was not."""
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

    async def set_aside(self, message: MessageRef, text: str, why: str) -> None:
        """Keeps a copy in the blob `dead-letters/…`, then deletes the message."""
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
    ) -> Verdict:
        """Claims the call. `Decided`: do `Answer`. `Left`: another delivery has it, or had it.

        Raises `StorageUnavailable` and `RecordError`.
        """
        call_id = descriptor.call_id
        record = CallRecord(
            call_id=call_id,
            state=Ringing(1),
            media_token_hash=media_token_hash,
            callback_token_hash=callback_token_hash,
            descriptor=descriptor,
        ).stamped(self._next_by(), 1)
        if await self._won(record, None):
            return Decided(record, (Answer(1),))
        seen = await self.records.get(call_id)
        if seen is not None and seen.record.by == record.by:
            return Decided(record, (Answer(1),))
        waited = Waited(seen.etag, seen.age_s) if seen is not None else None
        return await self.decide(call_id, IncomingCall(), waited=waited)

    async def decide(
        self,
        call_id: str,
        event: Event,
        *,
        acs: AcsView = AcsView.UNKNOWN,
        waited: Waited | None = None,
    ) -> Verdict:
        """Carries out what `step` makes of `event`, against all comers. The caller then does
        `Decided.effects`, in order, and nothing else.

        Raises `StorageUnavailable` and `RecordError`: it is then unknown whether the write counts,
        and nothing may be done; the call's message in the queue brings somebody who reads.
        """
        by = self._next_by()
        tried: dict[int, Decided] = {}
        for _ in range(limits.DECIDE_TRIES):
            seen = await self.records.get(call_id)
            if seen is None:
                return Left(Why.NO_RECORD, None)
            if seen.record.by == by:
                return tried[seen.record.seq]
            unchanged_s = waited.seconds if waited and waited.etag == seen.etag else 0.0
            match step(seen.record, event, acs, unchanged_s):
                case Leave(why):
                    return Left(why, seen.record)
                case Do(effects):
                    return Decided(seen.record, effects)
                case Write(changed, then):
                    record = _timed(changed).stamped(by, seen.record.seq + 1)
                    won = tried[record.seq] = Decided(record, then)
                    if await self._won(record, seen.etag):
                        return won
                case never:
                    assert_never(never)
        raise StorageUnavailable(f"the record of {call_id} was written by others all the time")

    async def end_reason(self, call_id: str) -> EndReason | None:
        """How the call ended; None: it has not. Raises `StorageUnavailable` and `RecordError`."""
        found = await self.records.get(call_id)
        state = found.record.state if found is not None else None
        return state.reason if isinstance(state, Ended) else None

    async def _won(self, record: CallRecord, etag: str | None) -> bool:
        """Whether `record` was written. False: the caller reads, and only then knows."""
        try:
            return await self.records.put(record, etag)
        except StorageUnavailable:
            seen = await self.records.get(record.call_id)
            if seen is None or (seen.record.by, seen.record.seq) != (record.by, record.seq):
                raise
            return True

    def _next_by(self) -> str:
        self._attempts += 1
        return f"{self._by}.{self._attempts}"


def _timed(record: CallRecord) -> CallRecord:
    """With the wall time of what the state says has just happened."""
    match record.state:
        case Live() if record.started is None:
            return replace(record, started=wall_now())
        case Ended() if record.ended is None:
            return replace(record, ended=wall_now())
        case _:
            return record
