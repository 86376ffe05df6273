"""Small checks that add up to a JSON message's schema: each says which field is wrong, and why."""

from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any, str], None]
"""Takes a value and its path; raises FieldError."""


class FieldError(ValueError):
    """`param` is the field's path, such as `session.voice.name`; `code` as OpenAI's errors have."""

    def __init__(self, param: str, message: str, code: str = "invalid_value") -> None:
        super().__init__(f"{param}: {message}")
        self.param, self.message, self.code = param, message, code


def text(value: Any, path: str) -> None:
    if not isinstance(value, str):
        raise FieldError(path, "expected a string", "invalid_type")


def boolean(value: Any, path: str) -> None:
    if not isinstance(value, bool):
        raise FieldError(path, "expected a boolean", "invalid_type")


def anything(value: Any, path: str) -> None:
    """For parts that the simulator does not play."""


def number(low: float, high: float, *, whole: bool = False) -> Check:
    def check(value: Any, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
            kind = "an integer" if whole else "a number"
            raise FieldError(path, f"expected {kind}", "invalid_type")
        if not low <= value <= high:
            raise FieldError(path, f"{value} is not between {low} and {high}")

    return check


def one_of(*choices: Any) -> Check:
    def check(value: Any, path: str) -> None:
        if not any(type(value) is type(choice) and value == choice for choice in choices):
            supported = ", ".join(map(repr, choices))
            raise FieldError(path, f"invalid value {value!r}; supported values are {supported}")

    return check


def either(*checks: Check) -> Check:
    """Passes if one of `checks` does; else says what the last had against it."""

    def check(value: Any, path: str) -> None:
        for first in checks[:-1]:
            try:
                return first(value, path)
            except FieldError:
                continue
        return checks[-1](value, path)

    return check


def optional(inner: Check) -> Check:
    """Null is allowed: it turns a feature off."""
    return lambda value, path: None if value is None else inner(value, path)


def listing(inner: Check, most: int = 500) -> Check:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, list):
            raise FieldError(path, "expected an array", "invalid_type")
        if len(value) > most:
            raise FieldError(path, f"more than {most} entries")
        for index, entry in enumerate(value):
            inner(entry, f"{path}[{index}]")

    return check


def table(
    fields: Mapping[str, Check], *, required: tuple[str, ...] = (), unknown: bool = False
) -> Check:
    """An object of these fields; `unknown` lets others pass."""

    def check(value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise FieldError(path, "expected an object", "invalid_type")
        for name in required:
            if name not in value:
                raise FieldError(f"{path}.{name}", "is required", "missing_required_parameter")
        for name, entry in value.items():
            if name in fields:
                fields[name](entry, f"{path}.{name}")
            elif not unknown:
                raise FieldError(f"{path}.{name}", "unknown parameter", "unknown_parameter")

    return check


def variants(kinds: Mapping[str, Check], *, by: str = "type") -> Check:
    """An object whose field `by` says which check it must pass."""

    def check(value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise FieldError(path, "expected an object", "invalid_type")
        if by not in value:
            raise FieldError(f"{path}.{by}", "is required", "missing_required_parameter")
        one_of(*kinds)(value[by], f"{path}.{by}")
        kinds[value[by]](value, path)

    return check
