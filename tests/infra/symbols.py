"""Names, both ways: what is used is declared, what is declared is used; between files too."""

from collections.abc import Iterator

from tests.infra.project import Finding, Project
from tests.infra.syntax import (
    BicepFile,
    Call,
    Expr,
    Index,
    Lambda,
    Literal,
    Loop,
    Member,
    Module,
    Name,
    Node,
    Object,
    Output,
    Param,
    Resource,
    UserType,
    Var,
    walk,
)

ENTRY_POINTS = ("main.bicep", "incoming-call.bicep")
"""Deployed by azd and by the hook: their parameters and outputs are used from outside."""

_NAMESPACES = {"az", "sys"}
_FUNCTIONS = {
    "contains", "empty", "filter", "guid", "if", "items", "join", "json", "length", "map", "range",
    "replace", "resourceGroup", "split", "string", "subscription", "subscriptionResourceId",
    "toLower", "trim", "union", "uniqueString", "utcNow",
}  # fmt: skip
_DECORATORS = {
    "allowed", "batchSize", "description", "maxLength", "maxValue", "minLength", "minValue",
    "secure",
}  # fmt: skip
_LITERALS: dict[str, type] = {"string": str, "int": int, "bool": bool}


def check(project: Project) -> Iterator[Finding]:
    """Every file by itself, every module call, and every output."""
    for name, file in project.files.items():
        yield from _declared_once(name, file)
        yield from _unknown(name, file)
        yield from _unused(name, file)
        for module in file.all(Module):
            yield from _module(project, name, file, module)
        yield from _outputs_read(project, name, file)
    yield from _outputs_unread(project)


def _declared_once(name: str, file: BicepFile) -> Iterator[Finding]:
    seen: set[tuple[bool, str]] = set()
    for statement in file.statements:
        key = (isinstance(statement, Output), statement.name)
        if key in seen:
            yield Finding(name, statement.line, f"{statement.name} is declared twice")
        seen.add(key)


def _unknown(name: str, file: BicepFile) -> Iterator[Finding]:
    known = {s.name for s in file.statements if not isinstance(s, Output)} | _NAMESPACES
    for statement in file.statements:
        for decorator in statement.decorators:
            if decorator.name not in _DECORATORS:
                yield Finding(name, decorator.line, f"unknown decorator {decorator.name}")
        local = _local(statement)
        for node in walk(statement):
            if isinstance(node, Name) and node.name not in known | local:
                yield Finding(name, node.line, f"unknown symbol {node.name}")
            if isinstance(node, Call) and node.target is None and node not in statement.decorators:
                yield from _unknown_function(name, node)


def _unknown_function(name: str, call: Call) -> Iterator[Finding]:
    if call.name not in _FUNCTIONS:
        yield Finding(name, call.line, f"unknown function {call.name}")


def _local(statement: Node) -> set[str]:
    """Names that loops and lambdas of the statement bind."""
    return {n for node in walk(statement) if isinstance(node, Loop | Lambda) for n in node.names}


def _unused(name: str, file: BicepFile) -> Iterator[Finding]:
    used = {node.name for node in walk(file) if isinstance(node, Name)}
    types = " ".join(s.type for s in file.statements if isinstance(s, Param | Output)).split()
    used |= {word.removesuffix("[]") for word in types}
    for statement in file.statements:
        read_only = isinstance(statement, Resource) and statement.existing
        if (isinstance(statement, Param | Var | UserType) or read_only) and (
            statement.name not in used
        ):
            yield Finding(name, statement.line, f"{statement.name} is never used")


# --- between files --------------------------------------------------------------------------------


def _module(project: Project, name: str, file: BicepFile, module: Module) -> Iterator[Finding]:
    callee = project.files.get(module.path)
    if callee is None:
        yield Finding(name, module.line, f"there is no {module.path}")
        return
    if file.scope != callee.scope and module.body.get("scope") is None:
        yield Finding(name, module.line, f"{module.path} needs a scope: it is for a {callee.scope}")
    for entry in module.body.entries:
        if entry.key not in ("scope", "params", "dependsOn", "name"):
            yield Finding(name, entry.line, f"a module has no {entry.key}")
    passed = module.body.get("params")
    entries = passed.entries if isinstance(passed, Object) else ()
    params = {param.name: param for param in callee.all(Param)}
    for entry in entries:
        if (param := params.get(str(entry.key))) is None:
            yield Finding(name, entry.line, f"{module.path} has no parameter {entry.key}")
        elif (wanted := _LITERALS.get(param.type)) and _is_other(entry.value, wanted, file):
            yield Finding(name, entry.line, f"{module.path} wants {entry.key} as {param.type}")
    missing = [p.name for p in params.values() if p.default is None]
    for one in missing:
        if one not in {entry.key for entry in entries}:
            yield Finding(name, module.line, f"{module.path} needs the parameter {one}")


def _is_other(value: Expr, wanted: type, file: BicepFile) -> bool:
    """Whether a literal, or a parameter handed on, is certainly of another kind."""
    match value:
        case Literal(value=literal):
            return not isinstance(literal, wanted)
        case Name(name=name):
            declared = file.named(name)
            kind = _LITERALS.get(declared.type) if isinstance(declared, Param) else None
            return kind is not None and kind is not wanted
    return False


def _output_of(file: BicepFile, node: Node) -> tuple[Module, str] | None:
    """`module.outputs.name`, also of one of several."""
    match node:
        case Member(target=Member(target=root, name="outputs"), name=name):
            while isinstance(root, Index):
                root = root.target
            module = file.named(root.name) if isinstance(root, Name) else None
            return (module, name) if isinstance(module, Module) else None
    return None


def _outputs_read(project: Project, name: str, file: BicepFile) -> Iterator[Finding]:
    for node in walk(file):
        if (read := _output_of(file, node)) is None:
            continue
        module, output = read
        callee = project.files.get(module.path)
        if callee is not None and output not in {o.name for o in callee.all(Output)}:
            yield Finding(name, node.line, f"{module.path} has no output {output}")


def _outputs_unread(project: Project) -> Iterator[Finding]:
    read = {
        (found[0].path, found[1])
        for file in project.files.values()
        for node in walk(file)
        if (found := _output_of(file, node)) is not None
    }
    called = {m.path for file in project.files.values() for m in file.all(Module)}
    for name, file in project.files.items():
        if name not in called and name not in ENTRY_POINTS:
            yield Finding(name, 1, "nothing deploys this file")
        for output in file.all(Output):
            if name not in ENTRY_POINTS and (name, output.name) not in read:
                yield Finding(name, output.line, f"output {output.name} is never read")
