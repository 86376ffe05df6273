from typing import Any

import pytest

from simulator.voice_live_checks import (
    Check,
    FieldError,
    boolean,
    either,
    listing,
    number,
    one_of,
    optional,
    table,
    text,
    variants,
)

SHAPE = variants(
    {
        "circle": table({"kind": text, "radius": number(0, 10)}, required=("radius",)),
        "label": table({"kind": text, "words": listing(text, most=2), "bold": boolean}),
    },
    by="kind",
)


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (SHAPE, {"kind": "circle", "radius": 2.5}),
        (SHAPE, {"kind": "label", "words": ["a"], "bold": False}),
        (optional(text), None),
        (either(one_of("inf"), number(1, 9, whole=True)), 5),
        (table({}, unknown=True), {"x": 1}),
    ],
)
def test_what_fits_passes(check: Check, value: Any) -> None:
    check(value, "it")


@pytest.mark.parametrize(
    ("check", "value", "param", "code"),
    [
        (SHAPE, [], "it", "invalid_type"),
        (SHAPE, {}, "it.kind", "missing_required_parameter"),
        (SHAPE, {"kind": "square"}, "it.kind", "invalid_value"),
        (SHAPE, {"kind": "circle"}, "it.radius", "missing_required_parameter"),
        (SHAPE, {"kind": "circle", "radius": 11}, "it.radius", "invalid_value"),
        (SHAPE, {"kind": "circle", "radius": "1"}, "it.radius", "invalid_type"),
        (SHAPE, {"kind": "label", "words": ["a", 1]}, "it.words[1]", "invalid_type"),
        (SHAPE, {"kind": "label", "words": list("abc")}, "it.words", "invalid_value"),
        (SHAPE, {"kind": "label", "bold": 1}, "it.bold", "invalid_type"),
        (SHAPE, {"kind": "label", "color": "red"}, "it.color", "unknown_parameter"),
        (number(1, 9, whole=True), 1.5, "it", "invalid_type"),
        (one_of(1, 2), True, "it", "invalid_value"),
        (either(one_of("inf"), number(1, 9)), 10, "it", "invalid_value"),
    ],
)
def test_what_does_not_fit_is_named_with_its_path(
    check: Check, value: Any, param: str, code: str
) -> None:
    with pytest.raises(FieldError) as refused:
        check(value, "it")
    assert (refused.value.param, refused.value.code) == (param, code)
