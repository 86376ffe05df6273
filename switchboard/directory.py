"""The directory: which agent answers which number. Read from `agents.toml`, all faults at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from switchboard.agents import Agent


@dataclass(frozen=True)
class Fault:
    """One thing wrong in the file, and how to mend it."""

    line: int
    """From 1; the line of the key in question."""

    path: str
    """Where in the document, such as `agents.reception.voice.type`. Empty: the file itself."""

    message: str
    mend: str
    """What to do about it, a sentence."""

    column: int | None = None
    """From 1; only where the file is no TOML at all."""


class DirectoryError(Exception):
    """The file cannot be used; nothing of it was taken."""

    def __init__(self, source: str, faults: tuple[Fault, ...]) -> None:
        super().__init__(f"{source}: {len(faults)} faults")
        self.source = source
        self.faults = faults


@dataclass(frozen=True)
class Route:
    """The answer to "who answers this call?"."""

    agent: Agent
    matched: Literal["number", "default"]
    """`number`: the called party stands in [numbers]; `default`: `default_agent` answers."""

    key: str
    """What matched: the E.164 number or raw id of [numbers], or `default_agent`."""

    fallback_number: str | None
    """E.164; where a caller is transferred when the agent cannot be reached."""


@dataclass(frozen=True)
class Directory:
    """All agents and numbers of one generation of the file."""

    agents: Mapping[str, Agent]
    generation: str
    """12 hexadecimal digits of the SHA-256 of the file."""

    def route(self, called: str) -> Route | None:
        """Who answers `called`: an ACS raw id (`4:+1555…`, `28:orgid:…`, `8:acs:…`) or a phone
        number in any usual writing. None: nobody (no default, or an unmapped other identity)."""
        raise NotImplementedError


def parse_directory(text: str | bytes, *, source: str) -> Directory:
    """Reads the whole file (bytes: UTF-8); `source` names it in errors.

    Raises:
        DirectoryError: with every fault of the file.
    """
    raise NotImplementedError
