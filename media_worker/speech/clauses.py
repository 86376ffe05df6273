"""Cuts text that is still being written into clauses that can be spoken one by one.

Where a cut may be: behind the end of a sentence; behind a comma, semicolon, colon or dash once
enough words have come; before a joining word (`and`, `because`) once many have; at a plain space
once far too many have. The first clause needs the fewest, because the caller waits for it. Never
inside an abbreviation, a number, an amount of money, an address of the web, a decimal or an
ellipsis. When in doubt there is no cut: a clause that is too long costs milliseconds.

Every possible cut is judged when enough of what follows it is known, and never again. So the same
text gives the same clauses however it was cut into pieces on its way here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from media_worker.speech.clause_words import (
    JOINTS,
    MAY_BE_LAST,
    NEVER_LAST,
    ORDINAL_POINT,
    STARTERS,
)


@dataclass(frozen=True, slots=True)
class Pace:
    """How many words a clause has at least, by what stands where it ends."""

    comma: int
    """A comma, semicolon, colon or dash."""
    joint: int
    """A joining word follows."""
    space: int
    """Nothing but a space."""


FIRST = Pace(comma=3, joint=6, space=12)
"""The caller waits for the first clause: three words take a second to say, which is longer than
the next clause needs to be written and made into sound."""

LATER = Pace(comma=8, joint=16, space=40)
"""Longer clauses have the better melody; while one is heard, the next is made."""

LONGEST = 600
"""Characters. Beyond it any white space will do: what has no sentence in it is no speech."""

_CLOSERS = "\"'”’»«›)]}」』）"
_OPENERS = "\"'“„‚‘«»‹([{「『（¿¡"
_CJK_ENDS = "。！？"
_CJK_MARKS = "，、；："
_CLOSING_MARKS = "!?;:,.…)]}%”’‼⁇⁈⁉" + _CJK_ENDS + _CJK_MARKS
_MONEY = "$€£¥₹₽₩₺¢%‰°№#+=×÷−<>≥≤~≈§"
_INWARD_QUOTES = frozenset(("de", "da", "sl", "hr", "sr"))
_DASHES = frozenset(("-", "–", "—", "--", "---"))
_ROMAN = re.compile(r"[IVXLCDM]{2,}")
_DOTTED = re.compile(r"(?:\w\.)+\w")
_BOUNDARY = re.compile(rf"\n|[^\S\n]+|[{_CJK_ENDS}{_CJK_MARKS}]+[{re.escape(_CLOSERS)}]*")
_WORD = re.compile(r"\S+")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


class _Verdict(Enum):
    CUT = auto()
    GO_ON = auto()
    WAIT = auto()


class Clauses:
    """The clauses of one turn. `locale` as in `de-DE`: what the agent's voice speaks."""

    def __init__(self, locale: str) -> None:
        language = locale.split("-")[0].lower()
        self._joints = JOINTS.get(language, frozenset())
        self._ordinal_point = language in ORDINAL_POINT
        self._closing_marks = _CLOSING_MARKS + ("«‹" if language in _INWARD_QUOTES else "»›")
        self._pace = FIRST
        self._text = ""
        self._judged = 0
        self._words = 0.0
        self._from = 0

    def push(self, text: str) -> list[str]:
        """More of the turn; the clauses that are complete with it, without outer white space."""
        self._text += text
        return list(self._cut(final=False))

    def flush(self) -> list[str]:
        """The turn is over: what is left. The next push begins a new turn."""
        rest = list(self._cut(final=True))
        if _speakable(self._text):
            rest.append(self._text.strip())
        self._text, self._pace = "", FIRST
        self._restart()
        return rest

    def _restart(self) -> None:
        self._judged, self._from, self._words = 0, 0, 0.0

    def _cut(self, *, final: bool) -> Iterator[str]:
        while (found := _BOUNDARY.search(self._text, self._judged)) is not None:
            verdict, at = self._judge(found, final)
            if verdict is _Verdict.WAIT:
                return
            if verdict is _Verdict.GO_ON and at < LONGEST:
                self._judged = found.end()
                continue
            clause, self._text = self._text[:at].strip(), self._text[at:].lstrip()
            self._restart()
            self._pace = LATER
            yield clause
        self._judged = len(self._text)

    def _judge(self, found: re.Match[str], final: bool) -> tuple[_Verdict, int]:
        """Whether to cut at a run of white space or of Chinese marks, and where."""
        text, mark = self._text, found[0]
        if found.end() == len(text) and not final and mark != "\n":
            return _Verdict.WAIT, 0
        if not _speakable(text[: found.start()]):
            return _Verdict.GO_ON, 0
        if mark == "\n":
            return _Verdict.CUT, found.start()
        rest = text[found.end() :]
        words = self._count(found.start())
        if not mark.isspace():
            hard = any(end in mark for end in _CJK_ENDS)
            return self._cut_if(hard or words >= self._pace.comma), found.end()
        before = _last_word(text[: found.start()].rstrip(_CLOSERS + " \u00a0\u202f"))
        verdict = self._after(before, words, _Following(rest, final))
        if verdict is not _Verdict.WAIT:
            self._words, self._from = words, found.start()
        return verdict, found.start()

    def _after(self, before: str, words: float, following: "_Following") -> _Verdict:
        """Whether to cut at the white space between a word and what follows it."""
        first = following.first
        if first is None:
            return _Verdict.WAIT
        if first in ("", "\n") or following.text[0] in self._closing_marks or before in _OPENERS:
            return _Verdict.GO_ON
        if before.endswith(("!", "?")):
            return _Verdict.CUT
        if before.endswith(("...", "…")):
            return self._cut_if(first.isupper() or words >= self._pace.comma)
        if before.endswith("."):
            return self._after_point(before, words, following)
        if before.endswith((",", ";", ":")) or before in _DASHES:
            split = first.isdigit() and before[-2:-1].isdigit()
            return self._cut_if(words >= self._pace.comma and not split)
        return self._between_words(before, words, following)

    def _after_point(self, before: str, words: float, following: "_Following") -> _Verdict:
        first = following.first or ""
        if first.islower():
            return _Verdict.GO_ON
        stem = before.rstrip(".").lstrip(_OPENERS)
        name = stem.lower()
        if name in NEVER_LAST or name.split("'")[-1] in NEVER_LAST:
            return _Verdict.GO_ON
        if stem.isdigit() and words <= 1:
            return _Verdict.GO_ON  # the number of a list's item
        after_digit = first.isdigit()
        unsure = (
            name in MAY_BE_LAST
            or (len(stem) == 1 and stem.isalpha())
            or _DOTTED.fullmatch(stem) is not None
            or (after_digit and (len(stem) <= 4 or stem[-1:].isdigit()))
            or (stem.isdigit() and len(stem) <= 2)  # the third, or an item of a list
            or (self._ordinal_point and _ROMAN.fullmatch(stem) is not None)
        )
        if not unsure:
            return _Verdict.CUT
        if after_digit:
            return _Verdict.GO_ON
        if len(stem) == 1 and stem.isalpha() and stem != "I":
            return _Verdict.GO_ON  # an initial, or half of `z. B.`
        word = following.word
        if word is None:
            return _Verdict.WAIT
        return self._cut_if(word[:1].isupper() and word.lower().rstrip(_CLOSING_MARKS) in STARTERS)

    def _between_words(self, before: str, words: float, following: "_Following") -> _Verdict:
        first = following.first or ""
        if before[-1] in _MONEY or first in _MONEY or before[-1].isdigit() or first.isdigit():
            return _Verdict.GO_ON
        name = before[0].isupper() and first.isupper()
        if words >= self._pace.space and len(before) > 3 and not name:
            return _Verdict.CUT
        if words < self._pace.joint:
            return _Verdict.GO_ON
        word = following.word
        if word is None:
            return _Verdict.WAIT
        return self._cut_if(word.lower() in self._joints)

    def _cut_if(self, condition: bool) -> _Verdict:
        return _Verdict.CUT if condition else _Verdict.GO_ON

    def _count(self, end: int) -> float:
        """Words until `end`; of Chinese, Japanese and Korean, two signs are a word."""
        words = self._words
        for found in _WORD.finditer(self._text, self._from, end):
            signs = len(_CJK.findall(found[0]))
            words += signs / 2 if signs else _speakable(found[0])
        return words


@dataclass(frozen=True, slots=True)
class _Following:
    """What stands behind a possible cut, as far as it is known."""

    text: str
    final: bool

    @property
    def first(self) -> str | None:
        """Its first character that is no opening mark; None: not known yet."""
        return self.text.lstrip(_OPENERS)[:1] or ("" if self.final else None)

    @property
    def word(self) -> str | None:
        """Its first word without opening marks; None: not all of it is known yet."""
        if self.final or any(sign.isspace() for sign in self.text):
            return self.text.split(maxsplit=1)[0].strip(_OPENERS)
        return None


def _speakable(text: str) -> bool:
    return any(sign.isalnum() for sign in text)


def _last_word(text: str) -> str:
    return text.rsplit(maxsplit=1)[-1]
