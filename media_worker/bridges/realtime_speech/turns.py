"""The agent's turns on the second bridge: a turn is over when it is both written and said."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from media_worker.bridges import AgentTurnEnded, AgentTurnStarted, BridgeEvent, TurnStatus
from media_worker.limits import MEMORY_TURNS
from media_worker.speech.speakable import Speakable


@dataclass(slots=True)
class Turn:
    """One turn: the model's response, or words of ours."""

    name: str
    is_response: bool
    speakable: Speakable
    item: str = ""
    """The model's item that holds its text; empty: nothing was written."""
    written: bool = False
    said: bool = False
    interrupted: bool = False
    status: TurnStatus = "completed"
    usage: Mapping[str, int] = field(default_factory=dict)


class Turns:
    """The newest `MEMORY_TURNS`; tells `report` when one begins and when it is over."""

    def __init__(self, locale: str, report: Callable[[BridgeEvent], None]) -> None:
        self._locale, self._report = locale, report
        self._turns: dict[str, Turn] = {}

    def begin(self, name: str, *, is_response: bool = True) -> Turn:
        """A new turn; `is_response`: of the model, and not of ours."""
        turn = self._turns[name] = Turn(name, is_response, Speakable(self._locale))
        if len(self._turns) > MEMORY_TURNS:
            del self._turns[next(iter(self._turns))]
        self._report(AgentTurnStarted(name))
        return turn

    def get(self, name: str) -> Turn | None:
        """The turn, if it is known."""
        return self._turns.get(name)

    def any_to_come(self) -> bool:
        """Whether somebody still waits to hear a turn of the model's to its end."""
        return any(
            turn.is_response and not turn.interrupted and not (turn.written and turn.said)
            for turn in self._turns.values()
        )

    def written(self, turn: Turn, status: TurnStatus, usage: Mapping[str, int]) -> None:
        """No more text of it comes."""
        turn.written, turn.usage = True, usage
        turn.status = "cancelled" if turn.interrupted else status
        self._end_if_over(turn)

    def said(self, turn: Turn, *, interrupted: bool = False) -> None:
        """No more sound of it comes."""
        turn.said = True
        if interrupted:
            turn.interrupted, turn.status = True, "cancelled"
        self._end_if_over(turn)

    def _end_if_over(self, turn: Turn) -> None:
        if turn.written and turn.said:
            self._report(AgentTurnEnded(turn.name, turn.status, turn.usage))
