"""Finds every fault of a document, by its shape, each with what to do about it."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from switchboard.shapes import (
    Anything,
    Condition,
    Either,
    Fits,
    Flag,
    Has,
    Lacks,
    ListOf,
    MapOf,
    Misfits,
    Number,
    Shape,
    Table,
    Tagged,
    Text,
    example,
    keys_within,
    kind,
)

Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One thing wrong: where, what, and how to mend it."""

    path: Path
    message: str
    mend: str


def check(shape: Shape, value: object, path: Path = ()) -> Iterator[Problem]:
    """Every problem of `value`, in the order of the document."""
    match shape:
        case Text():
            yield from _check_text(shape, value, path)
        case Number():
            yield from _check_number(shape, value, path)
        case Flag():
            if not isinstance(value, bool):
                yield _wrong_kind(shape, value, path)
        case ListOf():
            yield from _check_list(shape, value, path)
        case MapOf():
            yield from _check_map(shape, value, path)
        case Anything():
            yield from _check_json(value, path)
        case Table():
            yield from _check_table(shape, value, path)
        case Tagged():
            yield from _check_tagged(shape, value, path)
        case Either():
            for candidate in shape.shapes:
                if kind(candidate) == kind_of(value):
                    yield from check(candidate, value, path)
                    return
            yield _wrong_kind(shape, value, path)
        case _:
            assert_never(shape)


def kind_of(value: object) -> str:
    """The TOML type of a parsed value, in words."""
    if isinstance(value, bool):
        return "true or false"
    for types, words in ((str, "text"), ((int, float), "a number"), (list, "a list")):
        if isinstance(value, types):
            return words
    return "a table" if isinstance(value, Mapping) else "a date or time"


