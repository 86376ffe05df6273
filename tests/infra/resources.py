"""Holds every resource to Microsoft's own models: type, API version, properties at every depth."""

import difflib
from collections.abc import Iterator

from tests.infra.azure_models import described
from tests.infra.project import Finding, Project, Scope
from tests.infra.shapes import Anything, Expected, Field, ListOf, MapOf, Model, Scalar, Shape
from tests.infra.syntax import (
    Array,
    Call,
    Expr,
    Index,
    Literal,
    Loop,
    Member,
    Name,
    Object,
    Operation,
    Param,
    Resource,
    Text,
    walk,
)

_BICEP_ONLY = {"name", "parent", "scope", "dependsOn"}
_ALWAYS_READ = {"id", "name", "type", "apiVersion"}
_CALLS: dict[str, type] = {
    "string": str, "guid": str, "uniqueString": str, "toLower": str, "replace": str, "join": str,
    "trim": str, "subscriptionResourceId": str, "resourceId": str, "utcNow": str,
    "int": int, "length": int, "empty": bool, "contains": bool, "bool": bool,
    "split": list, "map": list, "filter": list, "range": list, "items": list, "union": dict,
}  # fmt: skip
_TYPES: dict[str, type] = {"string": str, "int": int, "bool": bool, "array": list, "object": dict}
_WORDS = {str: "a text", int: "a whole number", float: "a number", bool: "true or false",
          list: "a list", dict: "an object"}  # fmt: skip


def check(project: Project) -> Iterator[Finding]:
    """Every resource of every file, and every property that is read from one."""
    for name, file in project.files.items():
        for resource in file.all(Resource):
            yield from _Resource(name, Scope(file), resource).findings()
        for node in walk(file):
            if isinstance(node, Member):
                yield from _read(name, Scope(file), node)


class _Resource:
    def __init__(self, file: str, scope: Scope, resource: Resource) -> None:
        self._file = file
        self._scope = scope if resource.loop is None else scope.inside(resource.loop)
        self._resource = resource

    def findings(self) -> Iterator[Finding]:
        one = self._resource
        model = described(one.type)
        if model is None:
            yield self._at(one.line, f"unknown resource type {one.type}")
            return
        if one.version != model.version:
            message = f"{one.type} is described in version {model.version}, not {one.version}"
            yield self._at(one.line, message)
        if one.body.get("name") is None:
            yield self._at(one.body.line, "name is missing")
        own = _BICEP_ONLY | ({"properties"} if one.existing else set())
        entries = tuple(entry for entry in one.body.entries if entry.key not in _BICEP_ONLY)
        if one.existing:
            yield from (self._at(e.line, f"{e.key} of an existing resource") for e in entries)
            return
        fields = {name: f for name, f in model.written.fields.items() if name not in own}
        body = Object(line=one.body.line, entries=entries)
        yield from self._object(body, Shape(fields), one.type, self._scope, whole=True)

    def _at(self, line: int, message: str) -> Finding:
        return Finding(self._file, line, message)

    def _object(
        self, body: Object, shape: Shape, path: str, scope: Scope, *, whole: bool
    ) -> Iterator[Finding]:
        while shape.decided_by is not None:
            values = scope.literals(body.get(shape.decided_by))
            if not values:
                yield self._at(body.line, f"{path}.{shape.decided_by} is missing")
                return
            if (variant := shape.variants.get(str(values[0]))) is None:
                line = next(e.line for e in body.entries if e.key == shape.decided_by)
                yield self._at(line, f"{path} is none of {sorted(shape.variants)}")
                return
            shape = Model(variant).shape()
        for entry in body.entries:
            if isinstance(entry.key, Text):
                continue
            if (field := shape.fields.get(entry.key)) is None:
                near = difflib.get_close_matches(entry.key, shape.fields, 1)
                hint = f"; did you mean {near[0]}?" if near else ""
                yield self._at(entry.line, f"{path} has no property {entry.key}{hint}")
            elif field.read_only:
                yield self._at(entry.line, f"{path}.{entry.key} is read-only")
            else:
                yield from self._value(entry.value, field.expected, f"{path}.{entry.key}", scope)
        named = {entry.key for entry in body.entries}
        for name in _required(shape) if whole else ():
            if name not in named:
                yield self._at(body.line, f"{path}.{name} is missing")

    def _value(self, expr: Expr, expected: Expected, path: str, scope: Scope) -> Iterator[Finding]:
        for known in scope.alternatives(expr):
            one = known.expr
            if isinstance(one, Loop):
                inner = scope.inside(one)
                item = expected.item if isinstance(expected, ListOf) else Anything()
                yield from self._value(one.body, item, path, inner)
            kind = _kind(one, scope)
            match expected:
                case Scalar():
                    yield from self._scalar(one, kind, expected, path)
                case ListOf(item=item):
                    if isinstance(one, Array):
                        for inner_expr in one.items:
                            yield from self._value(inner_expr, item, f"{path}[]", scope)
                    elif kind not in (None, list):
                        yield self._wrong_kind(one, path, list)
                case MapOf(value=value):
                    if isinstance(one, Object):
                        for entry in one.entries:
                            yield from self._value(entry.value, value, f"{path}.{entry.key}", scope)
                    elif kind not in (None, dict):
                        yield self._wrong_kind(one, path, dict)
                case Model() | Shape():
                    if isinstance(one, Object):
                        shape = expected if isinstance(expected, Shape) else expected.shape()
                        yield from self._object(one, shape, path, scope, whole=known.whole)
                    elif kind not in (None, dict):
                        yield self._wrong_kind(one, path, dict)

    def _scalar(
        self, expr: Expr, kind: type | None, expected: Scalar, path: str
    ) -> Iterator[Finding]:
        if kind is not None and kind not in expected.kinds:
            yield self._wrong_kind(expr, path, *expected.kinds)
        elif isinstance(expr, Literal) and expr.value is not None:
            value, choices = expr.value, expected.choices
            if choices is not None and value not in choices:
                yield self._at(expr.line, f"{path}: {value!r} is none of {sorted(choices)}")
            if isinstance(value, int) and not expected.low <= value <= expected.high:
                bounds = f"{expected.low} to {expected.high}"
                yield self._at(expr.line, f"{path}: {value} is not from {bounds}")

    def _wrong_kind(self, expr: Expr, path: str, *kinds: type) -> Finding:
        wanted = " or ".join(sorted(_WORDS[kind] for kind in kinds))
        return self._at(expr.line, f"{path} is {wanted}")


