"""What a deployment decides, read once from the environment: the part that both deployables share.

A setting is a dataclass field: its name in capitals is the environment variable, its default the
value in the real Azure, its metadata the documentation (`docs/configuration.md` is held to them).
"""

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

Parse = Callable[[str], Any]
"""Text of an environment variable to the setting's value; ValueError says what is expected."""


@dataclass(frozen=True)
class SettingFault:
    """One thing wrong with the environment: which variable, what, and how to mend it."""

    name: str
    message: str
    mend: str

    def __str__(self) -> str:
        return f"{self.name}: {self.message}; {self.mend}"


class SettingsError(ValueError):
    """Everything that is wrong with the environment, at once. Values are never shown."""

    def __init__(self, faults: tuple[SettingFault, ...]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


# --- parsers --------------------------------------------------------------------------------------


def text(value: str) -> str:
    """Any text."""
    return value


def choice(*options: str) -> Parse:
    """One of `options`, in any case."""

    def parse(value: str) -> str:
        if (found := {option.lower(): option for option in options}.get(value.lower())) is None:
            raise ValueError(f"one of {', '.join(options)}")
        return found

    return parse


def number(low: int, high: int) -> Parse:
    """A whole number from `low` to `high`."""

    def parse(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", value) or not low <= int(value) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(value)

    return parse


def number_choice(*options: int) -> Parse:
    """One of a few whole numbers."""

    def parse(value: str) -> int:
        if value not in {str(option) for option in options}:
            raise ValueError(f"one of {', '.join(str(option) for option in options)}")
        return int(value)

    return parse


def url(secure: Literal["https", "wss"]) -> Parse:
    """A base URL without its trailing slash. Unencrypted only towards this machine."""
    plain = {"https": "http", "wss": "ws"}[secure]

    def parse(value: str) -> str:
        try:
            parts = urlsplit(value)
            host, _ = parts.hostname, parts.port
        except ValueError:
            host, parts = None, urlsplit("")
        allowed = parts.scheme == secure or (parts.scheme == plain and _is_loopback(host))
        if not host or not allowed or parts.query or parts.fragment or parts.username:
            raise ValueError(f"a URL that starts with {secure}:// and has neither query nor user")
        return value.rstrip("/")

    return parse


def _is_loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def matching(pattern: str, expected: str) -> Parse:
    """Text of one shape, described by `expected`."""

    def parse(value: str) -> str:
        if not re.fullmatch(pattern, value, re.ASCII | re.IGNORECASE):
            raise ValueError(expected)
        return value

    return parse


def existing_file(value: str) -> str:
    """The path of a file that can be read now."""
    if not Path(value).is_file():
        raise ValueError("the path of an existing file")
    return value


GUID = matching(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "a GUID")
STORAGE_NAME = matching(
    r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*", "3 to 63 lower-case letters, digits and single hyphens"
)

# --- the machinery --------------------------------------------------------------------------------


def setting(doc: str, parse: Parse = text, *, default: Any = MISSING, secret: bool = False) -> Any:
    """A dataclass field that `read` fills from the environment. Secrets stay out of `repr`."""
    return field(
        default=default, repr=not secret, metadata={"doc": doc, "parse": parse, "secret": secret}
    )


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Base of every settings class: reads its fields from the environment."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """The settings in `environ`; an empty variable counts as unset.

        Raises `SettingsError` with every fault at once.
        """
        values: dict[str, Any] = {}
        faults: list[SettingFault] = []
        for one in fields(cls):
            try:
                values |= _read(one, environ)
            except ValueError as error:
                faults.append(_fault(one, environ, expected=str(error)))
        if faults:
            raise SettingsError(tuple(faults))
        settings = cls(**values)
        if contradictions := tuple(settings.contradictions()):
            raise SettingsError(contradictions)
        return settings

    def contradictions(self) -> Iterator[SettingFault]:
        """Faults that only show when several settings are seen together."""
        yield from ()


def _read(one: Field[Any], environ: Mapping[str, str]) -> dict[str, Any]:
    value = environ.get(one.name.upper(), "").strip()
    if value:
        return {one.name: one.metadata["parse"](value)}
    if one.default is MISSING:
        raise ValueError("")
    return {}


def _fault(one: Field[Any], environ: Mapping[str, str], *, expected: str) -> SettingFault:
    name = one.name.upper()
    if environ.get(name, "").strip():
        return SettingFault(name, "is malformed", f"expected {expected}")
    return SettingFault(name, "is missing", f"set it to: {one.metadata['doc']}")


# --- what both deployables need -------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Shared(Environment):
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
    storage_blob_endpoint: str | None = setting(
        "Blob endpoint of the storage account, https://NAME.blob.core.windows.net",
        url("https"),
        default=None,
    )
    storage_queue_endpoint: str | None = setting(
        "Queue endpoint of the storage account, https://NAME.queue.core.windows.net",
        url("https"),
        default=None,
    )
    storage_connection_string: str | None = setting(
        "Connection string of the storage account, in place of both endpoints. Simulator and local "
        "use only.",
        default=None,
        secret=True,
    )
    sessions_queue: str = setting(
        "Queue that holds one session descriptor per call in progress.",
        STORAGE_NAME,
        default="sessions",
    )
    records_container: str = setting(
        "Blob container of the call records.", STORAGE_NAME, default="records"
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
        "A PEM file with an extra certificate authority for Communication Services, Storage and "
        "Application Insights. Simulator only.",
        existing_file,
        default=None,
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = setting(
        "Least severe log lines to write: DEBUG, INFO, WARNING or ERROR.",
        choice("DEBUG", "INFO", "WARNING", "ERROR"),
        default="INFO",
    )

    def contradictions(self) -> Iterator[SettingFault]:
        """A storage account that is named nowhere, or nothing to sign in with."""
        sign_in = "set CREDENTIAL to managed_identity, default or azure_cli, or set the key"
        with_tokens: list[tuple[str, str | None]] = []
        if self.acs_access_key is None:
            with_tokens.append(("ACS_ENDPOINT", self.acs_endpoint))
            if self.credential == "none":
                yield SettingFault("ACS_ACCESS_KEY", "is missing", sign_in)
        if self.storage_connection_string is None:
            with_tokens.append(("STORAGE_BLOB_ENDPOINT", self.storage_blob_endpoint))
            with_tokens.append(("STORAGE_QUEUE_ENDPOINT", self.storage_queue_endpoint))
            if self.credential == "none":
                yield SettingFault("STORAGE_CONNECTION_STRING", "is missing", sign_in)
        for name, endpoint in with_tokens:
            if endpoint is None:
                mend = "set it (or STORAGE_CONNECTION_STRING with a simulator)"
                yield SettingFault(name, "is missing", mend)
            elif not endpoint.startswith("https://"):
                mend = "Azure's libraries send tokens over https only: use https, or set the key"
                yield SettingFault(name, "is not https", mend)
