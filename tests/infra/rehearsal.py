"""A deployment without Azure: main.bicep evaluated with given parameters, down to every resource.

What only Azure knows (host names, ids that it gives out) is taken from `made.SAMPLES`.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.infra.made import SUBSCRIPTION, Group, Made
from tests.infra.project import Project
from tests.infra.syntax import (
    Array,
    Call,
    Expr,
    Index,
    Lambda,
    Literal,
    Loop,
    Member,
    Module,
    Name,
    Object,
    Operation,
    Output,
    Param,
    Resource,
    Statement,
    Text,
    Var,
)


@dataclass
class Rehearsal:
    """Every resource that was made or read, and the outputs of the whole."""

    project: Project
    resources: list[Made] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)

    def written(self, made_id: str) -> dict[str, Any]:
        """What was written to a resource before; nothing: it was brought."""
        return next((r.body for r in self.resources if r.id == made_id and not r.existing), {})

    def made(self, resource_type: str) -> list[Made]:
        """What would be written, of one type."""
        return [r for r in self.resources if r.type == resource_type and not r.existing]


def rehearse(project: Project, file: str, **parameters: Any) -> Rehearsal:
    """Deploys a file with these parameters and the defaults of the others."""
    rehearsal = Rehearsal(project)
    whole = _Instance(rehearsal, file, parameters, Group(SUBSCRIPTION, "rg"))
    rehearsal.outputs = whole.outputs()
    return rehearsal


class _Instance:
    """One file, deployed once."""

    def __init__(
        self, rehearsal: Rehearsal, file: str, parameters: Mapping[str, Any], group: Group
    ) -> None:
        self._rehearsal = rehearsal
        self._name = file
        self._file = rehearsal.project.files[file]
        self._parameters = parameters
        self._group = group
        self._values: dict[str, Any] = {}

    def outputs(self) -> dict[str, Any]:
        """Deploys everything in the file, then what it says."""
        for statement in self._file.statements:
            if isinstance(statement, Resource | Module):
                self._value(statement.name)
        return {one.name: self._eval(one.value, {}) for one in self._file.all(Output)}

    def _value(self, name: str) -> Any:
        if name not in self._values:
            statement = self._file.named(name)
            assert statement is not None, f"{self._name}: {name}"
            self._values[name] = self._declared(statement)
        return self._values[name]

    def _declared(self, statement: Statement) -> Any:
        match statement:
            case Param(name=name, default=default):
                if name in self._parameters:
                    return self._parameters[name]
                assert default is not None, f"{self._name}: {name} is not given"
                return self._eval(default, {})
            case Var(value=value):
                return self._eval(value, {})
            case Resource(loop=loop, condition=condition):
                return self._each(loop, condition, lambda local: self._resource(statement, local))
            case Module(loop=loop, condition=condition):
                return self._each(loop, condition, lambda local: self._module(statement, local))
        raise AssertionError(statement.name)

    def _each(
        self, loop: Loop | None, condition: Expr | None, make: Callable[[dict[str, Any]], Any]
    ) -> Any:
        if loop is not None:
            return [make(local) for local in self._rounds(loop, {})]
        return make({}) if condition is None or self._eval(condition, {}) else None

    def _rounds(self, loop: Loop, local: dict[str, Any]) -> list[dict[str, Any]]:
        source = self._eval(loop.source, local)
        return [
            {**local, **dict(zip(loop.names, (x, i), strict=False))} for i, x in enumerate(source)
        ]

    def _resource(self, statement: Resource, local: dict[str, Any]) -> Made:
        body = {
            str(entry.key): self._eval(entry.value, local)
            for entry in statement.body.entries
            if entry.key != "dependsOn"
        }
        parent, scope = body.pop("parent", None), body.pop("scope", None)
        here = scope.id if isinstance(scope, Made) else f"/subscriptions/{self._group.subscription}"
        if parent is not None:
            made_id = f"{parent.id}/{statement.type.rpartition('/')[2]}/{body['name']}"
        elif statement.type.startswith("Microsoft.Resources/"):
            made_id = f"{here}/resourceGroups/{body['name']}"
        else:
            if not isinstance(scope, Made):
                here += f"/resourceGroups/{self._group.name}"
            made_id = f"{here}/providers/{statement.type}/{body['name']}"
        on = scope if isinstance(scope, Made) else None
        if statement.existing:
            body = self._rehearsal.written(made_id) | body
        made = Made(statement.type, made_id, self._group, statement.existing, on, body)
        self._rehearsal.resources.append(made)
        return made

    def _module(self, statement: Module, local: dict[str, Any]) -> dict[str, Any]:
        scope = self._eval(statement.body.get("scope"), local)
        params = self._eval(statement.body.get("params"), local)
        group = Group(SUBSCRIPTION, scope.name) if isinstance(scope, Made) else scope
        inner = _Instance(self._rehearsal, statement.path, params, group or self._group)
        return {"outputs": inner.outputs()}

    # --- expressions ------------------------------------------------------------------------------

    def _eval(self, expr: Expr | None, local: dict[str, Any]) -> Any:
        match expr:
            case None:
                return None
            case Literal(value=value):
                return value
            case Text(parts=parts):
                return "".join(
                    p if isinstance(p, str) else str(self._eval(p, local)) for p in parts
                )
            case Name(name=name):
                return local[name] if name in local else self._value(name)
            case Array(items=items):
                return [self._eval(item, local) for item in items]
            case Object(entries=entries):
                return {
                    key if isinstance(key := e.key, str) else self._eval(key, local):
                        self._eval(e.value, local) for e in entries
                }  # fmt: skip
            case Loop(body=body):
                return [self._eval(body, inner) for inner in self._rounds(expr, local)]
            case Lambda(names=names, body=body):
                return lambda *given: self._eval(
                    body, {**local, **dict(zip(names, given, strict=True))}
                )
            case Member(target=target, name=name, safe=safe):
                held = self._eval(target, local)
                held = held.read() if isinstance(held, Made) else held
                return None if safe and (held is None or name not in held) else held[name]
            case Index(target=target, index=index):
                return self._eval(target, local)[self._eval(index, local)]
            case Call(target=None, name=name, arguments=arguments):
                return FUNCTIONS[name](*(self._eval(one, local) for one in arguments))
            case Operation(operator=sign, operands=operands):
                return self._operation(sign, operands, local)
        raise AssertionError(f"{self._name}:{expr.line}")

    def _operation(self, sign: str, operands: tuple[Expr, ...], local: dict[str, Any]) -> Any:
        first = self._eval(operands[0], local)
        match sign:
            case "?:":
                return self._eval(operands[1 if first else 2], local)
            case "??":
                return self._eval(operands[1], local) if first is None else first
            case "!":
                return not first
        second = self._eval(operands[1], local)
        return {
            "==": lambda: first == second, "!=": lambda: first != second,
            "-": lambda: first - second, "*": lambda: first * second,
        }[sign]()  # fmt: skip


def _hash(*parts: str) -> str:
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:13]


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "contains": lambda where, what: what in where,
    "empty": lambda what: not what,
    "filter": lambda items, keep: [item for item in items if keep(item)],
    "guid": _hash,
    "items": lambda what: [{"key": key, "value": value} for key, value in sorted(what.items())],
    "join": lambda items, between: between.join(items),
    "json": json.loads,
    "length": len,
    "map": lambda items, change: [change(item) for item in items],
    "range": lambda start, count: list(range(start, start + count)),
    "replace": lambda text, old, new: text.replace(old, new),
    "resourceGroup": Group,
    "split": lambda text, between: text.split(between),
    "string": str,
    "subscription": lambda: {
        "id": f"/subscriptions/{SUBSCRIPTION}",
        "subscriptionId": SUBSCRIPTION,
    },
    "subscriptionResourceId": lambda kind, name: f"/providers/{kind}/{name}",
    "toLower": str.lower,
    "trim": str.strip,
    "union": lambda *objects: {k: v for one in objects for k, v in one.items()},
    "uniqueString": _hash,
    "utcNow": lambda form: "2026-11-01",
}
