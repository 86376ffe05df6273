"""What a deployment decides, read once from the environment: how it is read. `shared_settings.py`
has what both deployables share.

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


def several(one: Parse) -> Parse:
    """One or more, separated by commas; a tuple."""

    def parse(value: str) -> tuple[Any, ...]:
        parts = [part.strip() for part in value.split(",") if part.strip()]
        return tuple(one(part) for part in parts or [value])

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
        settings, faults = cls.with_faults(environ)
        if faults:
            raise SettingsError(faults)
        return settings

    @classmethod
    def with_faults(cls, environ: Mapping[str, str]) -> tuple[Self, tuple[SettingFault, ...]]:
        """The settings, and every fault: for whoever examines an environment. A setting that is at
        fault is None, whatever its type says."""
        values: dict[str, Any] = {}
        faults: list[SettingFault] = []
        for one in fields(cls):
            try:
                values |= _read(one, environ)
            except ValueError as error:
                faults.append(_fault(one, environ, expected=str(error)))
                values[one.name] = None
        settings = cls(**values)
        return settings, tuple(faults or settings.contradictions())

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
