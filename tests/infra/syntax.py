"""What a Bicep file says, as a tree in which every node knows its line."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import TypeVar


@dataclass(frozen=True, kw_only=True)
class Node:
    """Anything with a place in the file."""

    line: int


@dataclass(frozen=True, kw_only=True)
class Literal(Node):
    """A number, true, false, null, or a text without interpolation."""

    value: str | int | bool | None


@dataclass(frozen=True, kw_only=True)
class Text(Node):
    """An interpolated string: its constant pieces and the expressions between them, in order."""

    parts: tuple["str | Expr", ...]


@dataclass(frozen=True, kw_only=True)
class Name(Node):
    """A reference to a symbol, or to a namespace such as `az`."""

    name: str


@dataclass(frozen=True, kw_only=True)
class Member(Node):
    """`target.name`; `safe` for `target.?name`."""

    target: "Expr"
    name: str
    safe: bool


@dataclass(frozen=True, kw_only=True)
class Index(Node):
    """`target[index]`."""

    target: "Expr"
    index: "Expr"


@dataclass(frozen=True, kw_only=True)
class Call(Node):
    """`name(arguments)`, or `target.name(arguments)`."""

    target: "Expr | None"
    name: str
    arguments: tuple["Expr", ...]


@dataclass(frozen=True, kw_only=True)
class Operation(Node):
    """A prefix, infix or postfix operator; `?:` is the conditional, with three operands."""

    operator: str
    operands: tuple["Expr", ...]


@dataclass(frozen=True, kw_only=True)
class Entry(Node):
    """One property of an object."""

    key: str | Text
    value: "Expr"


@dataclass(frozen=True, kw_only=True)
class Object(Node):
    """`{ … }`."""

    entries: tuple[Entry, ...]

    def get(self, *path: str) -> "Expr | None":
        """The value at a path of literal keys."""
        here: Expr | None = self
        for key in path:
            if not isinstance(here, Object):
                return None
            here = next((entry.value for entry in here.entries if entry.key == key), None)
        return here


@dataclass(frozen=True, kw_only=True)
class Array(Node):
    """`[ … ]`."""

    items: tuple["Expr", ...]


@dataclass(frozen=True, kw_only=True)
class Lambda(Node):
    """`(a, b) => body`."""

    names: tuple[str, ...]
    body: "Expr"


@dataclass(frozen=True, kw_only=True)
class Loop(Node):
    """`[for item in source: body]`, with the index if it is named."""

    names: tuple[str, ...]
    source: "Expr"
    body: "Expr"


Expr = Literal | Text | Name | Member | Index | Call | Operation | Object | Array | Lambda | Loop


@dataclass(frozen=True, kw_only=True)
class Declared(Node):
    """A statement that names something. Decorators by name, with their arguments."""

    name: str
    decorators: tuple[Call, ...]

    def decorator(self, name: str) -> Call | None:
        """The decorator of that name."""
        return next((one for one in self.decorators if one.name == name), None)


@dataclass(frozen=True, kw_only=True)
class Param(Declared):
    """`param name type = default`; the type as its words."""

    type: str
    default: Expr | None


@dataclass(frozen=True, kw_only=True)
class Var(Declared):
    """`var name = value`."""

    value: Expr


@dataclass(frozen=True, kw_only=True)
class Output(Declared):
    """`output name type = value`."""

    type: str
    value: Expr


@dataclass(frozen=True, kw_only=True)
class UserType(Declared):
    """`type name = …`; the words of its right side."""

    words: str


@dataclass(frozen=True, kw_only=True)
class Resource(Declared):
    """`resource name 'type@version' = …`; the loop and the condition around the body, if any."""

    type: str
    version: str
    existing: bool
    condition: Expr | None
    loop: Loop | None
    body: Object


@dataclass(frozen=True, kw_only=True)
class Module(Declared):
    """`module name 'path' = …`."""

    path: str
    condition: Expr | None
    loop: Loop | None
    body: Object


Statement = Param | Var | Output | UserType | Resource | Module
S = TypeVar("S", Param, Var, Output, UserType, Resource, Module)


@dataclass(frozen=True, kw_only=True)
class BicepFile(Node):
    """One file: its target scope and its statements, in order."""

    scope: str
    statements: tuple[Statement, ...]

    def named(self, name: str) -> Statement | None:
        """The statement that declares a symbol (outputs are no symbols)."""
        return next(
            (s for s in self.statements if s.name == name and not isinstance(s, Output)), None
        )

    def all(self, kind: type[S]) -> list[S]:
        """Every statement of one kind."""
        return [statement for statement in self.statements if isinstance(statement, kind)]


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it."""
    yield node
    for field in fields(node):
        value = getattr(node, field.name)
        for child in value if isinstance(value, tuple) else (value,):
            if isinstance(child, Node):
                yield from walk(child)
