"""The functions that a model may call, on every bridge alike.

Two things can be asked for: the call's end, and a person. Both wait until the words of the turn
that asked have been heard, and neither is in the way of the audio: `call.py` carries out what is
decided here, in a task of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class Tool:
    """One function, as the model is told of it. None takes arguments: where a call may go stands
    in `agents.toml`, and is not the model's to say."""

    name: str
    description: str

    def declaration(self) -> dict[str, Any]:
        """As `session.tools` has it in both services."""
        return {
            "type": "function",
            "name": self.name,
            "description": self.description,
            "parameters": {"type": "object", "properties": {}},
        }


END_CALL = Tool(
    "end_call",
    "Hangs up the phone. Use it when the conversation is over and you have said goodbye.",
)
TO_PERSON = Tool(
    "transfer_to_person",
    "Puts the caller through to a person. Use it when the caller asks for one, or when you cannot "
    "help. Say first that you are doing so.",
)


def offered(*, person: bool) -> tuple[Tool, ...]:
    """The tools of a call; `person`: there is one to put the caller through to."""
    return (END_CALL, TO_PERSON) if person else (END_CALL,)


def declared(tools: Sequence[Tool], given: object = None) -> list[Any]:
    """`session.tools`: those given, which may declare one of ours in their own words, and ours."""
    others = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else []
    known = {tool.get("name") for tool in others if isinstance(tool, Mapping)}
    return [*others, *(tool.declaration() for tool in tools if tool.name not in known)]


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a function; `react`: the model goes on speaking with it."""

    call: str
    output: str
    react: bool


@dataclass(frozen=True, slots=True)
class Leave:
    """The call ends when the goodbye has been heard. `said`: it was part of the turn."""

    answer: Answer
    said: bool


@dataclass(frozen=True, slots=True)
class PutThrough:
    """The caller is to be put through to a person, when what was said has been heard."""

    call: str


Use: TypeAlias = Answer | Leave | PutThrough

_FAREWELL_FIRST = '{"result":"The call ends after your next words. Say goodbye now."}'
_ENDING = '{"result":"The call is ending."}'
_UNKNOWN = '{"error":"There is no such function."}'
NOT_NOW = '{"result":"The caller interrupted you: the call goes on."}'
"""The output of what the caller cut short."""
NOT_REACHED = '{"error":"The person cannot be reached. The caller is still with you: say so."}'
"""The output of a transfer that failed."""


class ToolCalls:
    """What the model of one call has asked for and not got yet."""

    def __init__(self, tools: Sequence[Tool]) -> None:
        self._known = {tool.name for tool in tools}
        self._waiting: dict[str, list[tuple[Literal["end", "person"], str]]] = {}

    def called(self, turn: str, call: str, name: str) -> Answer | None:
        """The model called function `name` in `turn`. An answer: that is all there is to it."""
        if name not in self._known:
            return Answer(call, _UNKNOWN, react=True)
        what: Literal["end", "person"] = "end" if name == END_CALL.name else "person"
        self._waiting.setdefault(turn, []).append((what, call))
        return None

    def turn_ended(self, turn: str, *, interrupted: bool, spoke: bool) -> list[Use]:
        """The turn is over: what is to be done about its calls. `spoke`: there were words in it.
        A person is better than an end."""
        asked = self._waiting.pop(turn, [])
        if interrupted:
            return [Answer(call, NOT_NOW, react=False) for _, call in asked]
        people = [call for what, call in asked if what == "person"]
        uses: list[Use] = [PutThrough(call) for call in people[:1]]
        for what, call in asked:
            if what == "end" and not people:
                output = _ENDING if spoke else _FAREWELL_FIRST
                uses.append(Leave(Answer(call, output, react=not spoke), said=spoke))
            elif call not in people[:1]:
                uses.append(Answer(call, _ENDING, react=False))
        return uses
