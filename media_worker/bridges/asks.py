"""Asking Voice Live to speak: one request at a time, and only when no turn is being made.

The service makes one turn at a time, begun by its own voice detection or by our asking; asking
during a turn is an error. So what we want said waits for the turn's end; if the caller's own turn
comes first all the same, the refused request waits again. Whether exact words
(`pre_generated_assistant_message`) are taken in agent mode is not documented: where they are
refused, the model is asked to say them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from media_worker.bridges import client_events
from media_worker.bridges.voice_live import protocol
from media_worker.limits import ASK_TRIES, ASKS_WAITING, TURN_FAILURES

TURNS_FAIL = "the model fails to answer: check its quota of tokens and its content filter"
"""For `Failed`, when `Asks.turn_failed` says that it is enough."""


@dataclass(slots=True, eq=False)
class _Ask:
    id: str
    words: str | None
    """To be said exactly; None: a reaction to `before` is asked for."""
    before: Sequence[bytes]
    tries: int = 0


class Asks:
    """The requests of one call."""

    def __init__(self) -> None:
        self._waiting: list[_Ask] = []
        self._sent: _Ask | None = None
        """The newest request sent: an error may still concern it after another turn began."""
        self._unanswered = False
        """Whether no turn has begun since."""
        self._began = False
        """Whether the turn that began last was its answer, as far as anybody can tell."""
        self._count = 0
        self._exactly = True
        self._failures = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(
        self, *, words: str | None = None, before: Sequence[bytes] = (), first: bool = False
    ) -> None:
        """One more thing to be said: `words`, or a reaction to the messages `before`."""
        self._count += 1
        if len(self._waiting) < ASKS_WAITING:
            at = 0 if first else len(self._waiting)
            self._waiting.insert(at, _Ask(f"ask-{self._count}", words, before))

    def next(self) -> list[bytes]:
        """The messages of the next request, if there is one; to be called between turns."""
        if self._unanswered or not self._waiting:
            return []
        ask = self._sent = self._waiting.pop(0)
        self._unanswered = True
        if ask.words is None:
            before, ask.before = ask.before, ()  # must not be said twice
            return [*before, client_events.respond(ask.id)]
        speak = protocol.say_exactly if self._exactly else protocol.say_by_model
        return speak(ask.words, ask.id)

    def turn_started(self) -> None:
        """A turn began."""
        self._began, self._unanswered = self._unanswered, False

    def turn_completed(self) -> None:
        """A turn went well."""
        self._failures = 0

    def turn_failed(self, *, spoke: bool) -> bool:
        """The turn that began last failed, before a word was said or within its words (`spoke`):
        somebody waits for another one. False: too many in a row."""
        self._failures += 1
        if self._began and not spoke:
            self._refused()
        return self._failures <= TURN_FAILURES

    def error(self, event_id: str | None, param: str, code: str) -> None:
        """The service refused a message: if it was a request of ours, it is asked again."""
        busy = "active_response" in code
        ours = self._sent is not None and event_id == self._sent.id
        # The service need not name the message; these errors can hardly be about another one.
        ours = ours or (event_id is None and self._unanswered and (busy or "response" in param))
        if ours and busy:
            self._again()
        elif ours:
            self._refused()

    def dropped(self) -> None:
        """The connection is gone; a request without an answer is asked of the next one."""
        if self._unanswered:
            self._again()
        self._sent = None

    def _refused(self) -> None:
        self._unanswered = False
        if self._sent is not None and self._sent.words is not None and self._exactly:
            self._exactly = False
            self._again()

    def _again(self) -> None:
        self._unanswered = False
        if (ask := self._sent) is not None and ask.tries < ASK_TRIES:
            ask.tries += 1
            self._waiting.insert(0, ask)
