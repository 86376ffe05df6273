"""What a check finds, and how it is told: as lines and as JSON."""

import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, assert_never


@dataclass(frozen=True)
class Ok:
    """It was tried, and it works."""

    detail: str


@dataclass(frozen=True)
class Fail:
    """It was tried, and it does not work."""

    detail: str
    mend: str
    """One sentence: what to do about it."""


@dataclass(frozen=True)
class NotChecked:
    """It was not tried, or what came of it proves nothing."""

    why: str
    see: str = ""
    """A command that shows it."""


Verdict: TypeAlias = Ok | Fail | NotChecked
"""Details hold codes, names and counts: never a secret, a token or a whole phone number."""

Result = Literal["ok", "fail", "not_checked"]
_SHOWN: dict[Result, str] = {"ok": "ok", "fail": "FAIL", "not_checked": "not checked"}
_WIDTH = 13


@dataclass(frozen=True)
class Check:
    """One thing to try."""

    id: str
    """Stable, for programs: `queue.write`."""

    what: str
    """For people: `queue sessions: write`."""

    examine: Callable[[], Awaitable[Verdict]]
    limit_s: float
    silent: str = "Look at the service's health and at the network between."
    """The mend where no verdict comes within the limit."""

    lane: str = ""
    """Checks of one lane run one after the other, lanes beside each other."""

    needs: tuple[str, ...] = ()
    """Settings without which it cannot be tried."""

    scope: str | None = None
    """The identity check (`identity.SCOPE`) that must have found a token; None: no token goes."""


@dataclass(frozen=True)
class Finding:
    """A check and its verdict."""

    id: str
    what: str
    verdict: Verdict

    @property
    def result(self) -> Result:
        """The verdict as a word."""
        match self.verdict:
            case Ok():
                return "ok"
            case Fail():
                return "fail"
            case NotChecked():
                return "not_checked"
            case _:
                assert_never(self.verdict)

    def lines(self) -> Iterator[str]:
        """For a terminal."""
        indent = " " * _WIDTH
        head = f"{_SHOWN[self.result]:<{_WIDTH}}{self.what}: "
        match self.verdict:
            case Ok(detail):
                yield head + detail
            case Fail(detail, mend):
                yield head + detail
                yield f"{indent}mend: {mend}"
            case NotChecked(why, see):
                yield head + why
                if see:
                    yield f"{indent}see: {see}"
            case _:
                assert_never(self.verdict)

    def to_json(self) -> dict[str, str | None]:
        """For programs; the names do not change."""
        told: dict[str, str | None] = {"id": self.id, "what": self.what, "result": self.result}
        match self.verdict:
            case Ok(detail):
                return told | {"detail": detail, "mend": None, "see": None}
            case Fail(detail, mend):
                return told | {"detail": detail, "mend": mend, "see": None}
            case NotChecked(why, see):
                return told | {"detail": why, "mend": None, "see": see or None}
            case _:
                assert_never(self.verdict)


def summary(findings: Sequence[Finding]) -> str:
    """The last line."""
    count = {result: sum(f.result == result for f in findings) for result in _SHOWN}
    good, bad, open_ = count["ok"], count["fail"], count["not_checked"]
    verdict = "Mend what FAILs first." if bad else "Of what was checked nothing is in a call's way."
    return f"{good} ok, {bad} FAIL, {open_} not checked. {verdict}"


def as_json(findings: Sequence[Finding], **more: Any) -> str:
    """The whole report for programs: `{"ok", "checks": [{"id", "what", "result", "detail", "mend",
    "see"}]}` and `more`."""
    good = not any(finding.result == "fail" for finding in findings)
    told = {"ok": good, "checks": [finding.to_json() for finding in findings], **more}
    return json.dumps(told, indent=2, ensure_ascii=False)
