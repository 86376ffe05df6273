import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from media_worker.claim import Claim
from media_worker.leg import CallOutcome, Ended, LetGo
from simulator.storage import Fault
from switchboard.end_reason import EndReason
from switchboard.moves import FirstFrame
from switchboard.record import Closing, Live, Lost, TurnRecord
from switchboard.record import Ended as RecordEnded
from tests.media_worker.stage import Answered, Stage, stage
from tests.virtual_time import run

TURN = TurnRecord(speaker="agent", text="Hello", started_ms=0.0, ended_ms=900.0)


@asynccontextmanager
async def answered() -> AsyncIterator[tuple[Stage, Answered, str]]:
    """A call that was answered and has no media; its connection id."""
    async with stage() as here:
        call = await here.ring(media_url="ws://127.0.0.1:9")
        assert call.simulated.connection is not None
        yield here, call, call.simulated.connection.id


def with_claim(scene: Callable[[Stage, Claim, str], Awaitable[None]]) -> None:
    async def scenario() -> None:
        async with answered() as (here, call, connection_id):
            claim = Claim(here.ledger, call.call_id)
            await claim.announce()
            await scene(here, claim, connection_id)

    run(scenario())


def test_taking_names_our_message_in_the_record_and_then_deletes_the_setup_message() -> None:
    async def scene(here: Stage, claim: Claim, connection_id: str) -> None:
        assert here.messages == 2
        assert await claim.take(connection_id)
        state = (await here.record(claim.call_id)).state
        assert claim.message is not None
        assert isinstance(state, Live)
        assert (state.epoch, state.message_id) == (1, claim.message.id)
        assert [left.id for left in here.storage.messages("sessions")] == [claim.message.id]
        assert await claim.standing() is None

    with_claim(scene)


def test_a_taking_whose_reply_was_lost_counts_once() -> None:
    async def scene(here: Stage, claim: Claim, connection_id: str) -> None:
        here.storage.faults.append(Fault(operation="PutBlob", drop_reply=True))
        assert await claim.take(connection_id)
        assert claim.epoch == 1
        assert await claim.standing() is None

    with_claim(scene)


def test_the_connection_of_another_call_takes_nothing() -> None:
    async def scene(here: Stage, claim: Claim, _: str) -> None:
        assert not await claim.take("another connection")
        await claim.release()
        assert here.messages == 1

    with_claim(scene)


def test_a_second_socket_of_ours_raises_the_epoch_and_stays_ours() -> None:
    async def scene(here: Stage, claim: Claim, connection_id: str) -> None:
        await claim.take(connection_id)
        async with asyncio.TaskGroup() as group:
            group.create_task(claim.take(connection_id))
            kept = group.create_task(claim.keep_turns((TURN,)))
        assert claim.epoch == 2
        assert kept.result() is None
        assert (await here.record(claim.call_id)).turns == (TURN,)
        assert not await claim.is_held_elsewhere()

    with_claim(scene)


def test_another_owner_is_seen_and_turns_are_no_longer_written() -> None:
    async def scene(here: Stage, claim: Claim, connection_id: str) -> None:
        await claim.take(connection_id)
        await here.ledger.decide(claim.call_id, FirstFrame("other", None, connection_id))
        assert isinstance(await claim.standing(), Live)
        assert await claim.is_held_elsewhere()
        assert await claim.keep_turns((TURN,)) is not None
        assert (await here.record(claim.call_id)).turns == ()

    with_claim(scene)


def test_a_look_at_the_record_is_one_request() -> None:
    async def scene(here: Stage, claim: Claim, connection_id: str) -> None:
        await claim.take(connection_id)
        before = sum(here.storage.counts.values())
        assert await claim.standing() is None
        assert sum(here.storage.counts.values()) == before + 1

    with_claim(scene)


def test_a_caller_who_is_heard_takes_a_lost_call_back() -> None:
    async def scene(here: Stage, claim: Claim, connection_id: str) -> None:
        await claim.take(connection_id)
        await rewrite(here, claim.call_id, Lost(1, EndReason.MEDIA_FAILED))
        assert isinstance(await claim.standing(), Lost)
        assert await claim.still_heard()
        assert claim.epoch == 2
        await rewrite(here, claim.call_id, Closing(1, EndReason.MEDIA_FAILED))
        assert not await claim.still_heard()

    with_claim(scene)


def test_the_end_is_written_through_a_short_outage_and_the_message_goes_with_it() -> None:
    async def scene(here: Stage, claim: Claim, connection_id: str) -> None:
        await claim.take(connection_id)
        here.storage.faults.append(Fault(times=8, operation="*Blob*", status=503))
        outcome = CallOutcome(Ended(EndReason.AGENT_ENDED), (TURN,), {"total_tokens": 3})
        await claim.finish(outcome)
        await claim.release()
        record = await here.record(claim.call_id)
        assert record.state == RecordEnded(EndReason.AGENT_ENDED)
        assert (record.turns, record.usage) == ((TURN,), {"total_tokens": 3})
        assert await claim.end_reason() is EndReason.AGENT_ENDED
        assert here.messages == 0

    with_claim(scene)


def test_a_call_that_ended_before_its_socket_spoke_is_not_taken_and_our_message_goes() -> None:
    async def scene(here: Stage, claim: Claim, connection_id: str) -> None:
        other = Claim(here.ledger, claim.call_id)
        await other.announce()
        await other.take(connection_id)
        await other.finish(CallOutcome(Ended(EndReason.CALLER_HUNG_UP)))
        assert not await claim.take(connection_id)
        assert here.messages == 0

    with_claim(scene)


def test_a_call_that_goes_on_elsewhere_is_not_ended_and_keeps_its_own_message() -> None:
    async def scene(here: Stage, claim: Claim, connection_id: str) -> None:
        await claim.take(connection_id)
        await claim.finish(CallOutcome(LetGo("superseded")))
        await claim.release()
        assert isinstance((await here.record(claim.call_id)).state, Live)
        assert here.messages == 1

    with_claim(scene)


async def rewrite(here: Stage, call_id: str, state: Lost | Closing) -> None:
    """As if another party had written this state."""
    found = await here.ledger.records.get(call_id)
    assert found is not None
    changed = replace(found.record, state=state).stamped("other", found.record.seq + 1)
    assert await here.ledger.records.put(changed, found.etag)
