"""Storage: the queue of sessions, the container of records, and its clock."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import aiohttp
from azure.core.exceptions import AzureError, HttpResponseError

from doctor.limits import FETCH_S, PROBE_HIDDEN_S, PROBE_TTL_S, STORAGE_S
from doctor.mends import BLOB_ROLE, QUEUE_ROLE, READER_ROLE, grant, host_label
from doctor.patient import Patient
from doctor.verdicts import Check, Fail, NotChecked, Ok, Verdict
from switchboard import azure_clients
from switchboard.clock import wall_now
from switchboard.limits import TOKEN_LEEWAY_S

if TYPE_CHECKING:
    from azure.storage.blob.aio import ContainerClient
    from azure.storage.queue.aio import QueueClient

_LANE = "storage"
UNREACHED = "Check the storage account's endpoints, and that its firewall lets this address in."
_WHOLE_SECOND = 1.0
"""The header's own coarseness."""


def storage_checks(patient: Patient) -> Iterator[Check]:
    """Reading and writing as the deployables do."""
    by_key = patient.worker.storage_connection_string is not None
    scope = None if by_key else "storage"
    queue = ("SESSIONS_QUEUE", *(() if by_key else ("STORAGE_QUEUE_ENDPOINT",)))
    name, container = patient.worker.sessions_queue, patient.worker.records_container
    yield Check(
        "queue.read",
        f"queue {name}: read",
        lambda: _queue_read(patient),
        STORAGE_S,
        UNREACHED,
        _LANE,
        queue,
        scope,
    )
    yield Check(
        "queue.write",
        f"queue {name}: send, hide, delete",
        lambda: _queue_written(patient),
        STORAGE_S,
        UNREACHED,
        _LANE,
        queue,
        scope,
    )
    yield Check(
        "records.write",
        f"container {container}: write once, read, delete",
        lambda: _container_written(patient),
        STORAGE_S,
        UNREACHED,
        _LANE,
        records_needs(patient),
        scope,
    )


def records_needs(patient: Patient) -> tuple[str, ...]:
    """The settings without which the container of records cannot be opened."""
    by_key = patient.worker.storage_connection_string is not None
    return ("RECORDS_CONTAINER", *(() if by_key else ("STORAGE_BLOB_ENDPOINT",)))


def clock_check(patient: Patient) -> Check:
    """This machine's clock beside Storage's."""
    return Check(
        "clock",
        "clock beside Storage's",
        lambda: _clock(patient),
        FETCH_S,
        UNREACHED,
        needs=records_needs(patient),
    )


# --- the queue ------------------------------------------------------------------------------------


@asynccontextmanager
async def _queue(patient: Patient) -> AsyncIterator["QueueClient"]:
    client = await asyncio.to_thread(
        azure_clients.sessions_queue, patient.worker, patient.credential
    )
    async with client:
        yield client


async def _queue_read(patient: Patient) -> Verdict:
    try:
        async with _queue(patient) as queue:
            count = (await queue.get_queue_properties()).approximate_message_count
            await queue.peek_messages(1)
    except AzureError as error:
        return _queue_refused(patient, error)
    return Ok(f"{count or 0} messages, one for each call in progress")


async def _queue_written(patient: Patient) -> Verdict:
    """A message that no worker receives: it is hidden until it is deleted."""
    text = json.dumps({"version": 1, "kind": "probe"})
    try:
        async with _queue(patient) as queue:
            sent = await queue.send_message(
                text, visibility_timeout=PROBE_HIDDEN_S, time_to_live=PROBE_TTL_S
            )
            receipt = str(sent.pop_receipt)
            try:
                renewed = await queue.update_message(
                    sent.id, receipt, visibility_timeout=PROBE_HIDDEN_S
                )
                receipt = str(renewed.pop_receipt)
            finally:
                await queue.delete_message(sent.id, receipt)
    except AzureError as error:
        return _queue_refused(patient, error)
    return Ok("a hidden probe message was sent, hidden anew and deleted")


def _queue_refused(patient: Patient, error: AzureError) -> Fail:
    name = patient.worker.sessions_queue
    account = host_label(patient.worker.storage_queue_endpoint)
    make = (
        f"Create it (az storage queue create --name {name} --account-name {account} "
        "--auth-mode login), or set SESSIONS_QUEUE to the queue that there is."
    )
    return _refused(patient, error, QUEUE_ROLE, make)


