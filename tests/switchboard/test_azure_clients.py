"""Clients are built as the settings say; what they do on the wire is tested where they are used."""

import asyncio
from typing import Any

import pytest
from azure.identity.aio import (
    AzureCliCredential,
    DefaultAzureCredential,
    ManagedIdentityCredential,
)

from switchboard.azure_clients import (
    acs_client,
    records_container,
    sessions_queue,
    token_credential,
)
from switchboard.shared_settings import Shared

IN_AZURE = {
    "ACS_ENDPOINT": "https://contoso.communication.azure.com/",
    "ACS_IMMUTABLE_RESOURCE_ID": "9f1d2c1a-0000-4000-8000-00155d012345",
    "STORAGE_BLOB_ENDPOINT": "https://contoso.blob.core.windows.net",
    "STORAGE_QUEUE_ENDPOINT": "https://contoso.queue.core.windows.net/",
    "SESSIONS_QUEUE": "sessions-test",
    "RECORDS_CONTAINER": "records-test",
}
WITH_KEYS = {
    "ACS_ENDPOINT": "http://127.0.0.1:8081",
    "ACS_ACCESS_KEY": "c2VjcmV0LWtleQ==",
    "ACS_IMMUTABLE_RESOURCE_ID": IN_AZURE["ACS_IMMUTABLE_RESOURCE_ID"],
    "STORAGE_CONNECTION_STRING": "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
    "AccountKey=c2VjcmV0LWtleQ==;BlobEndpoint=http://127.0.0.1:1/devstoreaccount1;"
    "QueueEndpoint=http://127.0.0.1:2/devstoreaccount1;",
    "CREDENTIAL": "none",
}


@pytest.mark.parametrize(
    ("kind", "credential"),
    [
        ("managed_identity", ManagedIdentityCredential),
        ("default", DefaultAzureCredential),
        ("azure_cli", AzureCliCredential),
        ("none", None),
    ],
)
def test_the_credential_is_the_one_that_the_settings_name(kind: str, credential: Any) -> None:
    environ = (WITH_KEYS if kind == "none" else IN_AZURE) | {"CREDENTIAL": kind}

    async def build() -> None:
        made = token_credential(Shared.from_env(environ))
        if credential is None:
            assert made is None
        else:
            assert isinstance(made, credential)
            await made.close()

    asyncio.run(build())


def test_in_azure_every_client_goes_to_its_endpoint_without_a_key() -> None:
    settings = Shared.from_env(IN_AZURE)

    async def build() -> None:
        credential = token_credential(settings)
        records = records_container(settings, credential)
        queue = sessions_queue(settings, credential)
        acs = acs_client(settings, credential)
        assert records.url == "https://contoso.blob.core.windows.net/records-test"
        assert queue.url == "https://contoso.queue.core.windows.net/sessions-test"
        assert (records.credential, queue.credential) == (credential, credential)
        assert credential is not None
        for client in (records, queue, acs, credential):
            await client.close()

    asyncio.run(build())


def test_with_keys_no_credential_is_needed() -> None:
    settings = Shared.from_env(WITH_KEYS)

    async def build() -> None:
        records, queue = records_container(settings, None), sessions_queue(settings, None)
        acs = acs_client(settings, None)
        assert records.url == "http://127.0.0.1:1/devstoreaccount1/records"
        assert queue.url == "http://127.0.0.1:2/devstoreaccount1/sessions"
        for client in (records, queue, acs):
            await client.close()

    asyncio.run(build())
