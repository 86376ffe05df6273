"""The directory: which agent answers which number. Read from `agents.toml`, all faults at once."""

import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from switchboard import numbers
from switchboard.agent_table import agent_of_table
from switchboard.agents import Agent
from switchboard.agents_file import DOCUMENT
from switchboard.checks import Path, Problem, check
from switchboard.references import Listed, check_references, is_misplaced, listed_numbers
from switchboard.toml_faults import explain_syntax
from switchboard.toml_lines import line_of, locate


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

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        return f"{where}{self.message}. {self.mend}"


class DirectoryError(Exception):
    """The file cannot be used; nothing of it was taken.

    `str()` is one line for each fault and quotes the file, numbers and all: for its owner, not for
    logs. For those: `source`, and the lines of `faults`.
    """

    def __init__(self, source: str, faults: tuple[Fault, ...]) -> None:
        places = (f"{source}:{fault.line}: {fault}" for fault in faults)
        super().__init__("\n".join(places))
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
    numbers: Mapping[str, Listed]
    """By E.164 number, or raw id in lower case."""

    default_agent: str | None
    fallback_number: str | None
    """E.164; for every number that has none of its own."""

    region: str | None
    generation: str
    """12 hexadecimal digits of the SHA-256 of the file."""

    def route(self, called: str) -> Route | None:
        """Who answers `called`: an ACS raw id (`4:+1555…`, `28:orgid:…`, `8:acs:…`) or a phone
        number in any usual writing. None: nobody (no default, or an unmapped other identity)."""
        key = called.removeprefix("4:")  # as ACS writes a number: found without parsing it
        if key not in self.numbers:
            try:
                key = numbers.identity(called, self.region)
            except numbers.NumberError:
                key = ""
        if listed := self.numbers.get(key):
            fallback = listed.fallback_number or self.fallback_number
            return Route(self.agents[listed.agent], "number", key, fallback)
        if self.default_agent is None or not numbers.is_phone(called, self.region):
            return None
        default = self.agents[self.default_agent]
        return Route(default, "default", "default_agent", self.fallback_number)

    def unused(self) -> list[str]:
        """The agents that answer nothing, in the order of the file."""
        used = {listed.agent for listed in self.numbers.values()} | {self.default_agent}
        return [name for name in self.agents if name not in used]


def parse_directory(text: str | bytes, *, source: str) -> Directory:
    """Reads the whole file (bytes: UTF-8); `source` names it in errors.

    Raises:
        DirectoryError: with every fault of the file.
    """
    content = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    plain = _decoded(content, source)
    document = _loaded(plain, source)
    problems = [
        *(found for found in check(DOCUMENT, document) if not is_misplaced(found.path)),
        *check_references(document),
    ]
    if problems:
        raise DirectoryError(source, _faults(problems, plain))
    region = document.get("region")
    fallback = document.get("fallback_number")
    return Directory(
        agents={name: agent_of_table(name, table) for name, table in document["agents"].items()},
        numbers=listed_numbers(document),
        default_agent=document.get("default_agent"),
        fallback_number=None if fallback is None else numbers.fallback(fallback, region),
        region=region,
        generation=hashlib.sha256(content).hexdigest()[:12],
    )


def _decoded(content: bytes, source: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        fault = Fault(line, "", "this is not UTF-8", "Save the file as UTF-8.", column)
        raise DirectoryError(source, (fault,)) from None


def _loaded(text: str, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line, column, message, mend = explain_syntax(error, text)
        fault = Fault(line, "", message, mend, column)
    except ValueError:  # tomllib lets Python's own limit on digits through
        fault = Fault(1, "", "a number has thousands of digits", "Write a shorter number.")
    except RecursionError:
        fault = Fault(1, "", "lists or tables are nested too deeply", "Nest them less.")
    raise DirectoryError(source, (fault,))


def _faults(problems: Iterable[Problem], text: str) -> tuple[Fault, ...]:
    lines = locate(text)
    faults = dict.fromkeys(
        Fault(line_of(p.path, lines), _dotted(p.path), p.message, p.mend) for p in problems
    )
    return tuple(sorted(faults, key=lambda fault: fault.line))


def _dotted(path: Path) -> str:
    """As TOML writes it: `numbers."+15550100001".agent`, and `prompts[0]` for a list."""
    dotted = ""
    for part in path:
        if isinstance(part, int):
            dotted += f"[{part}]"
        else:
            bare = re.fullmatch(r"[A-Za-z0-9_-]+", part)
            quoted = part.replace("\\", "\\\\").replace('"', '\\"')
            dotted += ("." if dotted else "") + (part if bare else f'"{quoted}"')
    return dotted
