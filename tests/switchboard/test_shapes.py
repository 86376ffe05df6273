import tomllib
from collections.abc import Iterator
from typing import get_args

import pytest

from switchboard import shapes
from switchboard.agents_file import DOCUMENT
from switchboard.checks import check, kind_of
from switchboard.shapes import Either, ListOf, MapOf, Shape, Table, Tagged, example, kind


def within(shape: Shape) -> Iterator[Shape]:
    """`shape` and every shape inside it."""
    yield shape
    match shape:
        case Table(fields):
            inner = [field.shape for field in fields.values()]
        case Tagged(_, cases):
            inner = list(cases.values())
        case Either(candidates):
            inner = list(candidates)
        case ListOf(item):
            inner = [item]
        case MapOf(key, value):
            inner = [key, value]
        case _:
            inner = []
    for each in inner:
        yield from within(each)


def written_out() -> Iterator[Shape]:
    """The shapes whose example is a value: not in words, and nothing left to fill in."""
    for shape in within(DOCUMENT):
        try:
            tomllib.loads(f"key = {example(shape)}")
        except tomllib.TOMLDecodeError:
            continue
        if "…" not in example(shape):
            yield shape


def test_the_file_makes_use_of_every_shape() -> None:
    assert {type(each) for each in within(DOCUMENT)} == set(get_args(shapes.Shape))


@pytest.mark.parametrize("shape", [*written_out()], ids=example)
def test_an_example_that_is_no_sketch_can_be_pasted_into_the_file(shape: Shape) -> None:
    value = tomllib.loads(f"key = {example(shape)}")["key"]
    assert list(check(shape, value)) == []
    assert kind_of(value) in kind(shape)
