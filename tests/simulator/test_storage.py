"""The storage simulator as a whole: who may use it, what can go wrong, what can be seen."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.identity.aio import ManagedIdentityCredential
from azure.storage.blob import ContainerClient as SyncContainerClient
from azure.storage.blob.aio import BlobClient, ContainerClient
from azure.storage.queue import QueueClient as SyncQueueClient
from azure.storage.queue.aio import QueueClient

from simulator.identity import Identity, IdentitySwitches
from simulator.storage import EMULATOR_STALE_RECEIPT, Fault, Storage
from simulator.tls import make_certificate
from tests.virtual_time import run

ONE_TRY: dict[str, Any] = {"use_env_settings": False, "retry_total": 0}
QUICK: dict[str, Any] = {"use_env_settings": False, "retry_total": 2, "initial_backoff": 1}


def _storage(**options: Any) -> Storage:
    return Storage(queues=["sessions"], containers=["records"], **options)


def _queue(storage: Storage, **options: Any) -> QueueClient:
    return QueueClient.from_connection_string(
        storage.connection_string, "sessions", **(options or ONE_TRY)
    )


def _blob(storage: Storage, **options: Any) -> BlobClient:
    return BlobClient.from_connection_string(
        storage.connection_string, "records", "call", **(options or ONE_TRY)
    )


def test_visibility_follows_virtual_time() -> None:
    async def wait_a_day() -> None:
        async with _storage() as storage, _queue(storage) as queue:
            await queue.send_message("a", visibility_timeout=86_400, time_to_live=-1)
            await asyncio.sleep(86_399)
            assert await queue.receive_message() is None
            await asyncio.sleep(1)
            assert await queue.receive_message() is not None

    run(wait_a_day())


def test_storages_clock_and_last_modified_are_comparable() -> None:
    async def age() -> float:
        async with _storage() as storage, _blob(storage) as blob:
            put = await blob.upload_blob(b"1")
            await asyncio.sleep(8)
            seen = await blob.get_blob_properties()
            assert seen.last_modified == put["last_modified"]
            answered: dict[str, str] = {}
            await blob.get_blob_properties(
                raw_response_hook=lambda r: answered.update(r.http_response.headers)
            )
            assert answered["Date"] == "Wed, 18 Nov 2026 11:06:48 GMT"
            return float(seen.last_modified.timestamp())

    assert run(age()) == 1_795_000_000


def test_a_test_can_see_what_is_stored() -> None:
    async def look() -> None:
        async with _storage() as storage, _queue(storage) as queue, _blob(storage) as blob:
            sent = await queue.send_message("setup", visibility_timeout=45)
            await blob.upload_blob(b"ringing")
            (hidden,) = storage.messages("sessions")
            assert (hidden.id, hidden.text, hidden.dequeue_count) == (sent.id, "setup", 0)
            assert storage.blobs("records") == {"call": b"ringing"}
            assert storage.counts == {"PutMessage": 1, "PutBlob": 1}

    run(look())


def test_the_sync_clients_are_served_too() -> None:
    def use(connection_string: str) -> tuple[str, bytes]:
        with SyncQueueClient.from_connection_string(connection_string, "sessions") as queue:
            queue.send_message("hällo")
            got = queue.receive_message()
            assert got is not None
            queue.delete_message(got)
        with SyncContainerClient.from_connection_string(connection_string, "records") as container:
            container.upload_blob("a b/ä.json", b"1")
            return got.content, container.download_blob("a b/ä.json").readall()

    async def serve_them() -> tuple[str, bytes]:
        async with _storage() as storage:
            return await asyncio.to_thread(use, storage.connection_string)

    assert run(serve_them()) == ("hällo", b"1")


def test_a_wrong_key_is_refused() -> None:
    async def try_it() -> None:
        async with _storage() as storage:
            wrong = storage.connection_string.replace("AccountKey=", "AccountKey=AAAA")
            async with QueueClient.from_connection_string(wrong, "sessions", **ONE_TRY) as queue:
                await queue.send_message("a")

    with pytest.raises(ClientAuthenticationError) as refused:
        run(try_it())
    assert refused.value.status_code == 403
    assert "AuthenticationFailed" in str(refused.value)


def test_a_request_without_credentials_is_challenged() -> None:
    async def try_it() -> tuple[int, str]:
        async with (
            _storage() as storage,
            aiohttp.ClientSession() as http,
            http.get(f"{storage.queue_endpoint}/sessions/messages") as reply,
        ):
            return reply.status, reply.headers["WWW-Authenticate"]

    status, challenge = run(try_it())
    assert status == 401
    assert "resource_id=https://storage.azure.com" in challenge


async def _with_tokens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, switches: IdentitySwitches
) -> None:
    """Both services over https, by the managed identity's token."""
    certificate = make_certificate(tmp_path)
    trust: dict[str, Any] = {"connection_verify": str(certificate.ca_file), **ONE_TRY}
    async with AsyncExitStack() as stack:
        identity = await stack.enter_async_context(Identity(switches=switches))
        storage = await stack.enter_async_context(
            _storage(
                accept="tokens",
                token_key=identity.token_key,
                ssl_context=certificate.server_context(),
            )
        )
        for name, value in identity.env().items():
            monkeypatch.setenv(name, value)
        credential = await stack.enter_async_context(
            ManagedIdentityCredential(use_env_settings=False)
        )
        queue = await stack.enter_async_context(
            QueueClient(storage.queue_endpoint, "sessions", credential=credential, **trust)
        )
        container = await stack.enter_async_context(
            ContainerClient(storage.blob_endpoint, "records", credential=credential, **trust)
        )
        sent = await queue.send_message("setup", visibility_timeout=45)
        await queue.delete_message(sent)
        await container.upload_blob("call", b"ringing")
        assert storage.blobs("records") == {"call": b"ringing"}
        assert storage.messages("sessions") == []


