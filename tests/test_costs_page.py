"""Tests that every sum on docs/costs.md follows from the prices and amounts that stand there."""

import ast
import operator
import re
from collections.abc import Callable, Mapping

import pytest

from tests.test_docs import read

PAGE = read("docs/costs.md")
LARGE, MINI = "`gpt-realtime-2.1`", "`gpt-realtime-2.1-mini`"
Row = dict[str, str]


def tables(page: str) -> list[list[Row]]:
    """Every table of the page: its rows by the names of their columns."""
    found = []
    for block in re.findall(r"(?:^ *\|.*\n)+", page, re.MULTILINE):
        head, _, *body = [line.strip().strip("|").split("|") for line in block.splitlines()]
        names = [name.strip() for name in head]
        found.append([dict(zip(names, map(str.strip, cells), strict=True)) for cells in body])
    return found


def having(*columns: str) -> list[list[Row]]:
    """The tables that have all these columns."""
    found = [table for table in tables(PAGE) if set(columns) <= set(table[0])]
    assert found, columns
    return found


def number(cell: str) -> float:
    """What a cell says: `**0.0764**`, `7,838`, and `–` for nothing."""
    plain = cell.strip("*").replace(",", "")
    return 0.0 if plain == "–" else float(plain)


OPERATIONS: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def reckoned(formula: str, inputs: Mapping[str, float]) -> float:
    """The value of a cell such as `in_tokens * audio_in / M`, quotes included."""

    def value(node: ast.expr) -> float:
        match node:
            case ast.BinOp(left, op, right):
                return OPERATIONS[type(op)](value(left), value(right))
            case ast.Name(name):
                return inputs[name]
            case ast.Constant(int() as constant):
                return constant
            case _:
                raise AssertionError(f"{formula}: {ast.dump(node)}")

    return value(ast.parse(formula.strip("`"), mode="eval").body)


def inputs(model: str) -> dict[str, float]:
    """Prices and amounts by name; of prices that depend on the model, those of this one."""
    [prices], [by_model] = having("name", "US dollars"), having("name", MINI)
    known = {"M": 1e6} | {row["name"].strip("`"): number(row["US dollars"]) for row in prices}
    known |= {row["name"].strip("`"): number(row[model]) for row in by_model}
    for table in having("name", "value"):
        known |= {row["name"].strip("`"): number(row["value"]) for row in table}
    return known


def model_of(column: str) -> str:
    return MINI if column.endswith("-mini") else LARGE


def ways(table: list[Row]) -> list[str]:
    return [column for column in table[0] if column.startswith(("Voice Live", "Realtime"))]


def agree(shown: str, exact: float) -> bool:
    """Whether a cell says this value, to its last digit."""
    digits = len(shown.strip("*").partition(".")[2])
    return number(shown) == pytest.approx(exact, abs=0.5000001 * 10**-digits)


def minute(way: str) -> float:
    """A way's minute, unrounded."""
    [table] = [table for table in having("line", way) if table[-1]["line"] == "**sum**"]
    lines = [row for row in table[:-1] if row[way] != "–"]
    return sum(reckoned(row["formula"], inputs(model_of(way))) for row in lines)


def month() -> float:
    """What stands there, unrounded."""
    [table] = having("what", "US dollars")
    return sum(reckoned(row["formula"], inputs(LARGE)) for row in table[:-1])


def test_what_is_read_again_follows_from_what_a_minute_holds() -> None:
    [table] = having("name", "value", "formula")
    for row in table:
        assert agree(row["value"], reckoned(row["formula"], inputs(LARGE))), row


def test_every_line_of_a_minute_follows_from_prices_and_amounts() -> None:
    for table in having("line", "formula"):
        for row in table:
            for way in ways(table) if row["formula"] else ():
                exact = reckoned(row["formula"], inputs(model_of(way)))
                assert row[way] == "–" or agree(row[way], exact), (row["line"], way, exact)


@pytest.mark.parametrize("way", ways(having("line", "formula")[0]))
def test_the_sum_of_a_minute_is_that_of_its_lines(way: str) -> None:
    assert agree(having("line", "formula")[0][-1][way], minute(way)), minute(way)


@pytest.mark.parametrize("currency", ["US dollars", "euros"])
def test_what_stands_there_follows_from_the_prices(currency: str) -> None:
    [table] = having("what", currency)
    for row in table:
        exact = reckoned(row["formula"], inputs(LARGE)) if row["formula"] else month()
        assert agree(row[currency], exact), (row["what"], exact)


def test_the_months_are_minutes_and_what_stands_there() -> None:
    [table] = having("way to answer")
    assert [row["way to answer"] for row in table] == ways(having("line", "formula")[0])
    for row in table:
        for column, shown in list(row.items())[1:]:
            exact = month() + minute(row["way to answer"]) * number(column.removesuffix(" minutes"))
            assert agree(shown, exact), (row["way to answer"], column, exact)


def test_the_hosted_voice_and_the_cache_weigh_what_the_page_says() -> None:
    voice = reckoned(having("what", "euros")[0][0]["formula"], inputs(LARGE))
    assert voice / minute("Realtime and Speech, 2.1") == pytest.approx(50_000, rel=0.05)
    cached, uncached = having("line", "formula")[1]
    for way in ways([cached]):
        assert 7.5 < number(uncached[way]) / number(cached[way]) < 9.5


def test_other_pages_name_the_same_sums() -> None:
    sums = [minute(way) for way in ways(having("line", "formula")[0])]
    telephony = sum(inputs(LARGE)[name] for name in ("pstn", "voip", "streaming"))
    ai = f"the AI ({min(sums) - telephony:.3f} to {max(sums) - telephony:.3f})"
    said = f"{ai} make {min(sums):.3f} to {max(sums):.3f} US dollars a minute"
    assert said in " ".join(read("README.md").split())
    for page in ("README.md", "docs/deployment.md"):
        assert re.search(rf"some {round(month(), -1):.0f}\s+US dollars a month", read(page)), page


def test_a_changed_price_would_be_noticed() -> None:
    changed = inputs(LARGE) | {"audio_in": 33.0}
    assert not agree("0.0192", reckoned("`in_tokens * audio_in / M`", changed))
