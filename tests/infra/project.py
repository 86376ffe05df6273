"""The Bicep files of the deployment, and what an expression in them can be."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.infra import bicep
from tests.infra.syntax import (
    Array,
    BicepFile,
    Call,
    Entry,
    Expr,
    Index,
    Literal,
    Loop,
    Member,
    Name,
    Object,
    Operation,
    Var,
)

DIRECTORY = Path(__file__).parent.parent.parent / "infra" / "bicep"


@dataclass(frozen=True, order=True)
class Finding:
    """One thing wrong: where, and what."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"infra/bicep/{self.file}:{self.line}: {self.message}"


@dataclass(frozen=True)
class Project:
    """Every file by its name."""

    files: Mapping[str, BicepFile]


def sources() -> dict[str, str]:
    """The text of every Bicep file, by its name."""
    return {p.name: p.read_text(encoding="utf-8") for p in sorted(DIRECTORY.glob("*.bicep"))}


def project(texts: Mapping[str, str]) -> Project:
    """Parses every file. Raises `BicepError`."""
    return Project({name: bicep.parse(text) for name, text in texts.items()})


@dataclass(frozen=True)
class Known:
    """One thing that an expression can be; `whole` is False where more may be added to it."""

    expr: Expr
    whole: bool = True


@dataclass(frozen=True)
class Scope:
    """A file, and what its loop variables can be here."""

    file: BicepFile
    bound: Mapping[str, tuple[Expr, ...]] = field(default_factory=dict)

    def inside(self, loop: Loop) -> "Scope":
        """The scope of a loop's body: its item is any of the source's, as far as they are known."""
        items = [
            item
            for known in self.alternatives(loop.source)
            if isinstance(known.expr, Array)
            for item in known.expr.items
        ]
        rest: dict[str, tuple[Expr, ...]] = dict.fromkeys(loop.names[1:], ())
        return Scope(self.file, {**self.bound, loop.names[0]: tuple(items), **rest})

    def alternatives(self, expr: Expr) -> Iterator[Known]:
        """What the expression can be; itself where that is all that can be said."""
        found = list(self._alternatives(expr))
        yield from found or [Known(expr)]

    def _alternatives(self, expr: Expr) -> Iterator[Known]:
        match expr:
            case Name(name=name) if name in self.bound:
                for one in self.bound[name]:
                    yield from self.alternatives(one)
            case Name(name=name):
                declared = self.file.named(name)
                if isinstance(declared, Var):
                    yield from self.alternatives(declared.value)
            case Operation(operator="?:", operands=(_, first, second)):
                yield from self.alternatives(first)
                yield from self.alternatives(second)
            case Operation(operator="??", operands=(first, second)):
                yield from self.alternatives(first)
                yield from self.alternatives(second)
            case Call(target=None, name="union", arguments=arguments):
                yield from self._union(arguments)
            case Call(target=None, name="filter", arguments=(source, _)):
                yield from self.alternatives(source)
            case Member(target=target, name=name):
                for known in self.alternatives(target):
                    if isinstance(known.expr, Object) and (value := known.expr.get(name)):
                        yield from self.alternatives(value)
            case Index(target=target):
                for known in self.alternatives(target):
                    if isinstance(known.expr, Array):
                        for item in known.expr.items:
                            yield from self.alternatives(item)

    def _union(self, arguments: tuple[Expr, ...]) -> Iterator[Known]:
        """All objects in one, the later entry of a key winning."""
        entries: dict[object, Entry] = {}
        whole = True
        for argument in arguments:
            for known in self.alternatives(argument):
                whole = whole and known.whole and isinstance(known.expr, Object)
                if isinstance(known.expr, Object):
                    entries |= {entry.key: entry for entry in known.expr.entries}
        yield Known(Object(line=arguments[0].line, entries=tuple(entries.values())), whole)

    def literals(self, expr: Expr | None) -> list[object] | None:
        """Every value that the expression can have, if all of them stand in this file."""
        if expr is None:
            return None
        found = [known.expr for known in self.alternatives(expr)]
        values: list[object] = [one.value for one in found if isinstance(one, Literal)]
        return values if len(values) == len(found) else None