def shown(value: object, limit: int = 40) -> str:
    """A value as the author wrote it, about, cut to `limit` characters."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        cut = value if len(value) <= limit else value[: limit - 1] + "…"
        return '"' + "".join(c if c.isprintable() else " " for c in cut) + '"'
    return kind_of(value) if isinstance(value, list | Mapping) else str(value)


def one_of(words: Iterable[str]) -> str:
    """The words as a list in a sentence: `"a", "b" or "c"`."""
    quoted = [f'"{word}"' for word in words]
    return " or ".join(filter(None, (", ".join(quoted[:-1]), quoted[-1]))) if quoted else ""


def did_you_mean(word: str, words: Iterable[str]) -> str | None:
    """The one of `words` that `word` was probably meant to be."""
    import difflib  # only ever wanted where something is wrong

    by_folded = {known.casefold(): known for known in words}
    close = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def _wrong_kind(shape: Shape, value: object, path: Path) -> Problem:
    mend = f"Write {kind(shape)} here."
    if isinstance(shape, Number | Flag) and isinstance(value, str):
        mend = f"Write {kind(shape)} without quotes."
    elif isinstance(shape, Text) and kind_of(value) in ("a number", "true or false"):
        mend = f'Put it in quotes: "{shown(value)}".'
    elif isinstance(shape, ListOf) and isinstance(value, str):
        mend = f"Put it in brackets: [{shown(value)}]."
    return Problem(path, f"this is {kind_of(value)}, but {kind(shape)} is needed", mend)


def _check_text(shape: Text, value: object, path: Path) -> Iterator[Problem]:
    if not isinstance(value, str):
        yield _wrong_kind(shape, value, path)
    elif value in shape.choices:
        return
    elif shape.choices and not shape.pattern:
        yield Problem(path, f"{shown(value)} is not known here", _choice_mend(shape, value))
    elif not re.search(r"\S", value):
        yield Problem(path, "the text is empty", "Write something, or leave the key out.")
    elif len(value) > shape.max_length:
        yield Problem(
            path,
            f"the text has {len(value):,} characters",
            f"Shorten it to at most {shape.max_length:,}.",
        )
    elif shape.pattern and not fits(shape.pattern, value):
        close = did_you_mean(value, shape.choices)
        mend = f'Did you mean "{close}"?' if close else f"Write {shape.such_as}."
        yield Problem(path, f"{shown(value)} does not fit here", mend)


def _choice_mend(shape: Text, value: str) -> str:
    close = did_you_mean(value, shape.choices)
    if close is None:
        return f"Use {one_of(shape.choices)}."
    rest = "" if len(shape.choices) > 6 else f" Known: {one_of(shape.choices)}."
    return f'Did you mean "{close}"?{rest}'


def fits(pattern: str, text: str) -> bool:
    """Whether `pattern` (anchored by ^ and $ where meant so) is found, with `$` at the very end
    only, as JSON Schema reads it."""
    return re.search(pattern.replace("$", r"\Z"), text) is not None


def _check_number(shape: Number, value: object, path: Path) -> Iterator[Problem]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield _wrong_kind(shape, value, path)
        return
    extent = f"from {shape.minimum:g} to {shape.maximum:g}"
    if not shape.minimum <= value <= shape.maximum:  # false for nan, too
        yield Problem(path, f"{value} is out of range", f"Use a number {extent}.")
    elif shape.whole and value != int(value):
        yield Problem(path, f"{value} is not a whole number", f"Use a whole number {extent}.")


def _check_list(shape: ListOf, value: object, path: Path) -> Iterator[Problem]:
    if not isinstance(value, list):
        yield _wrong_kind(shape, value, path)
        return
    if len(value) > shape.max_items:
        yield Problem(path, f"{len(value)} entries", f"Use at most {shape.max_items}.")
    for at, item in enumerate(value):
        yield from check(shape.item, item, (*path, at))


def _check_map(shape: MapOf, value: object, path: Path) -> Iterator[Problem]:
    if not isinstance(value, Mapping):
        yield _wrong_kind(shape, value, path)
        return
    for key, item in value.items():
        for problem in check(shape.key, key, (*path, key)):
            message = f"{shown(key)} cannot be a name here"
            yield Problem(problem.path, message, shape.key_mend or problem.mend)
        yield from check(shape.value, item, (*path, key))


def _check_json(value: object, path: Path) -> Iterator[Problem]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _check_json(item, (*path, key))
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _check_json(item, (*path, at))
    elif kind_of(value) == "a date or time":
        yield Problem(path, "JSON has no dates", f'Put it in quotes: "{value}".')
    elif isinstance(value, float) and not math.isfinite(value):
        yield Problem(path, f"JSON has no {value}", "Use an ordinary number.")


def _check_table(
    shape: Table, value: object, path: Path, checked: str | None = None
) -> Iterator[Problem]:
    """`checked` is a key that was dealt with already."""
    if not isinstance(value, Mapping):
        yield _wrong_kind(shape, value, path)
        return
    table: Mapping[str, object] = value
    meant = _meant(shape, table)
    for key, item in table.items():
        if key == checked:
            continue
        if key in shape.withheld:
            yield Problem((*path, key), "this cannot be set here", shape.withheld[key])
            continue
        if key not in shape.fields:
            yield Problem((*path, key), "there is no such key", _key_mend(shape, key, meant))
        if known := shape.fields.get(meant.get(key, key)):
            yield from check(known.shape, item, (*path, key))
    repaired: dict[str, object] = {meant.get(key, key): item for key, item in table.items()}
    for key, wanted in shape.fields.items():
        if wanted.required and key != checked and key not in repaired:
            yield Problem(path, f"`{key}` is missing", f"Add {key} = {example(wanted.shape)}.")
    for rule in shape.never:
        if all(_holds(condition, repaired) for condition in rule.when):
            yield Problem((*path, *rule.at), rule.message, rule.mend)


def _meant(shape: Table, value: Mapping[str, object]) -> dict[str, str]:
    """For each misspelt key the one that was probably meant, so that it is not missed as well."""
    meant: dict[str, str] = {}
    for key in value:
        if key not in shape.fields and key not in shape.withheld:
            free = set(shape.fields).difference(value, meant.values())
            if close := did_you_mean(key, free):
                meant[key] = close
    return meant


def _key_mend(shape: Table, key: str, meant: Mapping[str, str]) -> str:
    if key in meant:
        return f"Did you mean `{meant[key]}`?"
    for name, known in shape.fields.items():
        if key in keys_within(known.shape):
            return f"`{key}` belongs inside `{name}`."
    known_here = ", ".join(shape.fields) if len(shape.fields) <= 12 else "see docs/agents.md"
    return f"Remove it. Known here: {known_here}."


def _check_tagged(shape: Tagged, value: object, path: Path) -> Iterator[Problem]:
    if not isinstance(value, Mapping):
        yield _wrong_kind(shape, value, path)
        return
    known = tuple(shape.cases)
    options = {key for case in shape.cases.values() for key in case.fields}
    wrong = [key for key in value if key not in options and did_you_mean(key, [shape.tag])]
    tag = value.get(shape.tag, value[wrong[0]] if wrong else shape.default)
    if tag is None:
        yield Problem(path, f"`{shape.tag}` is missing", f"Add {shape.tag} = {one_of(known)}.")
    elif shape.tag in value:
        yield from check(Text(choices=known), tag, (*path, shape.tag))
    kind = tag if isinstance(tag, str) else ""
    if kind not in known:  # go on with what was probably meant: all faults are shown at once
        kind = known[0] if len(known) == 1 else did_you_mean(kind, known) or ""
    if kind:
        yield from _check_table(shape.cases[kind], value, path, checked=shape.tag)


def _holds(condition: Condition, table: Mapping[str, object]) -> bool:
    at: object = table
    for key in condition.path:
        at = at.get(key) if isinstance(at, Mapping) else None
    match condition:
        case Has():
            return at is not None
        case Lacks():
            return at is None
        case Fits(pattern=pattern):
            return isinstance(at, str) and fits(pattern, at)
        case Misfits(pattern=pattern):
            return not (isinstance(at, str) and fits(pattern, at))
        case _:
            assert_never(condition)