# --- the containers -------------------------------------------------------------------------------


@asynccontextmanager
async def records(patient: Patient) -> AsyncIterator["ContainerClient"]:
    """The container of call records, as the deployables open it."""
    client = await asyncio.to_thread(
        azure_clients.records_container, patient.worker, patient.credential
    )
    async with client:
        yield client


async def _container_written(patient: Patient) -> Verdict:
    """As a call's record is: only if there is none, then read, then out of the way."""
    content = b'{"kind":"probe"}'
    try:
        async with records(patient) as container:
            blob = container.get_blob_client(f"doctor/{secrets.token_hex(8)}.json")
            await blob.upload_blob(content, overwrite=False)  # If-None-Match: *
            try:
                read = await (await blob.download_blob()).readall()
            finally:
                await blob.delete_blob()
    except AzureError as error:
        return records_refused(patient, error)
    if read != content:
        return Fail("what was read is not what was written", "Look at what stands between.")
    return Ok("a probe blob was written, read and deleted")


def directory_refused(patient: Patient, error: AzureError) -> Fail:
    """What a refusal of the directory's container means; where it is missing, none is published."""
    return _refused(patient, error, READER_ROLE, UNREACHED)


def records_refused(patient: Patient, error: AzureError) -> Fail:
    """What the container's refusal means."""
    name = patient.worker.records_container
    account = host_label(patient.worker.storage_blob_endpoint)
    make = (
        f"Create it (az storage container create --name {name} --account-name {account} "
        "--auth-mode login), or set RECORDS_CONTAINER to the container that there is."
    )
    return _refused(patient, error, BLOB_ROLE, make)


def _refused(patient: Patient, error: AzureError, role: str, make: str) -> Fail:
    """What Storage's answer means (Azure Storage REST reference, "Common REST API error codes")."""
    if not isinstance(error, HttpResponseError) or error.status_code is None:
        return Fail(f"no connection: {type(error).__name__}", UNREACHED)
    code = getattr(error, "error_code", None) or ""
    code = str(getattr(code, "value", code))
    detail = f"{error.status_code} {code}".rstrip()
    match error.status_code, code:
        case 404, _:
            return Fail(detail, make)
        case 403, "AuthorizationFailure":
            mend = "Let this address in: the account's networking rules refuse it."
        case 403, "AuthenticationFailed":
            mend = "Check the account key in STORAGE_CONNECTION_STRING, and this machine's clock."
        case 403, "KeyBasedAuthenticationNotPermitted":
            mend = "Set both STORAGE_ endpoints in place of the connection string: keys are off."
        case 403, _:
            mend = grant(role, "the storage account", patient.signed_in.client_id)
        case 401, _:
            mend = "Use an identity of the tenant that the storage account is in."
        case _:
            mend = "Look at the storage account's health and metrics."
    return Fail(detail, mend)


# --- the clock ------------------------------------------------------------------------------------


async def _clock(patient: Patient) -> Verdict:
    """Any answer will do, a refusal too: each has the Date of the service."""
    async with records(patient) as container:
        address = str(container.primary_endpoint)
    try:
        before = wall_now()
        async with patient.http.get(address, allow_redirects=False) as reply:
            ours, date = (before + wall_now()) / 2, reply.headers.get("Date")
    except (aiohttp.ClientError, OSError) as error:
        return NotChecked(f"Storage cannot be reached: {type(error).__name__}")
    theirs: float | None = None
    with suppress(TypeError, ValueError):
        theirs = parsedate_to_datetime(date or "").timestamp()
    if theirs is None:
        return NotChecked("Storage gave no date")
    off_s = ours - theirs
    detail = f"{abs(off_s):.0f} s {'ahead' if off_s > 0 else 'behind'}"
    if abs(off_s) > TOKEN_LEEWAY_S + _WHOLE_SECOND:
        mend = (
            f"Set this machine's clock (NTP): tokens of Communication Services are refused from "
            f"{TOKEN_LEEWAY_S:.0f} s on."
        )
        return Fail(detail, mend)
    return Ok(f"{detail}, of {TOKEN_LEEWAY_S:.0f} s allowed")