def _required(shape: Shape) -> list[str]:
    return [name for name, field in shape.fields.items() if field.required and not field.read_only]


def _kind(expr: Expr, scope: Scope) -> type | None:
    """What the expression is; None: cannot be said, or null."""
    match expr:
        case Literal(value=value):
            return None if value is None else type(value)
        case Text():
            return str
        case Array() | Loop():
            return list
        case Object():
            return dict
        case Call(target=None, name=name):
            return _CALLS.get(name)
        case Operation(operator=sign):
            return bool if sign in ("!", "==", "!=", "&&", "||", "<", ">", "<=", ">=") else None
        case Name(name=name):
            declared = scope.file.named(name)
            if name in scope.bound or not isinstance(declared, Param):
                return None
            return list if declared.type.endswith("[]") else _TYPES.get(declared.type)
    return None


# --- what is read from a resource -----------------------------------------------------------------


def _read(file: str, scope: Scope, node: Member) -> Iterator[Finding]:
    """`resource.properties.thing`: each step must exist."""
    root, steps = _steps(node)
    resource = scope.file.named(root.name) if root is not None else None
    if not isinstance(resource, Resource) or (model := described(resource.type)) is None:
        return
    here: Shape | None = model.read
    for depth, step in enumerate(steps):
        if here is None or (depth == 0 and step in _ALWAYS_READ):
            return
        found: Field | None = here.fields.get(step)
        if found is None:
            yield Finding(file, node.line, f"{resource.type} has no {'.'.join(steps[: depth + 1])}")
            return
        expected = found.expected
        if isinstance(expected, ListOf):
            expected = expected.item
        here = expected.shape() if isinstance(expected, Model) else None
        here = expected if isinstance(expected, Shape) else here


def _steps(node: Expr) -> tuple[Name | None, list[str]]:
    """The symbol at the beginning of `a.b[0].c`, and the names after it."""
    match node:
        case Name():
            return node, []
        case Member(target=target, name=name):
            root, steps = _steps(target)
            return root, [*steps, name]
        case Index(target=target):
            return _steps(target)
    return None, []
