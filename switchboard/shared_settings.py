"""The settings that several programs share, as `settings.py` reads them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from switchboard.settings import (
    GUID,
    STORAGE_NAME,
    Environment,
    SettingFault,
    choice,
    existing_file,
    setting,
    url,
)

_SIGN_IN = "set CREDENTIAL to managed_identity, default or azure_cli, or set the key"


@dataclass(frozen=True, kw_only=True)
class BlobAccess(Environment):
    """The blobs of the storage account and how to sign in: what publishing the directory needs."""

    storage_blob_endpoint: str | None = setting(
        "Blob endpoint of the storage account, https://NAME.blob.core.windows.net",
        url("https"),
        default=None,
    )
    storage_connection_string: str | None = setting(
        "Connection string of the storage account, in place of both endpoints. Simulator and local "
        "use only.",
        default=None,
        secret=True,
    )
    directory_container: str = setting(
        "Blob container of the published directory of agents and numbers; need not exist.",
        STORAGE_NAME,
        default="directory",
    )
    credential: Literal["managed_identity", "default", "azure_cli", "none"] = setting(
        "How to sign in to Azure: managed_identity, default (DefaultAzureCredential), azure_cli, "
        "or none when keys are set for everything.",
        choice("managed_identity", "default", "azure_cli", "none"),
        default="managed_identity",
    )
    azure_client_id: str | None = setting(
        "Client id of the user-assigned managed identity; unset: the system-assigned one.",
        GUID,
        default=None,
    )
    tls_ca_file: str | None = setting(
        "A PEM file with an extra certificate authority for Communication Services and Storage. "
        "Simulator only.",
        existing_file,
        default=None,
    )

    def contradictions(self) -> Iterator[SettingFault]:
        """A storage account that is named nowhere, or nothing to sign in with."""
        if self.storage_connection_string is not None:
            return
        for name, endpoint in self.storage_endpoints():
            yield from _token_faults(name, endpoint)
        if self.credential == "none":
            yield SettingFault("STORAGE_CONNECTION_STRING", "is missing", _SIGN_IN)

    def storage_endpoints(self) -> list[tuple[str, str | None]]:
        """Those that are needed without a connection string, by the names of their settings."""
        return [("STORAGE_BLOB_ENDPOINT", self.storage_blob_endpoint)]


@dataclass(frozen=True, kw_only=True)
class Shared(BlobAccess):
    """Azure Communication Services, Storage and identity, as the Functions and the worker see
    them."""

    acs_endpoint: str = setting(
        "Endpoint of the Azure Communication Services resource, https://NAME.communication.azure.com",
        url("https"),
    )
    acs_access_key: str | None = setting(
        "Access key of the Azure Communication Services resource. Simulator and local use only: in "
        "Azure leave it unset, the credential is used.",
        default=None,
        secret=True,
    )
    acs_immutable_resource_id: str = setting(
        "Immutable resource id (a GUID) of the Azure Communication Services resource: the audience "
        "of its tokens.",
        GUID,
    )
    acs_issuer: str = setting(
        "Issuer of the tokens on callbacks and media sockets.",
        default="https://acscallautomation.communication.azure.com",
    )
    acs_jwks_url: str = setting(
        "Where the keys that sign those tokens are published.",
        url("https"),
        default="https://acscallautomation.communication.azure.com/calling/keys",
    )
    storage_queue_endpoint: str | None = setting(
        "Queue endpoint of the storage account, https://NAME.queue.core.windows.net",
        url("https"),
        default=None,
    )
    sessions_queue: str = setting(
        "Queue that holds one session descriptor per call in progress.",
        STORAGE_NAME,
        default="sessions",
    )
    records_container: str = setting(
        "Blob container of the call records.", STORAGE_NAME, default="records"
    )
    agents_file: str = setting(
        "Path of the directory of agents and numbers that counts while none is published; "
        "relative to the app's root.",
        default="agents.toml",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = setting(
        "Least severe log lines to write: DEBUG, INFO, WARNING or ERROR.",
        choice("DEBUG", "INFO", "WARNING", "ERROR"),
        default="INFO",
    )

    def contradictions(self) -> Iterator[SettingFault]:
        """Also: nothing to sign in to Azure Communication Services with."""
        if self.acs_access_key is None:
            yield from _token_faults("ACS_ENDPOINT", self.acs_endpoint)
            if self.credential == "none":
                yield SettingFault("ACS_ACCESS_KEY", "is missing", _SIGN_IN)
        yield from super().contradictions()

    def storage_endpoints(self) -> list[tuple[str, str | None]]:
        """The queue's too."""
        return [
            *super().storage_endpoints(),
            ("STORAGE_QUEUE_ENDPOINT", self.storage_queue_endpoint),
        ]


def _token_faults(name: str, endpoint: str | None) -> Iterator[SettingFault]:
    if endpoint is None:
        mend = "set it (or STORAGE_CONNECTION_STRING with a simulator)"
        yield SettingFault(name, "is missing", mend)
    elif not endpoint.startswith("https://"):
        mend = "Azure's libraries send tokens over https only: use https, or set the key"
        yield SettingFault(name, "is not https", mend)
