"""The spans of the agent's turns: from the service's first work on one until the caller has heard
the last of it.

When that will be is known when the service is done, seconds before it happens, and an interruption
may still cut it. So a span ends when its end has passed, at the next thing told of the call: with
the time of the end, not of the telling.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from opentelemetry.trace import Span

from media_worker.bridges import TurnStatus
from media_worker.limits import MEMORY_TURNS

_TOKENS = ("input_tokens", "output_tokens")


@dataclass(slots=True)
class _Turn:
    span: Span
    sounding: bool = False
    """Audio of it was sent: it ends when that has been heard, which is told."""
    made: bool = False
    """The service is done with it."""
    ends_at: float | None = None
    """When the caller has heard it, or it was cut."""


class AgentTurns:
    """Open turns of one call by the service's id. `begin` makes a span; `ns` puts a time of the
    loop on the wall clock."""

    def __init__(
        self,
        begin: Callable[[], Span],
        now: Callable[[], float],
        ns: Callable[[float], int],
    ) -> None:
        self._begin = begin
        self._now = now
        self._ns = ns
        self._open: dict[str, _Turn] = {}

    def started(self, turn: str) -> None:
        """The agent began to work on it."""
        self._of(turn)

    def began(self, turn: str, at: float, reply_ms: float | None) -> None:
        """First audio sent."""
        known = self._of(turn)
        known.sounding = True
        known.span.add_event("first_audio", timestamp=self._ns(at))
        if reply_ms is not None:
            known.span.set_attribute("switchboard.turn.reply_ms", round(reply_ms, 1))

    def made(self, turn: str, status: TurnStatus, usage: Mapping[str, int]) -> None:
        """The service is done with it; a bridge may say so again of a turn that was cut."""
        self._end_heard()
        if (known := self._open.get(turn)) is None:
            return
        known.span.set_attribute("switchboard.turn.status", status)
        for kind in _TOKENS:
            if kind in usage:
                known.span.set_attribute(f"gen_ai.usage.{kind}", usage[kind])
        known.made = True
        self._end_heard()

    def ends(self, turn: str, at: float) -> None:
        """All of it will have been heard at `at`, unless it is cut."""
        if (known := self._open.get(turn)) is not None:
            known.ends_at = at

    def cut(self, turn: str, at: float, heard_ms: int) -> None:
        """It was stopped at `at`. One that is not open has been heard to its end."""
        if (known := self._open.get(turn)) is not None:
            known.ends_at = at
            known.span.set_attribute("switchboard.turn.interrupted", True)
            known.span.set_attribute("switchboard.turn.heard_ms", heard_ms)
            self._end_heard()

    def close(self) -> None:
        """Ends all."""
        for turn in list(self._open):
            self._end(turn)

    def _of(self, turn: str) -> _Turn:
        self._end_heard()
        if (known := self._open.get(turn)) is None:
            if len(self._open) >= MEMORY_TURNS:
                self._end(next(iter(self._open)))
            known = self._open[turn] = _Turn(self._begin())
            known.span.set_attribute("switchboard.turn.interrupted", False)
        return known

    def _end_heard(self) -> None:
        now = self._now()
        for name, turn in list(self._open.items()):
            heard = not turn.sounding if turn.ends_at is None else turn.ends_at <= now
            if turn.made and heard:
                self._end(name)

    def _end(self, name: str) -> None:
        turn, now = self._open.pop(name), self._now()
        turn.span.end(self._ns(now if turn.ends_at is None else min(turn.ends_at, now)))
