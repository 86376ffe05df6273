"""The ledger's verdicts. Its interleavings are test_transitions', its storage is test_storage's."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest

from switchboard.decisions import Why
from switchboard.end_reason import EndReason
from switchboard.ledger import (
    Decided,
    Ledger,
    Left,
    Messages,
    StorageUnavailable,
    Versioned,
    Waited,
)
from switchboard.moves import AcsView, Answer, Checkpoint, FirstFrame, MediaDown, SocketLost
from switchboard.record import CallRecord, Closing, Live, Lost, MessageRef, Ringing, TurnRecord
from tests.switchboard.call_azure import CALL_ID, CONNECTION
from tests.switchboard.call_world import descriptor

TURNS = (TurnRecord(speaker="caller", text="hello"),)


class Shelf:
    """`Records` of one call. `before` happens just before a write arrives, `replies` says what
    becomes of it: True as it should, False refused though accepted, an error though accepted."""

    def __init__(self, record: CallRecord | None = None) -> None:
        self.record = record
        self.version = 1
        self.age_s = 0.0
        self.before: list[Callable[[], None]] = []
        self.replies: list[bool | StorageUnavailable] = []

    async def get(self, call_id: str) -> Versioned | None:
        if self.record is None:
            return None
        return Versioned(self.record, str(self.version), self.age_s)

    async def put(self, record: CallRecord, etag: str | None) -> bool:
        if self.before:
            self.before.pop()()
        fits = self.record is None if etag is None else str(self.version) == etag
        if not fits:
            return False
        self.change(record)
        reply = self.replies.pop() if self.replies else True
        if isinstance(reply, StorageUnavailable):
            raise reply
        return reply

    def change(self, record: CallRecord) -> None:
        self.record, self.version = record, self.version + 1


def ledger(shelf: Shelf, by: str = "me") -> Ledger:
    no_messages = cast("Messages", None)
    return Ledger(shelf, no_messages, by=by)


def live(epoch: int = 1) -> CallRecord:
    return CallRecord(
        call_id=CALL_ID,
        state=Live(epoch, "socket", "message"),
        by="another.7",
        seq=4,
        media_token_hash="m",
        callback_token_hash="c",
        descriptor=descriptor(),
        connection_id=CONNECTION,
    )


@pytest.mark.parametrize("reply", [True, False, StorageUnavailable("lost")])
def test_a_claim_is_won_even_if_its_reply_is_lost(reply: bool | StorageUnavailable) -> None:
    shelf = Shelf()
    shelf.replies = [reply]
    verdict = asyncio.run(ledger(shelf).open(descriptor(), "m", "c"))
    assert isinstance(verdict, Decided)
    assert verdict.effects == (Answer(1),)


def test_a_second_claim_is_left_until_the_first_has_stood_for_eight_seconds() -> None:
    shelf = Shelf()

    async def both() -> None:
        await ledger(shelf, "first").open(descriptor(), "m", "c")
        assert isinstance(await ledger(shelf, "second").open(descriptor(), "m", "c"), Left)
        shelf.age_s = 8.0
        verdict = await ledger(shelf, "third").open(descriptor(), "m", "c")
        assert isinstance(verdict, Decided)
        assert verdict.effects == (Answer(2),)

    asyncio.run(both())


@pytest.mark.parametrize("reply", [True, False, StorageUnavailable("lost")])
def test_an_owner_whose_reply_is_lost_keeps_its_call(reply: bool | StorageUnavailable) -> None:
    shelf = Shelf(live())
    shelf.replies = [reply]
    verdict = asyncio.run(ledger(shelf).decide(CALL_ID, Checkpoint(1, TURNS)))
    assert isinstance(verdict, Decided)
    assert shelf.record is not None
    assert (shelf.record.turns, shelf.record.seq) == (TURNS, 5)


def test_a_write_that_somebody_beat_is_decided_again_from_what_is_there() -> None:
    shelf = Shelf(live())
    shelf.before = [lambda: shelf.change(live(epoch=2))]
    verdict = asyncio.run(ledger(shelf).decide(CALL_ID, Checkpoint(1, TURNS)))
    assert isinstance(verdict, Left)
    assert verdict.why is Why.SUPERSEDED


def test_one_of_two_who_mean_to_restart_a_call_may() -> None:
    shelf = Shelf(live())

    async def both() -> None:
        results = [
            await ledger(shelf, by).decide(
                CALL_ID, MediaDown(CONNECTION), acs=AcsView.SILENT, waited=Waited("1", 0.5)
            )
            for by in ("mine", "other")
        ]
        assert [type(result) for result in results] == [Decided, Left]

    asyncio.run(both())


def test_time_that_was_waited_for_another_version_does_not_count() -> None:
    shelf = Shelf(replace(live(), state=Lost(1, EndReason.MEDIA_FAILED)))

    async def close(version: str) -> Decided | Left:
        return await ledger(shelf).decide(
            CALL_ID, SocketLost(1), acs=AcsView.SILENT, waited=Waited(version, 60.0)
        )

    assert asyncio.run(close("0")) == Left(Why.TOO_SOON, shelf.record)
    closing = asyncio.run(close("1"))
    assert isinstance(closing, Decided)
    assert isinstance(closing.record.state, Closing)


def test_every_version_is_stamped_as_nobody_elses() -> None:
    shelf = Shelf()

    async def stamps() -> set[tuple[str, int]]:
        found = set()
        mine = ledger(shelf)
        await mine.open(descriptor(), "m", "c")
        for attempt in range(3):
            assert shelf.record is not None
            found.add((shelf.record.by, shelf.record.seq))
            frame = FirstFrame(f"socket-{attempt}", MessageRef("m", "r"), CONNECTION)
            await mine.decide(CALL_ID, frame)
        return found

    written = asyncio.run(stamps())
    assert len({by for by, _ in written}) == 3
    assert sorted(seq for _, seq in written) == [1, 2, 3]


def test_a_call_without_a_record_is_left() -> None:
    verdict = asyncio.run(ledger(Shelf()).decide(CALL_ID, SocketLost(1)))
    assert verdict == Left(Why.NO_RECORD, None)


def test_a_write_of_unknown_fate_that_is_not_there_is_an_outage() -> None:
    shelf = Shelf(replace(live(), state=Ringing(1)))

    def fail() -> None:
        raise StorageUnavailable("no answer")

    shelf.before = [fail]
    frame = FirstFrame("socket", MessageRef("m", "r"), CONNECTION)
    with pytest.raises(StorageUnavailable, match="no answer"):
        asyncio.run(ledger(shelf).decide(CALL_ID, frame))