def test_a_managed_identity_reaches_both_services_over_https(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(_with_tokens(tmp_path, monkeypatch, IdentitySwitches()))


def test_an_expired_token_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ClientAuthenticationError) as refused:
        run(_with_tokens(tmp_path, monkeypatch, IdentitySwitches(lifetime_s=0)))
    assert refused.value.status_code == 401


def test_an_account_without_keys_refuses_a_good_signature() -> None:
    async def try_it() -> None:
        async with _storage(accept="tokens") as storage, _queue(storage) as queue:
            await queue.send_message("a")

    with pytest.raises(HttpResponseError, match="Key based authentication is not permitted"):
        run(try_it())


@pytest.mark.parametrize("status", [503, 500])
def test_a_failing_service_is_tried_again_by_the_client(status: int) -> None:
    async def try_it() -> None:
        async with _storage() as storage, _queue(storage, **QUICK) as queue:
            storage.faults.append(Fault(operation="PutMessage", status=status, times=2))
            await queue.send_message("a")
            assert storage.counts["PutMessage"] == 3
            assert len(storage.messages("sessions")) == 1

    run(try_it())


def test_the_client_does_not_try_a_throttled_request_again() -> None:
    async def try_it() -> int:
        async with _storage() as storage, _queue(storage, **QUICK) as queue:
            storage.faults.append(Fault(status=429))
            with pytest.raises(HttpResponseError, match="TooManyRequests"):
                await queue.send_message("a")
            return storage.counts.total()

    assert run(try_it()) == 1  # azure-storage-queue 12.18.1: of the 4xx, only 408 is retried


def test_a_fault_strikes_where_and_when_it_is_told_to() -> None:
    async def try_it() -> None:
        async with _storage() as storage, _blob(storage) as blob, _queue(storage) as queue:
            storage.faults.append(Fault(path="records/ca*", skip=1, status=503))
            await queue.send_message("a")
            await blob.upload_blob(b"1")
            with pytest.raises(HttpResponseError) as failed:
                await blob.upload_blob(b"2", overwrite=True)
            assert (failed.value.status_code, storage.blobs("records")["call"]) == (503, b"1")
            await blob.upload_blob(b"3", overwrite=True)

    run(try_it())


def test_a_creation_whose_reply_is_lost_looks_like_a_lost_race() -> None:
    async def try_it() -> None:
        async with _storage() as storage, _blob(storage, **QUICK) as blob:
            storage.faults.append(Fault(operation="PutBlob", drop_reply=True))
            with pytest.raises(ResourceExistsError):
                await blob.upload_blob(b"mine")
            assert storage.blobs("records") == {"call": b"mine"}

    run(try_it())


def test_a_dropped_request_changes_nothing() -> None:
    async def try_it() -> None:
        async with _storage() as storage, _queue(storage) as queue:
            storage.faults.append(Fault(operation="PutMessage", drop_request=True))
            with pytest.raises((ServiceResponseError, ServiceRequestError)):
                await queue.send_message("a")
            assert storage.messages("sessions") == []

    run(try_it())


def test_a_late_reply_comes_after_the_deed() -> None:
    async def try_it() -> float:
        async with _storage(latency_s=0.5) as storage, _queue(storage) as queue:
            storage.faults.append(Fault(operation="PutMessage", reply_delay_s=10))
            loop = asyncio.get_running_loop()
            started = loop.time()

            async def look() -> None:
                await asyncio.sleep(1)
                assert len(storage.messages("sessions")) == 1

            await asyncio.gather(queue.send_message("a"), look())
            return loop.time() - started

    assert run(try_it()) == pytest.approx(10.5)


def test_a_stale_receipt_can_be_answered_as_the_emulator_does() -> None:
    async def try_it() -> None:
        async with (
            _storage(stale_receipt=EMULATOR_STALE_RECEIPT) as storage,
            _queue(storage) as queue,
        ):
            sent = await queue.send_message("a")
            await queue.update_message(sent, visibility_timeout=10)
            await queue.delete_message(sent)

    with pytest.raises(HttpResponseError) as refused:
        run(try_it())
    assert refused.value.status_code == 400


def test_a_call_that_is_not_simulated_says_so_and_is_not_retried() -> None:
    async def try_it() -> None:
        async with _storage() as storage, _blob(storage, **QUICK) as blob:
            try:
                await blob.create_append_blob()
            finally:
                assert storage.counts.total() == 1

    with pytest.raises(HttpResponseError, match="Only block blobs are simulated"):
        run(try_it())
