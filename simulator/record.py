"""The product's own record of a call, read from the blob container where it leaves it."""

import asyncio
import json
from typing import Any, TypeAlias

from azure.core.credentials import AccessToken
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob.aio import BlobServiceClient, ContainerClient

from simulator.clock import machine_now, wall_now
from simulator.environment import Endpoints
from simulator.identity import make_token

Json: TypeAlias = dict[str, Any]

CONTAINER = "records"
SETTLE_S = 12.0
"""The product writes its last word a moment after the call has ended."""
POLL_S = 0.1
TOKEN_S = 3600


class _Token:
    """A token of the simulated identity service, made here: it stands for any reader's."""

    async def get_token(self, *_: str, **__: Any) -> AccessToken:
        token = make_token("https://storage.azure.com/", now=wall_now())
        return AccessToken(token, int(machine_now() + TOKEN_S))

    async def close(self) -> None: ...

    async def __aenter__(self) -> "_Token":
        return self

    async def __aexit__(self, *_: object) -> None: ...


async def read_record(endpoints: Endpoints, call_id: str) -> Json | None:
    """`bridge`, `end_reason` and `turns` of the call, once it has ended; None if there is none.

    After `SETTLE_S` a record that has not ended is returned as it is: `end_reason` is None. Raises
    AzureError where the storage, perhaps somebody else's, does not let us read.
    """
    async with _service(endpoints) as service:
        container = service.get_container_client(CONTAINER)
        limit = asyncio.get_running_loop().time() + SETTLE_S
        while True:
            record = await _read(container, call_id)
            over = record is None or record["end_reason"] is not None
            if over or asyncio.get_running_loop().time() > limit:
                return record
            await asyncio.sleep(POLL_S)


def _service(endpoints: Endpoints) -> BlobServiceClient:
    settings: dict[str, Any] = {"use_env_settings": False}
    if endpoints.ca_file:
        settings["connection_verify"] = endpoints.ca_file
    if endpoints.connection_string:
        return BlobServiceClient.from_connection_string(endpoints.connection_string, **settings)
    return BlobServiceClient(endpoints.blob_endpoint, _Token(), **settings)


async def _read(container: ContainerClient, call_id: str) -> Json | None:
    try:
        content = await (await container.download_blob(f"calls/{call_id}.json")).readall()
    except ResourceNotFoundError:
        return None
    return parse_record(json.loads(content))


def parse_record(table: Json) -> Json:
    """What a report needs of the record's JSON. Raises KeyError."""
    state = table["state"]
    return {
        "bridge": table["descriptor"]["agent"]["bridge"],
        "end_reason": state["reason"] if state["name"] == "ended" else None,
        "turns": table["turns"],
    }
