"""Builds the Azure clients that both deployables use, from their settings.

The SDKs are imported where a client is built. Build clients off the event loop: azure-core starts a
subprocess to name the processor (`platform.processor()`).
"""

from typing import TYPE_CHECKING, Any

from switchboard import limits
from switchboard.shared_settings import BlobAccess, Shared
from switchboard.storage import storage_retry

if TYPE_CHECKING:
    from azure.communication.callautomation.aio import CallAutomationClient
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.storage.blob.aio import ContainerClient
    from azure.storage.queue.aio import QueueClient


def token_credential(settings: BlobAccess) -> "AsyncTokenCredential | None":
    """What signs in to Azure; None when keys do."""
    from azure.identity import aio

    match settings.credential:
        case "managed_identity":
            return aio.ManagedIdentityCredential(client_id=settings.azure_client_id)
        case "default":
            return aio.DefaultAzureCredential(managed_identity_client_id=settings.azure_client_id)
        case "azure_cli":
            return aio.AzureCliCredential()
        case "none":
            return None


def acs_client(
    settings: Shared, credential: "AsyncTokenCredential | None"
) -> "CallAutomationClient":
    """The Call Automation client: by key where one is configured, else by token. It never retries;
    `switchboard.acs_requests` does."""
    from azure.communication.callautomation.aio import CallAutomationClient
    from azure.core.credentials import AzureKeyCredential

    signs = AzureKeyCredential(settings.acs_access_key) if settings.acs_access_key else credential
    assert signs is not None, "the settings were checked for something to sign in with"
    return CallAutomationClient(
        settings.acs_endpoint,
        signs,
        retry_total=0,
        connection_timeout=limits.ACS_CONNECT_S,
        read_timeout=limits.ACS_READ_S,
        **_transport(settings),
    )


def records_container(
    settings: Shared, credential: "AsyncTokenCredential | None"
) -> "ContainerClient":
    """The container of call records."""
    return _container(settings, credential, settings.records_container)


def directory_container(
    settings: BlobAccess, credential: "AsyncTokenCredential | None"
) -> "ContainerClient":
    """The container of the published directory."""
    return _container(settings, credential, settings.directory_container)


def _container(
    settings: BlobAccess, credential: "AsyncTokenCredential | None", name: str
) -> "ContainerClient":
    from azure.storage.blob.aio import ContainerClient

    if settings.storage_connection_string is not None:
        return ContainerClient.from_connection_string(
            settings.storage_connection_string, name, **storage_retry(), **_transport(settings)
        )
    assert settings.storage_blob_endpoint is not None, "the settings were checked"
    return ContainerClient(
        settings.storage_blob_endpoint, name, credential, **storage_retry(), **_transport(settings)
    )


def sessions_queue(settings: Shared, credential: "AsyncTokenCredential | None") -> "QueueClient":
    """The queue of session descriptors."""
    from azure.storage.queue.aio import QueueClient

    name = settings.sessions_queue
    if settings.storage_connection_string is not None:
        return QueueClient.from_connection_string(
            settings.storage_connection_string, name, **storage_retry(), **_transport(settings)
        )
    assert settings.storage_queue_endpoint is not None, "the settings were checked"
    return QueueClient(
        settings.storage_queue_endpoint,
        name,
        credential=credential,
        **storage_retry(),
        **_transport(settings),
    )


def _transport(settings: BlobAccess) -> dict[str, Any]:
    """No proxies from the environment: their look-up costs an executor job per request."""
    extra_ca = {"connection_verify": settings.tls_ca_file} if settings.tls_ca_file else {}
    return {"use_env_settings": False} | extra_ca
