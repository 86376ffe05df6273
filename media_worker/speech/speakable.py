"""Turns what a model writes into what a person would say, while it is being written.

Models write Markdown, pictures, code and addresses even when they are told that they are on the
phone. Here headings and list items become sentences, emphasis and tags vanish, links keep their
words, table cells are parted by commas, a block of code becomes one sentence about it.

Text is let go as early as its meaning is settled: the letters that a word begins with at once
(whatever follows, they are said), the rest of it when the word is over. The output for a text is
the same however the text was cut into pieces.
"""

import re
from collections.abc import Iterator

from media_worker.speech.spoken_forms import SAID, spoken

_FENCE = re.compile(r"(```+|~~~+)[^`]*")
_BULLETS = frozenset(("-", "*", "+", "•", "‣", "◦", "–", "·"))
_ITEM_NUMBER = re.compile(r"(\d{1,3})[.)]")
_HEADING = re.compile(r"#{1,6}")
_RULE = re.compile(r"[-*_=]{3,}")
_TABLE_RULE = re.compile(r"[|:-]*-[|:-]*")
_BOX = re.compile(r"\[[ xX]\]")
_OPEN = re.compile(r"<[A-Za-z/!?][^<>]*$|\]\([^()]*(?:\([^()]*\)[^()]*)*$|【[^】]*$")
_CJK_MARKS = "。！？，、；："
_WORD_END = re.compile(rf"\s|(?<=[{_CJK_MARKS}])")
_MARKS = frozenset(".,!?;:…)]”’»」』）")
_CLOSERS = "\"'”’»)]*_"
_STOPS = f".!?…:;,{_CJK_MARKS}"
_PREFIXES = ("http", "www", "mailto")

HELD_LONGEST = 200
"""Characters of a tag or a link's target. What is still open then was none, and is said."""

WORD_LONGEST = 400
"""Characters. Longer words are no words; they are said in pieces."""


class Speakable:
    """The spoken form of one turn. `locale` as in `de-DE`, for the words said in place of signs."""

    def __init__(self, locale: str = "en-US") -> None:
        self._said = SAID.get(locale.split("-")[0].lower(), SAID["en"])
        self._begin_turn()

    def _begin_turn(self) -> None:
        self._raw = ""
        """What has not been decided on; begins with the word that is being written."""
        self._early = 0
        """So many letters of it have been said."""
        self._last = ""
        """The last character said, closing quotes and brackets aside."""
        self._fence: str | None = None
        self._begin_line()

    def _begin_line(self) -> None:
        self._line_start = True
        self._sentence = False
        """The line is a heading, an item or a row: it ends as a sentence does."""
        self._item_start = False
        self._row = False
        self._cells = 0
        self._comma = False

    def push(self, delta: str) -> str:
        """More of the turn; what is to be said now, in its order. May be empty."""
        self._raw += delta
        return "".join(self._advance(final=False))

    def flush(self) -> str:
        """The turn is over: what was still held. The next push begins a new turn."""
        rest = "".join(self._advance(final=True))
        if self._sentence:
            rest += self._stop()
        self._begin_turn()
        return rest

    def _advance(self, *, final: bool) -> Iterator[str]:
        while self._raw:
            if self._fence is not None:
                if not self._skip_code(final):
                    return
            elif self._raw[0].isspace():
                if self._raw[0] == "\n":
                    yield self._stop() if self._sentence or self._line_start else ""
                    self._begin_line()
                self._raw = self._raw[1:]
            elif (end := self._word_end(final)) is not None:
                word, self._raw = self._raw[:end], self._raw[end:]
                yield from self._word(word)
                self._early = 0
            else:
                yield self._letters()
                return

    def _skip_code(self, final: bool) -> bool:
        """Leaves out one line of a block of code; false: it is not complete yet."""
        line, newline, rest = self._raw.partition("\n")
        if not newline and not final:
            return False
        self._raw = rest
        if self._fence is not None and self._fence in line:
            self._fence = None
            self._begin_line()
        return True

    def _word_end(self, final: bool) -> int | None:
        """Where the first word ends, with white space inside its tags and targets; None: not yet
        known."""
        first: int | None = None
        at = 0
        while True:
            space = _WORD_END.search(self._raw, at, WORD_LONGEST)
            if space is not None and space.start() < at:
                space = None  # a search beyond the end begins at the end
            if space is None and len(self._raw) >= WORD_LONGEST:
                return WORD_LONGEST if first is None else first
            if space is None and not final:
                return None
            end = space.start() if space else len(self._raw)
            first = end if first is None else first
            if not _OPEN.search(self._raw, 0, end):
                return end
            if space is None or space[0] == "\n" or end > HELD_LONGEST:
                return first
            at = max(space.end(), end + 1)

    def _letters(self) -> str:
        """The letters that the unfinished word begins with, as far as they are new."""
        count = self._early
        while count < len(self._raw) and self._raw[count].isalpha():
            count += 1
        start = self._raw[:count].lower()
        if any(p.startswith(start) or start.startswith(p) for p in _PREFIXES):
            return ""
        new, before = self._raw[self._early : count], self._early
        if not new:
            return ""
        self._early = count
        return self._emit(new, joined=before > 0)

    def _word(self, word: str) -> Iterator[str]:
        if self._line_start and not self._early:
            mark, word = self._line_mark(word)
            yield mark
        self._line_start = False
        if self._item_start and _BOX.fullmatch(word):
            word = ""
        self._item_start = self._item_start and not word
        if self._row:
            yield from self._cells_of(word)
        elif word in ("*", "×") and self._last.isdigit():
            yield self._say(self._said.times)
        elif word:
            yield self._say(spoken(word, self._said))

    def _line_mark(self, word: str) -> tuple[str, str]:
        """What a line's first word makes of the line: what is said before it, what is left."""
        if fence := _FENCE.fullmatch(word):
            self._fence = fence[1]
            return self._stop() + self._say(self._said.code), ""
        if _RULE.fullmatch(word):
            return self._stop(), ""
        if _HEADING.fullmatch(word) or word in _BULLETS:
            self._sentence, self._item_start = True, True
            return self._stop(), ""
        if number := _ITEM_NUMBER.fullmatch(word):
            self._sentence = True
            return self._stop(), f"{number[1]}."
        if word.startswith("|"):
            self._sentence, self._row = True, True
            return self._stop(), word
        return "", word.lstrip(">")

    def _cells_of(self, word: str) -> Iterator[str]:
        if _TABLE_RULE.fullmatch(word):
            return
        for number, cell in enumerate(word.split("|")):
            if number:
                self._comma = self._cells > 0
            begun = self._early > 0
            said = self._say(spoken(cell, self._said))
            self._cells += begun or bool(said)
            yield said

    def _say(self, text: str) -> str:
        """What is said for a whole word, less its letters that have been said already."""
        said, self._early = self._early, 0
        return self._emit(text[said:], joined=said > 0)

    def _emit(self, text: str, *, joined: bool) -> str:
        """`text` with what belongs between it and what was said before."""
        if not text:
            return ""
        comma = "," if self._comma and self._last not in _STOPS else ""
        close = joined or not self._last or self._last in _CJK_MARKS or _MARKS.issuperset(text)
        self._comma = False
        self._last = text.rstrip(_CLOSERS)[-1:] or self._last or text[-1]
        return f"{comma}{'' if close else ' '}{text}"

    def _stop(self) -> str:
        """A full stop, where a sentence was left without."""
        if not self._last or self._last in _STOPS:
            return ""
        self._last = "."
        return "."
