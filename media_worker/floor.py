"""Who has the floor, and so whether agent audio may be played.

How it works. The agent's side names every turn by an id (Voice Live: the response id), and all its
audio carries it. The floor is one of three: the caller's; *waiting*, when the agent has begun a
turn of which nothing has been played; the agent's, from its first audio until the caller has heard
the last of it (services send faster than real time, so this outlasts the sending by seconds: a
caller who speaks into the tail interrupts, too).

When the caller speaks, all turns known so far become stale for good. Staleness belongs to the
turn, not to the floor: it needs no end signal to go away, and late audio of an old turn cannot be
taken for the new one's. What happens is `TABLE`; the class below is that table and its look-up.
"""

from dataclasses import dataclass
from enum import Enum, auto

from media_worker.limits import MEMORY_TURNS


class Holder(Enum):
    """Who has the floor."""

    CALLER = auto()
    WAITING = auto()
    AGENT = auto()


class Event(Enum):
    """What can happen. FRESH and STALE tell turns that may be played from those that may not."""

    FRESH_TURN = auto()
    STALE_TURN = auto()
    FRESH_AUDIO = auto()
    STALE_AUDIO = auto()
    FRESH_END = auto()
    STALE_END = auto()
    SPEECH = auto()
    DRAINED = auto()
    """All audio sent has been heard and no turn is being made."""


class Action(Enum):
    """What to do about it."""

    NOTHING = auto()
    PLAY = auto()
    DROP = auto()
    BARGE_IN = auto()
    """Stop what is being played, then tell the agent's side what was heard of it."""
    FORESTALL = auto()
    """Nothing is being played, but a turn is being made that nobody wants any more."""


_C, _W, _A = Holder.CALLER, Holder.WAITING, Holder.AGENT
TABLE: dict[tuple[Holder, Event], tuple[Holder, Action]] = {
    (_C, Event.FRESH_TURN): (_W, Action.NOTHING),
    (_C, Event.STALE_TURN): (_C, Action.NOTHING),
    (_C, Event.FRESH_AUDIO): (_A, Action.PLAY),
    (_C, Event.STALE_AUDIO): (_C, Action.DROP),
    (_C, Event.FRESH_END): (_C, Action.NOTHING),
    (_C, Event.STALE_END): (_C, Action.NOTHING),
    (_C, Event.SPEECH): (_C, Action.NOTHING),
    (_C, Event.DRAINED): (_C, Action.NOTHING),
    (_W, Event.FRESH_TURN): (_W, Action.NOTHING),
    (_W, Event.STALE_TURN): (_W, Action.NOTHING),
    (_W, Event.FRESH_AUDIO): (_A, Action.PLAY),
    (_W, Event.STALE_AUDIO): (_W, Action.DROP),
    (_W, Event.FRESH_END): (_C, Action.NOTHING),
    (_W, Event.STALE_END): (_W, Action.NOTHING),
    (_W, Event.SPEECH): (_C, Action.FORESTALL),
    (_W, Event.DRAINED): (_C, Action.NOTHING),
    (_A, Event.FRESH_TURN): (_A, Action.NOTHING),
    (_A, Event.STALE_TURN): (_A, Action.NOTHING),
    (_A, Event.FRESH_AUDIO): (_A, Action.PLAY),
    (_A, Event.STALE_AUDIO): (_A, Action.DROP),
    (_A, Event.FRESH_END): (_A, Action.NOTHING),
    (_A, Event.STALE_END): (_A, Action.NOTHING),
    (_A, Event.SPEECH): (_C, Action.BARGE_IN),
    (_A, Event.DRAINED): (_C, Action.NOTHING),
}


@dataclass(slots=True)
class _Turn:
    open: bool = True
    """Still being made."""
    stale: bool = False


class Floor:
    """The floor of one call."""

    def __init__(self) -> None:
        self.holder = Holder.CALLER
        self._turns: dict[str, _Turn] = {}

    @property
    def busy(self) -> bool:
        """Whether the agent is making a turn that may be played."""
        return any(turn.open and not turn.stale for turn in self._turns.values())

    def turn_started(self, turn: str) -> Action:
        """The agent began to make `turn`."""
        stale = self._known(turn).stale
        return self._step(Event.STALE_TURN if stale else Event.FRESH_TURN)

    def audio(self, turn: str) -> Action:
        """Audio of `turn` came: PLAY or DROP."""
        stale = self._known(turn).stale
        return self._step(Event.STALE_AUDIO if stale else Event.FRESH_AUDIO)

    def turn_ended(self, turn: str) -> Action:
        """The agent is done with making `turn`."""
        known = self._known(turn)
        known.open = False
        return self._step(Event.STALE_END if known.stale or self.busy else Event.FRESH_END)

    def drained(self) -> Action:
        """The caller has heard all audio that was sent. Heeded only when no turn is being made."""
        return Action.NOTHING if self.busy else self._step(Event.DRAINED)

    def speech(self) -> tuple[Action, list[str]]:
        """The caller speaks (or keys a digit). With the turns that were being made until now."""
        cut = [name for name, turn in self._turns.items() if turn.open and not turn.stale]
        for turn in self._turns.values():
            turn.stale = True
        return self._step(Event.SPEECH), cut

    def close(self, turn: str) -> None:
        """Nothing more of `turn` is to be played; what was sent may be heard to its end."""
        known = self._known(turn)
        known.stale, known.open = True, False

    def is_stale(self, turn: str) -> bool:
        """Whether nothing of `turn` may be played any more."""
        known = self._turns.get(turn)
        return known is not None and known.stale

    def _known(self, turn: str) -> _Turn:
        if (known := self._turns.get(turn)) is None:
            if len(self._turns) >= MEMORY_TURNS:
                del self._turns[next(iter(self._turns))]
            known = self._turns[turn] = _Turn()
        return known

    def _step(self, event: Event) -> Action:
        self.holder, action = TABLE[self.holder, event]
        return action
