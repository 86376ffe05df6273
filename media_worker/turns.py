"""The call's turns as they are kept: who spoke when, what was said, and what of it was heard.

Events arrive out of order (a caller's words often after the agent's answer began), so turns are
gathered here under the service's ids and read out whole. Times are seconds of the loop's clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from media_worker.limits import MAX_TURNS
from switchboard.record import TurnRecord


def words_heard(text: str, share: float) -> str:
    """The words of `text` that were spoken in the first `share` (0 to 1) of its audio: whole words
    only, taking speech as even. A text without spaces is cut at the character."""
    if share >= 1.0:
        return text
    at = max(0, int(share * len(text)))
    if at < len(text) and not text[at].isspace() and any(c.isspace() for c in text):
        at = max((i for i in range(at) if text[i].isspace()), default=0)
    return text[:at].rstrip()


class Listener(Protocol):
    """Is told of the agent's turns when they happen, without their words. Times as above."""

    def agent_began(self, turn: str, at: float, reply_ms: float | None) -> None:
        """First audio sent; `reply_ms` since the caller's last word, if it answers one."""

    def agent_ends(self, turn: str, at: float) -> None:
        """The whole turn will have been heard at `at`, unless it is cut after all."""

    def agent_cut(self, turn: str, at: float, heard_ms: int) -> None:
        """Stopped at `at`, when `heard_ms` of it had been heard."""

    def silenced(self, after_ms: float) -> None:
        """The agent's audio was stopped, so long after the caller's first sound."""


@dataclass(slots=True)
class _Turn:
    speaker: Literal["caller", "agent"]
    started: float | None = None
    """None: words without audio yet. A turn of which nothing was ever sent is no turn."""
    ended: float = 0.0
    text: str = ""
    heard_text: str | None = None
    interrupted: bool = False
    reply_latency_ms: float | None = None


class Turns:
    """Gathers one call's turns. `started_at`: when the media's first frame came; `earlier`: those
    that another worker gathered."""

    listener: Listener | None = None

    def __init__(
        self, started_at: float, *, keep_text: bool, earlier: Sequence[TurnRecord] = ()
    ) -> None:
        self._earlier = tuple(earlier)
        self._started_at = started_at
        self._keep_text = keep_text
        self._turns: dict[tuple[str, str], _Turn] = {}
        self._unanswered_since: float | None = None
        self._speaks_since: float | None = None
        self.changes = 0
        """Grows with every change worth a checkpoint."""

    def caller_started(self, utterance: str, at: float) -> None:
        """The caller began to speak at `at`; without a name, it is no utterance of its own."""
        if utterance:
            self._begin(self._turn("caller", utterance), at)
        self._unanswered_since = None
        self._speaks_since = at

    def caller_stopped(self, utterance: str, at: float) -> None:
        """The caller's last word ended at `at`: from here the reply's latency counts."""
        self._speaks_since = None
        if not utterance:
            self._unanswered_since = at
            return
        turn = self._turn("caller", utterance)
        started = self._begin(turn, at)
        turn.ended = self._unanswered_since = max(started, at)

    def caller_said(self, utterance: str, text: str, now: float) -> None:
        """The words of an utterance became known."""
        turn = self._turn("caller", utterance)
        self._begin(turn, now)
        turn.text = text
        self.changes += 1

    def silenced(self, now: float) -> None:
        """The agent's audio was stopped; only the caller's voice has a beginning to count from."""
        if self.listener is not None and self._speaks_since is not None:
            self.listener.silenced((now - self._speaks_since) * 1000)

    def unprompted(self) -> None:
        """What the agent says next is no reply to the caller's last words."""
        self._unanswered_since = None

    def agent_audio(self, turn: str, now: float) -> None:
        """Audio of the agent's turn was sent at `now`."""
        record = self._turn("agent", turn)
        if record.started is None:
            self._begin(record, now)
            if self._unanswered_since is not None:
                record.reply_latency_ms = max(0.0, (now - self._unanswered_since) * 1000)
                self._unanswered_since = None
            if self.listener is not None:
                self.listener.agent_began(turn, now, record.reply_latency_ms)

    def agent_said(self, turn: str, text: str) -> None:
        """More words of the agent's turn, maybe before its first audio."""
        self._turn("agent", turn).text += text

    def agent_ended(self, turn: str, at: float) -> None:
        """The whole turn will have been heard at `at`, unless it is interrupted after all."""
        record = self._turn("agent", turn)
        if record.started is not None and not record.interrupted:
            record.ended = max(record.started, at)
            self.changes += 1
            if self.listener is not None:
                self.listener.agent_ends(turn, record.ended)

    def agent_cut(
        self, turn: str, at: float, heard_ms: int, sent_ms: int, words: str | None = None
    ) -> None:
        """The turn was stopped at `at`, when `heard_ms` of the `sent_ms` sent had been heard:
        `words`, where that is known."""
        record = self._turn("agent", turn)
        if record.started is not None:
            record.ended = max(record.started, at)
            record.interrupted = True
            if words is None:
                words = words_heard(record.text, heard_ms / sent_ms if sent_ms else 0.0)
            record.heard_text = words
            self.changes += 1
        if self.listener is not None:
            self.listener.agent_cut(turn, at, heard_ms)

    def records(self, now: float) -> tuple[TurnRecord, ...]:
        """All turns in the order of their starts, as they stand at `now`."""
        begun = [turn for turn in self._turns.values() if turn.started is not None]
        begun.sort(key=lambda turn: turn.started or 0.0)
        return self._earlier + tuple(self._record(turn, now) for turn in begun)

    def _turn(self, speaker: Literal["caller", "agent"], name: str) -> _Turn:
        key = (speaker, name)
        if (turn := self._turns.get(key)) is None:
            if len(self._turns) >= MAX_TURNS:
                del self._turns[next(iter(self._turns))]
            turn = self._turns[key] = _Turn(speaker)
        return turn

    @staticmethod
    def _begin(turn: _Turn, at: float) -> float:
        if turn.started is None:
            turn.started = turn.ended = at
        return turn.started

    def _record(self, turn: _Turn, now: float) -> TurnRecord:
        started = self._started_at if turn.started is None else turn.started
        cut = turn.heard_text is not None and turn.heard_text != turn.text.strip()
        return TurnRecord(
            speaker=turn.speaker,
            text=turn.text.strip() if self._keep_text else None,
            heard_text=turn.heard_text if cut and self._keep_text else None,
            started_ms=self._ms(started),
            ended_ms=self._ms(max(started, min(turn.ended, now))),
            interrupted=turn.interrupted,
            reply_latency_ms=turn.reply_latency_ms,
        )

    def _ms(self, at: float) -> float:
        return round(max(0.0, at - self._started_at) * 1000, 1)
