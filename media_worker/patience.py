"""When a call must do something by itself: ask a silent caller, say goodbye, come to an end.

Only decisions, no timers: the call asks at times of its own choosing. Times are seconds of the
loop's clock.
"""

from dataclasses import dataclass
from typing import TypeAlias

from media_worker.limits import FAREWELL_S
from switchboard.agents import Agent
from switchboard.end_reason import EndReason


@dataclass(frozen=True, slots=True)
class Say:
    """Speak this: a question, or the goodbye that `End` will follow."""

    text: str


@dataclass(frozen=True, slots=True)
class End:
    """The goodbye was heard, or has had its time."""

    reason: EndReason


Step: TypeAlias = Say | End | None


class Patience:
    """One call's patience with its caller, and with its own goodbye."""

    def __init__(self, agent: Agent, started_at: float) -> None:
        self._silence = agent.silence
        self._goodbye = agent.goodbye
        self._too_long_at = started_at + agent.max_call_minutes * 60
        self._prompts_said = 0
        self._ending: EndReason | None = None
        self._end_at_latest = 0.0
        self._farewell_begun = False

    @property
    def ending(self) -> bool:
        """Whether a goodbye is on its way."""
        return self._ending is not None

    def caller_spoke(self) -> None:
        """The caller spoke or keyed something. A goodbye loses its reason, save when time is up."""
        self._prompts_said = 0
        if self._ending is not EndReason.TOO_LONG:
            self._ending = None

    def say_farewell(self, reason: EndReason, now: float, *, begun: bool) -> None:
        """A goodbye is to be heard, then the call ends. `begun`: its turn has begun already."""
        if self._ending is None:
            self._ending, self._farewell_begun = reason, begun
            self._end_at_latest = now + FAREWELL_S

    def turn_started(self) -> None:
        """The agent began a turn; if a goodbye was asked for, this is it."""
        self._farewell_begun = True

    def step(self, now: float, quiet_since: float | None) -> Step:
        """What to do at `now`. `quiet_since`: since when nobody has been speaking, nothing is
        being said to the caller and no turn is being made; None: somebody is at it."""
        if self._ending is not None:
            heard = self._farewell_begun and quiet_since is not None
            return End(self._ending) if heard or now >= self._end_at_latest else None
        if now >= self._too_long_at:
            self.say_farewell(EndReason.TOO_LONG, now, begun=False)
            return Say(self._goodbye)
        if (due := self._prompt_due_at(quiet_since)) is None or now < due:
            return None
        if self._prompts_said < len(self._silence.prompts):
            self._prompts_said += 1
            return Say(self._silence.prompts[self._prompts_said - 1])
        self.say_farewell(EndReason.CALLER_SILENT, now, begun=False)
        return Say(self._silence.goodbye)

    def due_at(self, quiet_since: float | None) -> float:
        """When `step` will next have something to say, as things stand."""
        if self._ending is not None:
            return self._end_at_latest
        prompt = self._prompt_due_at(quiet_since)
        return self._too_long_at if prompt is None else min(prompt, self._too_long_at)

    def _prompt_due_at(self, quiet_since: float | None) -> float | None:
        if quiet_since is None or not self._silence.prompts:
            return None
        return quiet_since + self._silence.prompt_after_s
