"""The JSON Schema (draft 07) of `agents.toml`, for completion and checks in editors.

Made from the definitions that the parser uses. What no schema can say, only the parser sees: agents
that do not exist, whether a number is one, two writings of the same number, circular fallbacks, an
agent too large for a call, and TOML's dates and infinities inside `session`.

After a change of the definitions: `python -m switchboard schema > switchboard/agents.schema.json`.
"""

import json
from typing import Any, assert_never

from switchboard.agents_file import DOCUMENT
from switchboard.shapes import (
    Anything,
    Condition,
    Either,
    Field,
    Fits,
    Flag,
    Has,
    Lacks,
    ListOf,
    MapOf,
    Misfits,
    Never,
    Number,
    Shape,
    Table,
    Tagged,
    Text,
)

Schema = dict[str, Any]


def schema_text() -> str:
    """The file `agents.schema.json`, as committed."""
    document = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Switchboard: agents and numbers",
        **schema_of(DOCUMENT),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def schema_of(shape: Shape) -> Schema:
    """Accepts what `switchboard.checks.check` finds no fault with."""
    match shape:
        case Text():
            return {"type": "string", **_text(shape)}
        case Number(minimum, maximum, whole):
            kind = "integer" if whole else "number"
            return {"type": kind, "minimum": minimum, "maximum": maximum}
        case Flag():
            return {"type": "boolean"}
        case ListOf(item, max_items):
            return {"type": "array", "items": schema_of(item), "maxItems": max_items}
        case MapOf(key, value):
            return {
                "type": "object",
                "propertyNames": _text(key),
                "additionalProperties": schema_of(value),
            }
        case Anything():
            return {}
        case Table():
            return _table(shape)
        case Tagged(tag, cases, default):
            return {
                "oneOf": [
                    _table(case, () if kind == default else (tag,)) for kind, case in cases.items()
                ]
            }
        case Either(shapes):
            return {"anyOf": [schema_of(candidate) for candidate in shapes]}
        case _:
            assert_never(shape)


def _text(shape: Text) -> Schema:
    if not shape.choices:
        return {"pattern": shape.pattern or r"\S", "maxLength": shape.max_length}
    choices = {"enum": list(shape.choices)}
    if shape.pattern is None:
        return choices
    return {"anyOf": [choices, {"pattern": shape.pattern, "maxLength": shape.max_length}]}


def _table(shape: Table, also_required: tuple[str, ...] = ()) -> Schema:
    required = [name for name, known in shape.fields.items() if known.required]
    required += [name for name in also_required if name not in required]
    return {
        "type": "object",
        "properties": {name: _field(known) for name, known in shape.fields.items()},
        **({"required": required} if required else {}),
        "additionalProperties": False,
        **({"allOf": [_never(rule) for rule in shape.never]} if shape.never else {}),
    }


def _field(known: Field) -> Schema:
    extra = {} if known.default is None else {"default": known.default}
    return {"description": known.doc, **extra, **schema_of(known.shape)}


def _never(rule: Never) -> Schema:
    return {
        "$comment": f"{rule.message}. {rule.mend}",
        "not": {"allOf": [_condition(condition) for condition in rule.when]},
    }


def _condition(condition: Condition) -> Schema:
    match condition:
        case Has(path):
            return _at(path, {})
        case Lacks(path):
            return {"not": _at(path, {})}
        case Fits(path, pattern):
            return _at(path, {"type": "string", "pattern": pattern})
        case Misfits(path, pattern):
            return {"not": _at(path, {"type": "string", "pattern": pattern})}
        case _:
            assert_never(condition)


def _at(path: tuple[str, ...], leaf: Schema) -> Schema:
    """Something that fits `leaf` stands at `path`."""
    for key in reversed(path):
        leaf = {"type": "object", "required": [key], "properties": {key: leaf}}
    return leaf
