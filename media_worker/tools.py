"""The functions that a model may call on every bridge. What they do is `exchange.py`'s to say."""

from collections.abc import Mapping, Sequence
from typing import Any

END_CALL = "end_call"
"""Hangs up."""

TOOLS: Mapping[str, Mapping[str, Any]] = {
    END_CALL: {
        "type": "function",
        "name": END_CALL,
        "description": (
            "Hangs up the phone. Use it when the conversation is over and you have said goodbye."
        ),
        "parameters": {"type": "object", "properties": {}},
    }
}
"""Each tool with its declaration, as `session.tools` has it in both services."""


def declared(given: object = None) -> list[Any]:
    """`session.tools`: those given, which may declare one of ours in their own words, and ours."""
    tools = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else []
    known = {tool.get("name") for tool in tools if isinstance(tool, Mapping)}
    return [*tools, *(tool for name, tool in TOOLS.items() if name not in known)]
