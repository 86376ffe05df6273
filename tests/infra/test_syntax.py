"""Tests of the parser where the language is easily misread, and of what a rehearsal makes of it."""

from typing import Any

import pytest

from tests.infra.bicep import parse
from tests.infra.project import Project
from tests.infra.rehearsal import rehearse
from tests.infra.tokens import BicepError


def value(expression: str, **parameters: Any) -> Any:
    """What an expression comes to, with these parameters."""
    params = "".join(f"param {name} object\n" for name in parameters)
    file = parse(f"{params}output it string = {expression}\n")
    return rehearse(Project({"one.bicep": file}), "one.bicep", **parameters).outputs["it"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("!empty([]) ? 'a' : 'b'", "b"),  # the negation binds closer than the question
        ("'${'x'}-${join(['a', '}'], '${','}')}'", "x-a,}"),  # texts inside interpolations
        ("'it\\'s \\${no} interpolation'", "it's ${no} interpolation"),
        ("'''\n  raw ${text}\n'''", "  raw ${text}\n"),
        ("[for (one, i) in ['a', 'b']: '${one}${i}'][1]", "b1"),
        ("2 - 1 - 1", 0),  # from the left
        ("false ? 1 : true ? 2 : 3", 2),
        ("{ a: 1 /* one */, 'b-c': 2 }['b-c'] // the end", 2),
        ("map(['a'], x => { k: x })[0].k", "a"),
    ],
)
def test_an_expression_means_what_bicep_says(expression: str, expected: Any) -> None:
    assert value(expression) == expected


def test_a_missing_property_is_null_only_when_asked_for_safely() -> None:
    assert value("given.?identity.?id ?? 'none'", given={}) == "none"
    with pytest.raises(KeyError):
        value("given.identity", given={})


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("var a = 1\nvar b = 'x\n", 2),
        ("var a = {\n  b: 1 c: 2\n}\n", 2),
        ("var a = [\n  1\n", 3),
        ("param a string\n\nresource x 'T@1' = 3\n", 3),
        ("var a = '${b'\n", 1),
        ("vra a = 1\n", 1),
        ("var a = 'x' 'y'\n", 1),
        ("var a = 1 # b\n", 1),
    ],
)
def test_what_is_no_bicep_is_refused_with_its_line(source: str, line: int) -> None:
    with pytest.raises(BicepError) as refused:
        parse(source)
    assert refused.value.line == line
