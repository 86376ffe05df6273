"""What an object of Azure's management API may hold, out of the generated classes of its packages.

Two generations of generated code are read: `_attribute_map` with `_validation` (msrest), and
`rest_field` annotations. Both tell names, kinds, enums, what is required and what is read-only.
"""

import enum
import inspect
import re
import sys
import typing
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from types import ModuleType
from typing import Any


@dataclass(frozen=True)
class Scalar:
    """A text, number or truth value. `choices` None: any. Bounds of a number: as documented."""

    kinds: frozenset[type]
    choices: frozenset[str] | None = None
    low: int = -sys.maxsize
    high: int = sys.maxsize


@dataclass(frozen=True)
class ListOf:
    """A list, all of one kind."""

    item: "Expected"


@dataclass(frozen=True)
class MapOf:
    """An object whose keys are free."""

    value: "Expected"


@dataclass(frozen=True)
class Anything:
    """What the models leave open."""


@dataclass(frozen=True)
class Model:
    """An object of one class, looked at when it is needed: classes refer to each other in rings."""

    model: type

    def shape(self) -> "Shape":
        """What it may hold."""
        return shape_of(self.model)


@dataclass(frozen=True)
class Shape:
    """An object: its fields, and the classes among which one of its fields decides."""

    fields: dict[str, "Field"]
    decided_by: str | None = None
    variants: dict[str, type] = field(default_factory=dict)


@dataclass(frozen=True)
class Field:
    """One property."""

    expected: "Expected"
    required: bool
    read_only: bool


Expected = Scalar | ListOf | MapOf | Anything | Model | Shape

TEXT = Scalar(frozenset({str}))


@cache
def shape_of(model: type) -> Shape:
    """The shape of a generated class, of either generation."""
    if "_attribute_map" in dir(model):
        return _msrest(model)
    fields = {}
    for name, hint, rest in _rest_fields(model):
        required = type(None) not in typing.get_args(hint)
        expected = _bounded(_annotated(hint, sys.modules[model.__module__]), model, name)
        fields[rest._rest_name_input or name] = Field(
            expected, required, rest._visibility == ["read"]
        )
    variants: dict[str, type] = model.__dict__.get("__mapping__", {})
    deciding = [r for _, _, r in _rest_fields(model) if r._is_discriminator]
    if not deciding:
        return Shape(fields)
    return Shape(fields, deciding[0]._rest_name_input, variants)


def _rest_fields(model: type) -> Iterator[tuple[str, Any, Any]]:
    for one in reversed(model.__mro__):
        for name, hint in inspect.get_annotations(one).items():
            if hasattr(one.__dict__.get(name), "_visibility"):
                yield name, hint, one.__dict__[name]


def _bounded(expected: Expected, model: type, name: str) -> Expected:
    """With the bounds that the class's documentation gives for this attribute."""
    told = re.search(rf":ivar {name}:(.*?)\n *:vartype", model.__doc__ or "", re.DOTALL)
    words = " ".join(told.group(1).split()) if told else ""
    both = re.search(r"(?:range from (\d+) to|between (\d+) and) (\d+)", words)
    low = re.search(r"Minimum value is (\d+)", words) or both
    high = re.search(r"Maximum value is (\d+)", words) or both
    if not isinstance(expected, Scalar) or (low is None and high is None):
        return expected
    least = min(int(found) for found in low.groups() if found) if low else expected.low
    most = max(int(found) for found in high.groups() if found) if high else expected.high
    return replace(expected, low=least, high=most)


def _annotated(hint: Any, module: ModuleType) -> Expected:
    """What a type hint of the newer generation allows."""
    if isinstance(hint, str | typing.ForwardRef):
        name = hint if isinstance(hint, str) else hint.__forward_arg__
        return _named(name.removeprefix("_models."), module)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (list, typing.List):  # noqa: UP006 - what the generated code says
        return ListOf(_annotated(arguments[0], module))
    if origin in (dict, typing.Dict):  # noqa: UP006 - what the generated code says
        return MapOf(_annotated(arguments[1], module))
    if origin is typing.Union:
        options = [_annotated(one, module) for one in arguments if one is not type(None)]
        enums = [o for o in options if isinstance(o, Scalar) and o.choices is not None]
        return enums[0] if enums else options[0]
    return _SCALARS.get(getattr(hint, "__name__", ""), Anything())


_NUMBER = frozenset({int, float})
_SCALARS: dict[str, Expected] = {
    "str": TEXT,
    "bool": Scalar(frozenset({bool})),
    "int": Scalar(frozenset({int})),
    "float": Scalar(_NUMBER),
    "Decimal": Scalar(_NUMBER),
    "datetime": TEXT,
    "timedelta": TEXT,
    "iso-8601": TEXT,
    "duration": TEXT,
}


def _named(name: str, module: ModuleType) -> Expected:
    """A class of the package: a model, or an enum."""
    models = sys.modules[module.__name__.rpartition(".")[0]]
    found = getattr(models, name, None)
    if not isinstance(found, type):
        return Anything()
    if issubclass(found, enum.Enum):
        return Scalar(frozenset({str}), frozenset(str(one.value) for one in found))
    return Model(found)


def _msrest(model: Any) -> Shape:
    """The shape of a class of the older generation, its flattened names folded again."""
    module = sys.modules[model.__module__]
    hints = model.__init__.__annotations__
    tree: dict[str, Any] = {}
    for name, entry in model._attribute_map.items():
        rules = model._validation.get(name, {})
        expected = _written(entry["type"], hints.get(name), module)
        here = tree
        *path, last = entry["key"].replace("\\.", "\0").split(".")
        for step in path:
            here = here.setdefault(step, {})
        here[last.replace("\0", ".")] = Field(
            expected, rules.get("required", False), rules.get("readonly", False)
        )
    subtypes: dict[str, dict[str, str]] = model.__dict__.get("_subtype_map", {})
    for key, names in subtypes.items():  # one at most
        decided_by = model._attribute_map[key]["key"].replace("\\.", ".")
        variants = {value: getattr(module, name) for value, name in names.items()}
        return Shape(_folded(tree).fields, decided_by, variants)
    return _folded(tree)


def _folded(tree: dict[str, Any]) -> Shape:
    fields = {}
    for name, one in tree.items():
        if isinstance(one, dict):
            shape = _folded(one)
            required = any(inner.required for inner in shape.fields.values())
            one = Field(shape, required, False)
        fields[name] = one
    return Shape(fields)


def _written(text: str, hint: Any, module: ModuleType) -> Expected:
    """What a type written as msrest does allows: `str`, `[X]`, `{X}`, a class."""
    if text.startswith("["):
        return ListOf(_written(text[1:-1], None, module))
    if text.startswith("{"):
        return MapOf(_written(text[1:-1], None, module))
    if text == "str" and hint is not None:  # its enum stands in the constructor's annotation only
        return _annotated(hint, module)
    return _SCALARS.get(text) or _named(text, module)
