import tomllib

import pytest

from switchboard.toml_faults import explain_syntax


@pytest.mark.parametrize(
    ("text", "line", "column", "mend"),
    [
        ('[numbers]\n+15550100001 = "a"\n', 2, 1, "Put the number in quotes"),
        ('[numbers]\n(555) 010-0001 = "a"\n', 2, 1, "Put the number in quotes"),
        ("voice = alloy\n", 1, 9, "Put text in quotes"),
        ('greeting = "Hello\nx = 1\n', 1, 18, "Close the quotes"),
        ("x = “curly”\n", 1, 5, "Use straight quotes"),
        ("x = 1\nx = 2\n", 2, None, "stands in the file twice"),
        ("[agents.a]\n[agents.b]\n[agents.a]\n", 3, 10, "stands in the file twice"),
        ('model: "x"\n', 1, 6, "with =, not with a colon"),
        ("[agents\n", 1, 8, "Close the bracket"),
        ('x = "C:\\quick"\n', 1, 10, "backslash"),
        ('x = 1\ntext = """\nwords\n\nmore words\n', 2, 8, "Close the quotes"),
        ("x = [1,\n2\n", 2, 2, "Close the list"),
        ("x = 1\n= 2\n", 2, 1, "Each line is key = value"),
    ],
)
def test_a_text_that_is_no_toml_is_explained(
    text: str, line: int, column: int | None, mend: str
) -> None:
    with pytest.raises(tomllib.TOMLDecodeError) as refused:
        tomllib.loads(text)
    found_line, found_column, message, found_mend = explain_syntax(refused.value, text)
    assert (found_line, mend in found_mend) == (line, True), found_mend
    assert column is None or found_column == column
    assert message
    assert "(at " not in message


def test_a_table_declared_twice_is_named() -> None:
    text = "[agents.a]\n[agents.a]\n"
    with pytest.raises(tomllib.TOMLDecodeError) as refused:
        tomllib.loads(text)
    assert explain_syntax(refused.value, text)[2] == "the table [agents.a] stands here twice"
