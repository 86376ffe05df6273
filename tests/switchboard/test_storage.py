"""The ledger over the real Azure Storage SDK, against the simulated account, in virtual time."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from azure.storage.blob.aio import ContainerClient
from azure.storage.queue.aio import QueueClient

from simulator.storage import AZURE_STALE_RECEIPT, EMULATOR_STALE_RECEIPT, Fault, Storage
from switchboard.end_reason import EndReason
from switchboard.ledger import Decided, Ledger, Left, StorageUnavailable
from switchboard.moves import Answer, Checkpoint, Finished, FirstFrame, Surfaced
from switchboard.record import CallRecord, MessageRef, RecordError, Ringing, TurnRecord
from switchboard.session import SessionDescriptor
from switchboard.storage import RecordBlobs, SessionQueue, call_id_in, storage_retry
from tests.switchboard.call_azure import CALL_ID, CONNECTION
from tests.switchboard.call_world import descriptor
from tests.virtual_time import run

TURNS = (TurnRecord(speaker="caller", text="hello"),)
BLOB = f"calls/{CALL_ID}.json"


@asynccontextmanager
async def ledger_on(storage: Storage, by: str = "me") -> AsyncIterator[Ledger]:
    def clients() -> tuple[ContainerClient, QueueClient]:
        options = storage_retry() | {"use_env_settings": False}
        text = storage.connection_string
        return (
            ContainerClient.from_connection_string(text, "records", **options),
            QueueClient.from_connection_string(text, "sessions", **options),
        )

    container, queue = await asyncio.to_thread(clients)
    async with container, queue:
        yield Ledger(RecordBlobs(container), SessionQueue(queue, container), by=by)


@asynccontextmanager
async def world() -> AsyncIterator[tuple[Storage, Ledger]]:
    async with (
        Storage(queues=["sessions"], containers=["records"]) as storage,
        ledger_on(storage) as ledger,
    ):
        yield storage, ledger


async def claimed(ledger: Ledger) -> None:
    assert isinstance(await ledger.open(descriptor(), "m", "c"), Decided)


def test_a_record_is_one_blob_and_is_read_back() -> None:
    async def scene() -> None:
        async with world() as (storage, ledger):
            await claimed(ledger)
            await asyncio.sleep(9)
            found = await ledger.records.get(CALL_ID)
            assert found is not None
            assert found.record.state == Ringing(1)
            assert found.record.descriptor == descriptor()
            assert 8 <= found.age_s <= 10  # the service's clock has whole seconds
            assert CallRecord.from_json(storage.blobs("records")[BLOB]) == found.record

    run(scene())


def test_there_is_no_record_of_a_call_that_never_rang() -> None:
    async def scene() -> None:
        async with world() as (_, ledger):
            assert await ledger.records.get(CALL_ID) is None

    run(scene())


def test_a_claim_whose_created_was_lost_is_won_nevertheless() -> None:
    async def scene() -> None:
        async with world() as (storage, ledger):
            storage.faults.append(Fault(operation="PutBlob", drop_reply=True))
            verdict = await ledger.open(descriptor(), "m", "c")
            assert isinstance(verdict, Decided)
            assert verdict.effects == (Answer(1),)
            assert storage.counts["PutBlob"] >= 2, "the library or aiohttp sent it again: 409"

    run(scene())


def test_a_checkpoint_whose_reply_was_lost_is_won_nevertheless() -> None:
    async def scene() -> None:
        async with world() as (storage, ledger):
            await claimed(ledger)
            frame = FirstFrame("socket", MessageRef("message", "r"), CONNECTION)
            assert isinstance(await ledger.decide(CALL_ID, frame), Decided)
            storage.faults.append(Fault(operation="PutBlob", drop_reply=True))
            assert isinstance(await ledger.decide(CALL_ID, Checkpoint(1, TURNS)), Decided)
            found = await ledger.records.get(CALL_ID)
            assert found is not None
            assert (found.record.turns, found.record.seq) == (TURNS, 3)

    run(scene())


def test_of_twenty_deliveries_at_once_one_answers() -> None:
    async def scene() -> None:
        async with Storage(queues=["sessions"], containers=["records"]) as storage:

            async def deliver(number: int) -> Decided | Left:
                async with ledger_on(storage, by=f"process-{number}") as ledger:
                    return await ledger.open(descriptor(), "m", "c")

            verdicts = await asyncio.gather(*(deliver(number) for number in range(20)))
            assert [type(verdict) for verdict in verdicts].count(Decided) == 1

    run(scene())


def test_a_setup_message_is_the_descriptor_and_stays_hidden_for_45_seconds() -> None:
    async def scene() -> None:
        async with world() as (storage, ledger):
            sent = await ledger.messages.send_setup(descriptor("+15550100"))
            await asyncio.sleep(44)
            assert await ledger.messages.receive(8) == []
            await asyncio.sleep(2)
            (surfacing,) = await ledger.messages.receive(8)
            assert surfacing.call_id == CALL_ID
            assert surfacing.surfaced.message.id == sent.id
            assert surfacing.surfaced.dequeue_count == 1
            read = SessionDescriptor.from_json(surfacing.surfaced.text)
            assert read == descriptor("+15550100")
            (kept,) = storage.messages("sessions")
            assert json.loads(kept.text)["call_id"] == CALL_ID, "text as such, no base64"

    run(scene())


def test_a_live_message_that_is_renewed_each_ten_seconds_never_surfaces() -> None:
    async def scene() -> None:
        async with world() as (_, ledger):
            message = await ledger.messages.send_live(CALL_ID)
            for _ in range(12):
                await asyncio.sleep(10)
                renewed = await ledger.messages.renew(message)
                assert renewed is not None
                message = renewed
                assert await ledger.messages.receive(8) == []
            await asyncio.sleep(31)
            (surfacing,) = await ledger.messages.receive(8)
            assert surfacing.call_id == CALL_ID

    run(scene())


@pytest.mark.parametrize("answer", [AZURE_STALE_RECEIPT, EMULATOR_STALE_RECEIPT])
def test_a_renewal_with_a_receipt_that_no_longer_counts_means_lost(answer: tuple[int, str]) -> None:
    async def scene() -> None:
        queues, containers = ["sessions"], ["records"]
        async with (
            Storage(queues=queues, containers=containers, stale_receipt=answer) as storage,
            ledger_on(storage) as ledger,
        ):
            message = await ledger.messages.send_live(CALL_ID)
            assert await ledger.messages.renew(message) is not None
            assert await ledger.messages.renew(message) is None
            await ledger.messages.delete(message)
            assert len(storage.messages("sessions")) == 1, "a stale receipt deletes nothing"

    run(scene())


def test_a_renewal_whose_reply_was_lost_means_lost_too() -> None:
    async def scene() -> None:
        async with world() as (storage, ledger):
            message = await ledger.messages.send_live(CALL_ID)
            storage.faults.append(Fault(operation="UpdateMessage", drop_reply=True))
            assert await ledger.messages.renew(message) is None

    run(scene())


def test_a_message_is_gone_after_an_hour() -> None:
    async def scene() -> None:
        async with world() as (_, ledger):
            message = await ledger.messages.send_live(CALL_ID)
            await asyncio.sleep(3601)
            assert await ledger.messages.renew(message) is None

    run(scene())


def test_what_is_no_session_message_is_set_aside_with_its_text() -> None:
    async def scene() -> None:
        async with world() as (storage, ledger):
            foreign = QueueClient.from_connection_string(
                storage.connection_string, "sessions", use_env_settings=False
            )
            async with foreign:
                await foreign.send_message("hello?")
            (surfacing,) = await ledger.messages.receive(8)
            assert surfacing.call_id is None
            surfaced = surfacing.surfaced
            await ledger.messages.set_aside(surfaced.message, surfaced.text, "not ours")
            assert storage.messages("sessions") == []
            assert list(storage.blobs("records").values()) == [b"hello?"]

    run(scene())


def test_two_failures_of_storage_are_over_within_a_second() -> None:
    async def scene() -> None:
        async with world() as (storage, ledger):
            loop = asyncio.get_running_loop()
            storage.faults.append(Fault(operation="PutBlob", status=503, times=2))
            began = loop.time()
            await claimed(ledger)
            assert loop.time() - began < 1.0

    run(scene())


@pytest.mark.parametrize(
    "fault",
    [
        Fault(times=99, status=503),
        Fault(times=99, delay_s=60.0),
        Fault(times=99, drop_request=True),
    ],
    ids=["busy", "mute", "hanging up"],
)
def test_an_outage_is_told_within_ten_seconds(fault: Fault) -> None:
    async def scene() -> None:
        async with world() as (storage, ledger):
            storage.faults.append(replace(fault, times=99))
            loop = asyncio.get_running_loop()
            began = loop.time()
            with pytest.raises(StorageUnavailable):
                await ledger.open(descriptor(), "m", "c")
            assert loop.time() - began <= 10.1  # the write, and the look whether it counts
            storage.faults.clear()

    run(scene())


def test_an_outage_is_told_without_addresses() -> None:
    async def scene() -> None:
        async with world() as (storage, ledger):
            storage.faults.append(Fault(times=99, status=503))
            with pytest.raises(StorageUnavailable) as told:
                await ledger.messages.send_live(CALL_ID)
            assert "503 ServerBusy" in str(told.value)
            assert "127.0.0.1" not in str(told.value)

    run(scene())


def test_a_blob_that_is_no_record_is_refused_with_the_reason() -> None:
    async def scene() -> None:
        async with world() as (storage, ledger):
            container = ContainerClient.from_connection_string(
                storage.connection_string, "records", use_env_settings=False
            )
            async with container:
                await container.upload_blob(BLOB, b"{}")
            with pytest.raises(RecordError, match="version None"):
                await ledger.records.get(CALL_ID)

    run(scene())


@pytest.mark.parametrize(
    ("text", "call_id"),
    [
        (descriptor().to_json(), CALL_ID),
        (json.dumps({"kind": "live", "call_id": CALL_ID}), CALL_ID),
        (json.dumps({"call_id": "../../etc"}), None),
        (json.dumps({"call_id": 7}), None),
        (json.dumps([CALL_ID]), None),
        ("", None),
        ("[" * 60_000, None),
    ],
)
def test_the_call_of_a_message_is_found_or_it_is_not_ours(text: str, call_id: str | None) -> None:
    assert call_id_in(text) == call_id


def test_a_surfaced_message_is_kept_from_others_while_it_is_seen_to() -> None:
    async def scene() -> None:
        async with world() as (_, ledger):
            await ledger.messages.send_live(CALL_ID)
            await asyncio.sleep(31)
            (first,) = await ledger.messages.receive(8)
            await asyncio.sleep(55)
            assert await ledger.messages.receive(8) == []
            await asyncio.sleep(6)
            (again,) = await ledger.messages.receive(8)
            assert isinstance(again.surfaced, Surfaced)
            assert again.surfaced.dequeue_count == 2
            await ledger.messages.delete(first.surfaced.message)  # too late: the receipt is old
            await asyncio.sleep(61)
            assert len(await ledger.messages.receive(8)) == 1

    run(scene())


def test_the_reason_of_the_end_and_its_time_are_kept() -> None:
    async def scene() -> None:
        async with world() as (_, ledger):
            await claimed(ledger)
            message = await ledger.messages.send_live(CALL_ID)
            await ledger.decide(CALL_ID, FirstFrame("socket", message, CONNECTION))
            await asyncio.sleep(60)
            over = Finished(1, EndReason.CALLER_HUNG_UP, message, TURNS, {"tokens": 7})
            await ledger.decide(CALL_ID, over)
            found = await ledger.records.get(CALL_ID)
            assert found is not None
            record = found.record
            assert record.started is not None
            assert record.ended is not None
            assert 59 <= record.ended - record.started <= 62
            assert (record.turns, record.usage) == (TURNS, {"tokens": 7})

    run(scene())
