"""Calls as people read them: one line for each thing that matters, while it happens. No I/O."""

import heapq
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, Literal

Json = dict[str, Any]
Tone = Literal["caller", "agent", "plain", "faint", "loud", "bad"]

TIME_AND_SPEAKER = 15
"""Columns of a line before its words, the name of the call aside."""
REPLY = 11
"""Columns before the words of a reply: how late it was."""
NOT_KEPT = "(words not kept)"
NARROWEST = 30
"""Words are not broken narrower, however narrow the terminal."""


@dataclass(frozen=True)
class Line:
    """A line of the screen; `call` says of which call it tells, None: of none alone."""

    text: str
    tone: Tone = "plain"
    call: int | None = None


@dataclass(frozen=True)
class Margin:
    """What is left of a call's lines: its name, as wide as the longest name of them all."""

    name: str
    call: int = 0
    width: int = 0

    def line(self, text: str, tone: Tone = "plain") -> Line:
        return Line(f"{self.name:<{self.width}} │ {text}".rstrip(), tone, self.call)


class Story:
    """Told the entries of a call's timeline in turn, gives the lines to print, `width` wide."""

    def __init__(self, margin: Margin, width: int = 100) -> None:
        self._margin = margin
        indent = len(margin.line("x").text) - 1 + TIME_AND_SPEAKER
        self._words_width = max(NARROWEST, width - indent)
        self._caller_stopped_ms: float | None = None
        self._interrupting_ms: float | None = None
        self._agent_speaks = False

    def tell(self, entry: Json, agent_says: str | None = None) -> Iterator[Line]:
        """`entry` as `{"t_ms", "event", …}`; `agent_says`: the words of the turn that begins."""
        at = entry["t_ms"]
        match entry["event"]:
            case "ringing":
                yield from self._lines(at, "", f"rings at {entry['to'].removeprefix('4:')}")
            case "answered":
                yield from self._lines(at, "", "the Azure Function answers", "faint")
            case "media_connected":
                words = f"the media worker has the call, {entry['rate'] / 1000:g} kHz"
                yield from self._lines(at, "", words, "faint")
            case "caller_speech_started":
                yield from self._caller(at, entry.get("text") or "(speaks)")
            case "caller_speech_ended":
                self._caller_stopped_ms = at
            case "agent_speech_started":
                yield from self._agent(at, agent_says or "(speaks)")
            case "agent_speech_ended":
                self._agent_speaks = False
            case "stop_audio" if entry["dropped_ms"] > 0:
                yield from self._silenced(at, entry["dropped_ms"])
            case "ended":
                yield from self._lines(at, "", _end(entry["by"]))
            case "rejected" | "media_refused" | "media_fault" | "announcement" as event:
                detail = entry.get("reason") or entry.get("why") or entry.get("text") or ""
                words = f"{event.replace('_', ' ')} {detail}".strip()
                yield from self._lines(at, "", words, "bad")

    def _caller(self, at: float, words: str) -> Iterator[Line]:
        self._caller_stopped_ms = None
        self._interrupting_ms = at if self._agent_speaks else None
        note = "interrupts" if self._agent_speaks else ""
        yield from self._lines(at, "caller", words, "caller", note)

    def _agent(self, at: float, words: str) -> Iterator[Line]:
        self._agent_speaks = True
        waited = "" if self._caller_stopped_ms is None else f"{at - self._caller_stopped_ms:.0f} ms"
        self._caller_stopped_ms = None
        yield from self._lines(at, "agent", words, "agent", waited)

    def _silenced(self, at: float, dropped_ms: float) -> Iterator[Line]:
        self._agent_speaks = False
        after = (
            "" if self._interrupting_ms is None else f" {at - self._interrupting_ms:.0f} ms later"
        )
        self._interrupting_ms = None
        unheard = f"{dropped_ms / 1000:.1f} s never heard"
        yield from self._lines(at, "", f"the agent falls silent{after}; {unheard}", "faint")

    def _lines(
        self, at: float, who: str, words: str, tone: Tone = "plain", note: str = ""
    ) -> Iterator[Line]:
        said = f"{words}  [{note}]" if note else words
        first, *rest = textwrap.wrap(said, self._words_width) or [""]
        yield self._margin.line(f"{at / 1000:5.2f} s {who:<6} {first}", tone)
        for more in rest:
            yield self._margin.line(" " * TIME_AND_SPEAKER + more, tone)


class InOrder:
    """Lines of several calls by their times, whichever call tells first."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, list[Line]]] = []
        self._arrivals = count()

    def put(self, at_ms: float, lines: list[Line]) -> None:
        heapq.heappush(self._waiting, (at_ms, next(self._arrivals), lines))

    def take(self, until_ms: float) -> list[Line]:
        """The lines up to that time, earliest first, each of them once."""
        due: list[Line] = []
        while self._waiting and self._waiting[0][0] <= until_ms:
            due += heapq.heappop(self._waiting)[2]
        return due


def last_said(session: Json) -> str | None:
    """What the agent says now or said last: of a session, as a simulated service reports it.

    The words of a turn that goes on are in its response; a greeting that another service speaks
    is in the conversation alone.
    """
    turns = [item["text"] for item in session["items"] if item["kind"] == "assistant"]
    responses = [response["text"] for response in session["responses"]]
    return next((words for words in (*turns[-1:], *responses[-1:]) if words), None)


def outcome(report: Json, margin: Margin, width: int = 100) -> Iterator[Line]:
    """What a call's report says afterwards: how it ended, times of reply, what was heard."""
    bridge = f" over {report['bridge']}" if report["bridge"] else ""
    ended = f"ended by the {report['ended_by']}, end reason {report['end_reason']}"
    yield Line(f"{margin.name}, {report['to']}{bridge}: {ended}", "loud", margin.call)
    room = max(NARROWEST, width - REPLY)
    for turn in report["turns"]:
        if turn["reply_latency_ms"] is not None:
            words = turn["text"] or turn["heard_text"] or NOT_KEPT
            shown = textwrap.shorten(words, room, placeholder=" ...")
            yield Line(f"{turn['reply_latency_ms']:6.0f} ms  {shown}")
        if turn["interrupted"]:
            heard = turn["heard_text"] or NOT_KEPT
            told = f"interrupted; the agent knows that this was heard: {heard}"
            for row in textwrap.wrap(told, room):
                yield Line(" " * REPLY + row)
    for fault in report["faults"]:
        yield Line(f"{margin.name}: not as scripted: {fault}", "bad")


def _end(by: str) -> str:
    return {"agent": "the agent hangs up", "caller": "the caller hangs up"}.get(by, f"ended: {by}")
