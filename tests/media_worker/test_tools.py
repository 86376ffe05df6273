from typing import Any

import pytest

from media_worker.tools import END_CALL, declared


@pytest.mark.parametrize("given", [None, "raw", 3, []])
def test_every_model_may_hang_up(given: object) -> None:
    assert [tool["name"] for tool in declared(given)] == [END_CALL]


def test_a_tool_in_the_owners_words_stays_as_it_is_and_is_not_declared_twice() -> None:
    own: dict[str, Any] = {"type": "function", "name": END_CALL, "description": "Ours."}
    other: dict[str, Any] = {"type": "mcp", "server_label": "x"}
    assert declared([own, other]) == [own, other]
