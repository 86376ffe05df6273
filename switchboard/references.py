"""What only the whole file shows: names that point nowhere, numbers, fallbacks that go in circles,
agents too large to travel with a call."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from switchboard import numbers
from switchboard.agent_table import agent_of_table
from switchboard.agents import agent_to_json
from switchboard.agents_file import AGENT
from switchboard.checks import Path, Problem, check, did_you_mean, one_of, shown
from switchboard.limits import AGENT_MAX_BYTES

_MISPLACED = {
    "default": "default_agent",
    "default_agent": "default_agent",
    "*": "default_agent",
    "fallback": "fallback_number",
    "fallback_number": "fallback_number",
    "region": "region",
}


@dataclass(frozen=True)
class Listed:
    """One entry of [numbers]."""

    agent: str
    fallback_number: str | None
    """E.164; None: the file's."""


def listed_numbers(document: Mapping[str, Any]) -> dict[str, Listed]:
    """[numbers] of a document without faults, by E.164 number or raw id in lower case."""
    region = document.get("region")
    listed = {}
    for written, entry in document.get("numbers", {}).items():
        agent, fallback = _entry(entry)
        listed[numbers.identity(written, region)] = Listed(
            agent, None if fallback is None else numbers.fallback(fallback, region)
        )
    return listed


def is_misplaced(path: Path) -> bool:
    """Whether `path` is a setting of the file that was written under [numbers]: said once here, so
    that nothing else need be said about it."""
    return path[:1] == ("numbers",) and len(path) > 1 and path[1] in _MISPLACED


def check_references(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Every problem between parts of `document`; parts of a wrong type are passed over."""
    region = document.get("region")
    if isinstance(region, str) and not numbers.is_region(region):
        known = "Use the two letters of a country, such as US, GB or DE."
        yield Problem(("region",), f"{shown(region)} is no country with phone numbers", known)
    agents, listed = document.get("agents"), document.get("numbers")
    if isinstance(agents, Mapping):
        yield from _check_names(document, agents)
        yield from _check_sizes(agents)
    if isinstance(listed, Mapping):
        yield from _check_numbers(listed, _reader(region))
    yield from _check_fallbacks(document, _reader(region))


_Read = Callable[[Callable[[str, str | None], str], str, Path], "str | Problem | None"]


def _reader(region: object) -> _Read:
    """Reads a number written at `path`; None where a wrong region leaves it open."""
    home = region if isinstance(region, str) and numbers.is_region(region) else None

    def read(how: Callable[[str, str | None], str], raw: str, path: Path) -> str | Problem | None:
        try:
            return how(raw, home)
        except numbers.NumberError as error:
            if region is not None and home is None:
                return None
            return Problem(path, f"{shown(raw)}: {error}", error.mend)

    return read


def _entry(entry: object) -> tuple[Any, Any]:
    if isinstance(entry, Mapping):
        return entry.get("agent"), entry.get("fallback_number")
    return entry, None


def _check_names(document: Mapping[str, Any], agents: Mapping[str, Any]) -> Iterator[Problem]:
    named: list[tuple[Path, Any]] = [(("default_agent",), document.get("default_agent"))]
    listed = document.get("numbers")
    for written, entry in listed.items() if isinstance(listed, Mapping) else ():
        path: Path = ("numbers", written)
        if written not in _MISPLACED:
            within = (*path, "agent") if isinstance(entry, Mapping) else path
            named.append((within, _entry(entry)[0]))
    for path, name in named:
        if isinstance(name, str) and name not in agents:
            close = did_you_mean(name, agents)
            mend = f'Did you mean "{close}"?' if close else f"Known: {one_of(agents)}."
            yield Problem(path, f"there is no agent {shown(name)}", mend)


def _check_sizes(agents: Mapping[str, Any]) -> Iterator[Problem]:
    for name, table in agents.items():
        if any(check(AGENT, table)):
            continue
        text = json.dumps(agent_to_json(agent_of_table(name, table)), ensure_ascii=False)
        size = len(text.encode()) + 4 * text.count("&") + 3 * (text.count("<") + text.count(">"))
        if size > AGENT_MAX_BYTES:
            yield Problem(
                ("agents", name),
                f"this agent needs {size:,} bytes, more than a call can carry",
                f"Shorten its instructions; {AGENT_MAX_BYTES:,} bytes in all is the most.",
            )


def _check_numbers(listed: Mapping[str, Any], read: _Read) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for written in listed:
        path: Path = ("numbers", written)
        if setting := _MISPLACED.get(written):
            mend = f"Write {setting} = … at the top of the file, before the first [table]."
            yield Problem(path, f"{shown(written)} is not a phone number", mend)
            continue
        key = read(numbers.identity, written, path)
        if isinstance(key, Problem):
            yield key
        elif key is not None and key in seen:
            message = f"{shown(written)} is the same number as {shown(seen[key])}"
            yield Problem(path, message, "Keep one of the two.")
        elif key is not None:
            seen[key] = written


def _check_fallbacks(document: Mapping[str, Any], read: _Read) -> Iterator[Problem]:
    everywhere = document.get("fallback_number")
    goes_to: dict[str, str] = {}
    common: str | None = None
    if isinstance(everywhere, str):
        path: Path = ("fallback_number",)
        number = read(numbers.fallback, everywhere, path)
        if isinstance(number, Problem):
            yield number
        else:
            common = number
    listed = document.get("numbers")
    places: dict[str, Path] = {}
    for written, entry in listed.items() if isinstance(listed, Mapping) else ():
        path, own = ("numbers", written), _entry(entry)[1]
        fallback = common
        if isinstance(own, str):
            path = (*path, "fallback_number")
            number = read(numbers.fallback, own, path)
            if isinstance(number, Problem):
                yield number
                continue
            fallback = number
        key = read(numbers.identity, written, path)
        if isinstance(key, str) and fallback is not None:
            goes_to[key] = fallback
            places[key] = path
    yield from _check_circles(goes_to, places)


def _check_circles(goes_to: Mapping[str, str], places: Mapping[str, Path]) -> Iterator[Problem]:
    for start, path in places.items():
        at, passed = goes_to[start], {start}
        while at in goes_to and at not in passed:
            passed.add(at)
            at = goes_to[at]
        if at == start:
            yield Problem(
                path,
                "the fallback leads back to this same number",
                "Use a number that a person answers.",
            )
