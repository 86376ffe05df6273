"""What Voice Live remembers of a call, kept true to what the caller heard.

The service remembers an assistant turn as it made it, also the part that an interruption kept the
caller from hearing. So for every turn it is known which items its audio belongs to and how much
came, and an interrupted turn is cut, item by item: by truncating the audio, or, where truncation
would take all its words away, by putting the words heard in the item's place, once the turn is
done. What was said is kept, too, so that a new connection can be told.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import pybase64

from media_worker.acs_media import sample_count
from media_worker.bridges import client_events
from media_worker.bridges.voice_live import protocol
from media_worker.limits import MEMORY_TURNS, REPLAYED_ITEMS
from media_worker.turns import words_heard
from switchboard.agents import HeardTruth
from switchboard.record import TurnRecord


class WholeSamples:
    """Makes any chunking of a turn's audio into chunks of whole samples; base64 in and out."""

    def __init__(self) -> None:
        self._odd = b""

    def push(self, audio: bytes) -> bytes | None:
        """The next chunk, the usual one untouched; None: not base64."""
        padding = 2 if audio.endswith(b"==") else 1 if audio.endswith(b"=") else 0
        if not self._odd and len(audio) % 4 == 0 and (len(audio) // 4 * 3 - padding) % 2 == 0:
            return audio
        try:
            pcm = self._odd + pybase64.b64decode(audio, validate=True)
        except ValueError:
            return None
        whole = len(pcm) // 2 * 2
        self._odd = pcm[whole:]
        return pybase64.b64encode(pcm[:whole])


@dataclass(slots=True)
class _Item:
    content_index: int = 0
    samples: int = 0
    text: str = ""
    spoken: list[tuple[str, float]] = field(default_factory=list)
    """Each word with when it has been said, in milliseconds; empty where nobody tells."""

    def heard(self, heard_ms: int, sent_ms: int) -> str:
        """The words that were heard in so much of the item's audio."""
        if heard_ms >= sent_ms > 0:
            return self.text
        if not self.spoken:
            return words_heard(self.text, heard_ms / sent_ms if sent_ms else 0.0)
        end = 0
        for word, end_ms in self.spoken:
            if end_ms > heard_ms:
                break
            if (at := self.text.find(word, end)) >= 0:  # a number may be written otherwise
                end = at + len(word)
        return self.text[:end]


@dataclass(slots=True)
class _Turn:
    items: dict[str, _Item] = field(default_factory=dict)
    pcm: WholeSamples = field(default_factory=WholeSamples)
    done: bool = False
    heard_ms: int | None = None
    """Set when the turn was interrupted."""


_Said: TypeAlias = tuple[Literal["user", "assistant"], str]


class Memory:
    """The turns of one connection after the other. `rate` in hertz; `earlier`: turns of the call
    before its first connection here."""

    def __init__(self, rate: int, truth: HeardTruth, earlier: Sequence[TurnRecord] = ()) -> None:
        self._rate = rate
        self._truth = truth
        self._turns: dict[str, _Turn] = {}
        self._before: dict[str, str] = {}
        self._said: dict[str, _Said] = {}
        for number, turn in enumerate(earlier[-REPLAYED_ITEMS:]):
            heard = turn.text if turn.heard_text is None else turn.heard_text
            role: Literal["user", "assistant"] = "user" if turn.speaker == "caller" else "assistant"
            self._remember(f"earlier-{number}", role, heard or "")

    def item_created(self, item: str, previous: str | None) -> None:
        """The service gave `item` its place, after `previous`; None: it is the first."""
        _keep(self._before, item, previous or "root", MEMORY_TURNS * 4)

    def turn_started(self, turn: str) -> None:
        """A turn is being made."""
        self._turn(turn)

    def audio(self, turn: str, item: str, content_index: int, audio: bytes) -> bytes | None:
        """Audio came: returns what of it can be played (may be empty); None: it is not base64."""
        known = self._turn(turn)
        if whole := known.pcm.push(audio):
            part = known.items.setdefault(item, _Item())
            part.content_index = content_index
            part.samples += sample_count(whole)
        return whole

    def words(self, turn: str, item: str, text: str) -> None:
        """More words of the turn."""
        self._turn(turn).items.setdefault(item, _Item()).text += text

    def word_spoken(self, turn: str, item: str, word: str, end_ms: float) -> None:
        """`word` is said in the item's audio until `end_ms`: better to know than the share of its
        letters, the more so as the words of a text model come long before their audio."""
        self._turn(turn).items.setdefault(item, _Item()).spoken.append((word, end_ms))

    def caller_said(self, item: str, text: str) -> None:
        """The caller's words."""
        self._remember(item, "user", text)

    def was_cut(self, turn: str) -> bool:
        """Whether the caller interrupted it."""
        return self._turn(turn).heard_ms is not None

    def has_items(self, turn: str) -> bool:
        """Whether anything was said in the turn."""
        return bool(self._turn(turn).items)

    def cancel(self, turn: str) -> list[bytes]:
        """What stops the making of the turn."""
        known = self._turns.get(turn)
        return [client_events.cancel(turn)] if known is not None and not known.done else []

    def interrupt(self, turn: str, heard_ms: int) -> list[bytes]:
        """What makes the service's memory true, as far as it can be said already. A turn is
        interrupted once; of unknown turns there is nothing to say."""
        known = self._turns.get(turn)
        if known is None or known.heard_ms is not None:
            return []
        known.heard_ms = heard_ms
        send = self.cancel(turn)
        if self._truth == "truncate":
            for name, item, heard, sent in self._shares(known):
                # While the turn is made there may be more of the item than has come here.
                if heard < sent or (sent and not known.done):
                    send.append(protocol.truncate(name, item.content_index, heard))
        return send + self._settle(known) if known.done else send

    def done(self, turn: str) -> list[bytes]:
        """The turn is made; returns what is left to say about it."""
        known = self._turn(turn)
        known.done = True
        if known.heard_ms is not None:
            return self._settle(known)
        self._keep_words(known)
        return []

    def dropped(self) -> None:
        """The connection and its ids are gone; what was said is not."""
        for turn in self._turns.values():
            if not turn.done and turn.heard_ms is None:
                self._keep_words(turn)
        self._turns.clear()
        self._before.clear()

    def retold(self) -> list[bytes]:
        """What was said, for a new connection."""
        said = [entry for entry in self._said.values() if entry[1].strip()]
        return [protocol.add_message(role, text) for role, text in said[-REPLAYED_ITEMS:]]

    def _settle(self, turn: _Turn) -> list[bytes]:
        send = []
        for name, item, heard, sent in self._shares(turn):
            words = item.heard(heard, sent)
            self._remember(name, "assistant", words)
            if self._truth == "replace" and (heard < sent or not sent):
                send.append(client_events.delete(name))
                if words:
                    send.append(protocol.add_message("assistant", words, self._before.get(name)))
        return send

    def _shares(self, turn: _Turn) -> Iterator[tuple[str, _Item, int, int]]:
        """Each item with the milliseconds of it that were heard and that were sent."""
        left = turn.heard_ms or 0
        for name, item in turn.items.items():
            sent = item.samples * 1000 // self._rate
            heard = min(left, sent)
            left -= heard
            yield name, item, heard, sent

    def _keep_words(self, turn: _Turn) -> None:
        for name, item in turn.items.items():
            self._remember(name, "assistant", item.text)

    def _remember(self, item: str, role: Literal["user", "assistant"], text: str) -> None:
        _keep(self._said, item, (role, text), REPLAYED_ITEMS * 2)

    def _turn(self, turn: str) -> _Turn:
        if (known := self._turns.get(turn)) is None:
            known = _Turn()
            _keep(self._turns, turn, known, MEMORY_TURNS)
        return known


def _keep(kept: dict[str, Any], name: str, value: object, most: int) -> None:
    kept[name] = value
    if len(kept) > most:
        del kept[next(iter(kept))]
