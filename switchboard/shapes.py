"""Shapes: what a document may hold, said once, as data. `switchboard.checks` finds every fault of a
document by them, and `switchboard.schema` turns them into a JSON Schema.

They are named tuples, which an import makes six times faster than dataclasses: a cold start of the
Functions app makes them while a phone rings."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple, TypeAlias, assert_never


class Text(NamedTuple):
    """A string that is not blank."""

    choices: tuple[str, ...] = ()
    """If given, nothing else will do."""

    pattern: str | None = None
    """A regular expression for the whole text, in the dialect that Python and ECMA-262 share."""

    such_as: str = ""
    """For the mend and the schema: an example of what fits `pattern`."""

    max_length: int = 500


class Number(NamedTuple):
    """Both ends belong to the range. `whole`: 3 and 3.0, not 3.5."""

    minimum: float
    maximum: float
    whole: bool = False


class Flag(NamedTuple):
    """true or false."""


class ListOf(NamedTuple):
    """A list of at most `max_items`."""

    item: "Shape"
    max_items: int


class MapOf(NamedTuple):
    """A table whose keys the author chooses."""

    key: Text
    value: "Shape"
    key_mend: str = ""
    """Said when a key does not fit; else the key's own mend."""


class Anything(NamedTuple):
    """Whatever JSON can say."""


class Field(NamedTuple):
    """One key of a table."""

    shape: "Shape"
    doc: str
    """One or two sentences, shown by editors."""

    required: bool = False
    default: object = None
    """What an absent key means, where that is one value. Shown by editors."""


class Has(NamedTuple):
    """A condition: something stands at this path."""

    path: tuple[str, ...]


class Lacks(NamedTuple):
    """A condition: nothing stands at this path."""

    path: tuple[str, ...]


class Fits(NamedTuple):
    """A condition: the text at this path fits the pattern."""

    path: tuple[str, ...]
    pattern: str


class Misfits(NamedTuple):
    """A condition: no text that fits the pattern stands at this path."""

    path: tuple[str, ...]
    pattern: str


Condition: TypeAlias = Has | Lacks | Fits | Misfits


class Never(NamedTuple):
    """Conditions of one table that must not hold together."""

    when: tuple[Condition, ...]
    at: tuple[str, ...]
    """Where the fault is shown, from the table."""

    message: str
    mend: str


class Table(NamedTuple):
    """A table with known keys."""

    fields: Mapping[str, Field]
    never: tuple[Never, ...] = ()
    withheld: Mapping[str, str] = MappingProxyType({})
    """Keys that somebody may well try, each with why not and what instead."""


class Tagged(NamedTuple):
    """A table of one of several kinds, told apart by the text under `tag`."""

    tag: str
    cases: Mapping[str, Table]
    default: str | None = None
    """The kind where `tag` is absent."""


class Either(NamedTuple):
    """One of several shapes, each of another TOML type (text, number, flag, list, table)."""

    shapes: tuple["Shape", ...]


Shape: TypeAlias = Text | Number | Flag | ListOf | MapOf | Anything | Table | Tagged | Either


def kind(shape: Shape) -> str:
    match shape:
        case Text():
            return "text"
        case Number():
            return "a number"
        case Flag():
            return "true or false"
        case ListOf():
            return "a list"
        case MapOf() | Table() | Tagged():
            return "a table"
        case Either():
            return " or ".join(kind(candidate) for candidate in shape.shapes)
        case Anything():
            return "anything"
        case _:
            assert_never(shape)


def keys_within(shape: Shape) -> set[str]:
    match shape:
        case Table():
            return set(shape.fields)
        case Tagged():
            return {key for case in shape.cases.values() for key in case.fields}
        case Either():
            return {key for candidate in shape.shapes for key in keys_within(candidate)}
        case _:
            return set()


def example(shape: Shape) -> str:
    """How a value of this shape may look in the file."""
    match shape:
        case Text():
            return f'"{shape.choices[0]}"' if shape.choices else shape.such_as or '"…"'
        case Number():
            return f"{shape.minimum:g}"
        case Flag():
            return "true"
        case ListOf():
            return f"[{example(shape.item)}]"
        case Tagged():
            return f'{{ {shape.tag} = "{next(iter(shape.cases))}", … }}'
        case Either():
            return example(shape.shapes[0])
        case MapOf() | Table() | Anything():
            return "{ … }"
        case _:
            assert_never(shape)
