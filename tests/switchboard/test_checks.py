import math
from typing import Any

import pytest

from switchboard.checks import Problem, check, did_you_mean, one_of, shown
from switchboard.shapes import (
    Anything,
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

PET = Tagged(
    "kind",
    {
        "cat": Table({"kind": Field(Text(choices=("cat",)), ""), "lives": Field(Number(0, 9), "")}),
        "dog": Table(
            {
                "kind": Field(Text(choices=("dog",)), ""),
                "name": Field(Text(max_length=5), "", required=True),
            },
            withheld={"lives": "Dogs have one."},
        ),
    },
)


def _said(shape: Shape, value: Any) -> list[str]:
    return [
        f"{'.'.join(map(str, p.path))}: {p.message}. {p.mend}".removeprefix(": ")
        for p in check(shape, value)
    ]


@pytest.mark.parametrize(
    ("shape", "value", "said"),
    [
        (Text(), 3, 'this is a number, but text is needed. Put it in quotes: "3".'),
        (Text(), "", "the text is empty. Write something, or leave the key out."),
        (Text(max_length=3), "four", "the text has 4 characters. Shorten it to at most 3."),
        (Text(choices=("a", "b")), "x", '"x" is not known here. Use "a" or "b".'),
        (
            Text(choices=("alloy", "echo")),
            "Aloy",
            '"Aloy" is not known here. Did you mean "alloy"? Known: "alloy" or "echo".',
        ),
        (
            Text(choices=("alloy",), pattern="^x-", such_as="a voice"),
            "aloy",
            '"aloy" does not fit here. Did you mean "alloy"?',
        ),
        (Text(pattern="^a$", such_as='"a"'), "a\n", '"a " does not fit here. Write "a".'),
        (Number(0, 1), 2, "2 is out of range. Use a number from 0 to 1."),
        (Number(0, 1), math.nan, "nan is out of range. Use a number from 0 to 1."),
        (Number(0, 9, whole=True), 2.5, "2.5 is not a whole number. Use a whole number from 0 to"),
        (Number(0, 1), True, "this is true or false, but a number is needed. Write a number here."),
        (Number(0, 1), "1", "this is text, but a number is needed. Write a number without quotes."),
        (Flag(), "yes", "Write true or false without quotes."),
        (ListOf(Text(), 9), "a", 'this is text, but a list is needed. Put it in brackets: ["a"].'),
        (ListOf(Text(), 1), ["a", "b"], "2 entries. Use at most 1."),
        (ListOf(Text(), 9), ["a", 1], "1: this is a number, but text is needed."),
        (MapOf(Text(), Flag()), [], "this is a list, but a table is needed."),
        (MapOf(Text(), Flag()), {"": True}, '"" cannot be a name here.'),
        (Either((Flag(), Text())), 3, "this is a number, but true or false or text is needed."),
        (Anything(), {"a": [1, math.inf]}, "a.1: JSON has no inf."),
        (PET, "cat", "this is text, but a table is needed."),
        (PET, {}, '`kind` is missing. Add kind = "cat" or "dog".'),
        (PET, {"kind": "cta"}, 'kind: "cta" is not known here. Did you mean "cat"?'),
        (PET, {"kind": "dog"}, '`name` is missing. Add name = "…".'),
        (PET, {"kind": "cat", "live": 3}, "live: there is no such key. Did you mean `lives`?"),
        (PET, {"kind": "cat", "x": 3}, "x: there is no such key. Remove it. Known here: kind, liv"),
        (PET, {"kind": "dog", "name": "x", "lives": 1}, "lives: this cannot be set here. Dogs hav"),
    ],
)
def test_a_fault_says_what_is_wrong_and_how_to_mend_it(shape: Shape, value: Any, said: str) -> None:
    (only,) = _said(shape, value)
    assert said in only


def test_all_faults_are_found_at_once() -> None:
    said = _said(PET, {"kind": "dgo", "name": "too long", "lives": 3, "colour": "brown"})
    assert [line.partition(":")[0] for line in said] == ["kind", "name", "lives", "colour"]


def test_a_misspelt_key_is_not_missed_as_well_and_its_value_is_checked() -> None:
    assert _said(PET, {"kind": "dog", "nam": "x"}) == [
        "nam: there is no such key. Did you mean `name`?"
    ]
    assert len(_said(PET, {"kind": "dog", "nam": 3})) == 2
    assert _said(PET, {"knd": "dog", "name": "x"}) == [
        "knd: there is no such key. Did you mean `kind`?"
    ]


def test_a_key_in_the_wrong_table_is_sent_to_the_right_one() -> None:
    shape = Table({"pet": Field(Either((Flag(), PET)), "")})
    assert _said(shape, {"lives": 3}) == [
        "lives: there is no such key. `lives` belongs inside `pet`."
    ]


@pytest.mark.parametrize(
    ("when", "document", "found"),
    [
        ((Has(("a",)), Has(("b", "c"))), {"a": 1, "b": {"c": 2}}, True),
        ((Has(("a",)), Has(("b", "c"))), {"a": 1, "b": 2}, False),
        ((Lacks(("a", "b")),), {"a": "text"}, True),
        ((Lacks(("a", "b")),), {"a": {"b": 0}}, False),
        ((Fits(("a",), "^x"),), {"a": "xy"}, True),
        ((Fits(("a",), "^x"),), {"a": 1}, False),
        ((Misfits(("a",), "^x"),), {}, True),
        ((Misfits(("a",), "^x"),), {"a": "x"}, False),
    ],
)
def test_conditions_that_must_not_hold_together(
    when: Any, document: dict[str, Any], found: bool
) -> None:
    anything = Field(Anything(), "")
    shape = Table({"a": anything, "b": anything}, never=(Never(when, ("a",), "no", "Mend."),))
    assert list(check(shape, document)) == ([Problem(("a",), "no", "Mend.")] if found else [])


def test_values_are_shown_short_and_printable() -> None:
    assert shown("x" * 50) == '"' + "x" * 39 + '…"'
    assert shown("a\x1b[2Jb\n") == '"a [2Jb "'
    assert shown(True) == "true"
    assert shown([1, 2]) == "a list"


def test_words_are_listed_and_guessed() -> None:
    assert one_of(["a", "b", "c"]) == '"a", "b" or "c"'
    assert one_of(["a"]) == '"a"'
    assert one_of([]) == ""
    assert did_you_mean("Reception", ["reception", "billing"]) == "reception"
    assert did_you_mean("zzz", ["reception"]) is None
