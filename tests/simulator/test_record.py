"""The product's record of a call, as the report reads it."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob.aio import ContainerClient

from simulator.environment import Endpoints
from simulator.record import parse_record, read_record
from simulator.storage import Storage
from simulator.tls import make_certificate
from tests.simulator.endpoints import ENDPOINTS
from tests.virtual_time import run

LIVE = {"state": {"name": "live"}, "descriptor": {"agent": {"bridge": "voice_live"}}, "turns": []}
ENDED = {**LIVE, "state": {"name": "ended", "reason": "caller_hung_up"}}


def _endpoints(storage: Storage, ca_file: Path | None = None) -> Endpoints:
    return replace(
        ENDPOINTS,
        blob_endpoint=storage.blob_endpoint,
        connection_string=None if ca_file else storage.connection_string,
        ca_file=str(ca_file) if ca_file else None,
    )


async def _write(storage: Storage, record: dict[str, Any]) -> None:
    async with ContainerClient.from_connection_string(
        storage.connection_string, "records", use_env_settings=False
    ) as container:
        name, content = "calls/20261123-a.json", json.dumps(record)
        await container.upload_blob(name, content, overwrite=True)


def test_a_record_is_waited_for_until_the_call_has_ended_in_it() -> None:
    async def body() -> None:
        async with Storage(containers=["records"]) as storage, asyncio.TaskGroup() as group:
            await _write(storage, LIVE)
            reading = group.create_task(read_record(_endpoints(storage), "20261123-a"))
            await asyncio.sleep(3)
            assert not reading.done()
            await _write(storage, ENDED)
            assert await reading == {
                "bridge": "voice_live",
                "end_reason": "caller_hung_up",
                "turns": [],
            }

    run(body())


def test_a_record_without_an_end_is_told_as_it_is_after_a_while() -> None:
    async def body() -> None:
        async with Storage(containers=["records"]) as storage:
            await _write(storage, LIVE)
            record = await read_record(_endpoints(storage), "20261123-a")
            assert record is not None
            assert record["end_reason"] is None
            assert asyncio.get_running_loop().time() == pytest.approx(12, abs=0.5)
            assert await read_record(_endpoints(storage), "20261123-other") is None

    run(body())


def test_over_https_the_record_is_read_with_a_token(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)

    async def body() -> None:
        tls = certificate.server_context()
        async with Storage(containers=["records"], accept="tokens", ssl_context=tls) as storage:
            assert await read_record(_endpoints(storage, certificate.ca_file), "nobody") is None
            assert storage.counts["GetBlob"] == 1

    run(body())


def test_a_storage_that_does_not_let_us_read_is_an_error() -> None:
    async def body() -> None:
        async with Storage(containers=["records"], accept="tokens") as storage:
            with pytest.raises(HttpResponseError):
                await read_record(_endpoints(storage), "20261123-a")

    run(body())


def test_what_is_no_record_is_refused() -> None:
    with pytest.raises(KeyError):
        parse_record({"state": {"name": "ended"}})
