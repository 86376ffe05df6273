"""What the model remembers of a call, kept true to what the caller heard of the spoken words.

The model's items hold what it wrote. When the caller interrupts, the turn's items are deleted and
the words heard are put in their place, under an id of ours and behind the item that stood before,
so that they do not end up after the caller's new words. What was said is kept, too, so that a new
connection can be told.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from media_worker.bridges.client_events import cancel, delete
from media_worker.bridges.realtime_speech import protocol
from media_worker.limits import MEMORY_TURNS, REPLAYED_ITEMS
from media_worker.turns import words_heard
from switchboard.record import TurnRecord

_MARKS = ".,;:!?…”»)"
"""They belong to the word before."""


@dataclass(slots=True)
class _Turn:
    items: list[str] = field(default_factory=list)
    text: str = ""
    """What is spoken, which is not quite what was written."""
    words: list[tuple[float, int]] = field(default_factory=list)
    """When the middle of each word is heard, and where in `text` the word ends."""
    sound_ms: float = 0.0
    done: bool = False
    heard: str | None = None
    """Set when the turn was interrupted."""

    def heard_at(self, heard_ms: float) -> str:
        """The words of which at least half was heard; without times, by the share of letters."""
        if not self.words:
            return words_heard(
                self.text, min(1.0, heard_ms / self.sound_ms if self.sound_ms else 0)
            )
        end = max((end for middle, end in self.words if middle <= heard_ms), default=0)
        rest = self.text[end:]
        mark = len(rest) - len(rest.lstrip(_MARKS)) if end else 0
        return self.text[: end + mark].strip()


_Said: TypeAlias = tuple[Literal["user", "assistant"], str]


class Memory:
    """The turns of one call. Every method returns the messages to send."""

    def __init__(self, earlier: Sequence[TurnRecord] = ()) -> None:
        self._turns: dict[str, _Turn] = {}
        self._before: dict[str, str] = {}
        """Each item with the one it follows."""
        self._replaced: dict[str, str] = {}
        """Items that are gone, with what stands in their place."""
        self._said: dict[str, _Said] = {}
        """By item, in the order of the conversation as far as it is known."""
        self._count = 0
        for turn in earlier[-REPLAYED_ITEMS:]:
            heard = turn.text if turn.heard_text is None else turn.heard_text
            role: Literal["user", "assistant"] = "user" if turn.speaker == "caller" else "assistant"
            self._remember(self._new_id(), role, heard or "")

    def item_created(self, item: str, previous: str | None) -> None:
        """The service gave `item` its place."""
        _keep(self._before, item, previous or "root")

    def turn_started(self, turn: str) -> None:
        """A turn is being written."""
        self._turn(turn)

    def words(self, turn: str, item: str, text: str) -> None:
        """More words that will be spoken, of this item of the model's."""
        known = self._turn(turn)
        if item and item not in known.items:
            known.items.append(item)
        known.text += text

    def own_words(self, turn: str, text: str) -> list[bytes]:
        """A turn of ours, not the model's: complete from the beginning."""
        item = self._new_id()
        known = self._turn(turn)
        known.items, known.text, known.done = [item], text, True
        self._remember(item, "assistant", text)
        return [protocol.add_message("assistant", text, item)]

    def sound(self, turn: str, length_ms: float) -> None:
        """So much more audio of the turn."""
        self._turn(turn).sound_ms += length_ms

    def word_spoken(self, turn: str, end: int, middle_ms: float) -> None:
        """A word that ends at `end` of the turn's text has its middle at `middle_ms` of its
        audio."""
        self._turn(turn).words.append((middle_ms, end))

    def caller_said(self, item: str, text: str) -> None:
        """The caller's words."""
        self._remember(item, "user", text)

    def cancel(self, turn: str) -> list[bytes]:
        """Stops the writing."""
        known = self._turns.get(turn)
        return [cancel(turn)] if known is not None and not known.done else []

    def interrupt(self, turn: str, heard_ms: int) -> tuple[list[bytes], str | None]:
        """What makes the model's memory true, as far as it can be said already, and the words
        heard. A turn is interrupted once; of unknown turns there is nothing to say."""
        known = self._turns.get(turn)
        if known is None or known.heard is not None:
            return [], None
        known.heard = known.heard_at(heard_ms)
        return (self._settle(known) if known.done else self.cancel(turn)), known.heard

    def done(self, turn: str) -> list[bytes]:
        """The turn is written; returns what is left to say about it."""
        known = self._turn(turn)
        known.done = True
        if known.heard is not None:
            return self._settle(known)
        self._keep_words(known)
        return []

    def dropped(self) -> None:
        """The connection is gone, and with it the places of the items; what was said is not."""
        for turn in self._turns.values():
            if not turn.done:
                turn.done = True
                if turn.heard is None:
                    self._keep_words(turn)
                else:
                    self._settle(turn)
        self._before.clear()
        self._replaced.clear()

    def retold(self) -> list[bytes]:
        """What was said, for a new connection, under the ids that it has here."""
        said = [(item, *entry) for item, entry in self._said.items() if entry[1].strip()]
        return [
            protocol.add_message(role, text, item) for item, role, text in said[-REPLAYED_ITEMS:]
        ]

    def _settle(self, turn: _Turn) -> list[bytes]:
        send = [delete(item) for item in turn.items]
        if not turn.items:
            return []
        first = turn.items[0]
        before = self._place(self._before.get(first))
        new = self._new_id() if turn.heard else None
        if new is not None and turn.heard:
            send.append(protocol.add_message("assistant", turn.heard, new, before))
        for item in turn.items:
            if (place := new or before) is not None:
                _keep(self._replaced, item, place)
        self._forget(turn.items, new, turn.heard or "")
        turn.items = [new] if new is not None else []
        return send

    def _place(self, item: str | None) -> str | None:
        """Where `item` stands now; None: not known, which means the end."""
        for _ in range(MEMORY_TURNS):
            if item is None or item not in self._replaced:
                break
            item = self._replaced[item]
        return item

    def _forget(self, items: Sequence[str], new: str | None, heard: str) -> None:
        """Puts the words heard where those of `items` were."""
        if not any(item in self._said for item in items):
            if new is not None:
                self._remember(new, "assistant", heard)
            return
        said: dict[str, _Said] = {}
        for item, entry in self._said.items():
            if item not in items:
                said[item] = entry
            elif new is not None and new not in said:
                said[new] = ("assistant", heard)
        self._said = said

    def _keep_words(self, turn: _Turn) -> None:
        if turn.items and turn.text:
            self._remember(turn.items[0], "assistant", turn.text)

    def _remember(self, item: str, role: Literal["user", "assistant"], text: str) -> None:
        _keep(self._said, item, (role, text), REPLAYED_ITEMS * 2)

    def _new_id(self) -> str:
        self._count += 1
        return f"heard-{self._count}"

    def _turn(self, turn: str) -> _Turn:
        if (known := self._turns.get(turn)) is None:
            known = _Turn()
            _keep(self._turns, turn, known, MEMORY_TURNS)
        return known


def _keep(kept: dict[str, Any], name: str, value: object, most: int = MEMORY_TURNS * 4) -> None:
    kept[name] = value
    if len(kept) > most:
        del kept[next(iter(kept))]
