"""A call as people read it: one line for each thing that matters, while it happens. No I/O."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

Json = dict[str, Any]
Tone = Literal["caller", "agent", "plain", "faint", "loud", "bad"]

INDENT = 17
"""Where the words begin: after the time and the speaker."""


@dataclass(frozen=True)
class Line:
    text: str
    tone: Tone = "plain"


class Story:
    """Told the entries of a call's timeline in turn, gives the lines to print, `width` wide."""

    def __init__(self, width: int = 100) -> None:
        self._width = width
        self._caller_stopped_ms: float | None = None
        self._interrupting_ms: float | None = None
        self._agent_speaks = False

    def tell(self, entry: Json, agent_says: str | None = None) -> Iterator[Line]:
        """`entry` as `{"t_ms", "event", …}`; `agent_says`: the words of the turn that begins."""
        at = entry["t_ms"]
        match entry["event"]:
            case "ringing":
                yield self._line(at, "", f"the phone rings at {entry['to'].removeprefix('4:')}")
            case "answered":
                yield self._line(at, "", "the Azure Function answers", "faint")
            case "media_connected":
                kilohertz = entry["rate"] / 1000
                yield self._line(
                    at, "", f"the media worker has the call, {kilohertz:g} kHz", "faint"
                )
            case "caller_speech_started":
                yield from self._caller(at, entry.get("text") or "(speaks)")
            case "caller_speech_ended":
                self._caller_stopped_ms = at
            case "agent_speech_started":
                yield from self._agent(at, agent_says or "(speaks)")
            case "agent_speech_ended":
                self._agent_speaks = False
            case "stop_audio" if entry["dropped_ms"] > 0:
                yield self._silenced(at, entry["dropped_ms"])
            case "ended":
                yield self._line(at, "", _end(entry["by"]))
            case "rejected" | "media_refused" | "media_fault" | "announcement" as event:
                detail = entry.get("reason") or entry.get("why") or entry.get("text") or ""
                yield self._line(at, "", f"{event.replace('_', ' ')} {detail}".strip(), "bad")

    def _caller(self, at: float, words: str) -> Iterator[Line]:
        self._caller_stopped_ms = None
        self._interrupting_ms = at if self._agent_speaks else None
        note = "interrupts" if self._agent_speaks else ""
        yield self._line(at, "caller", words, "caller", note)

    def _agent(self, at: float, words: str) -> Iterator[Line]:
        self._agent_speaks = True
        waited = "" if self._caller_stopped_ms is None else f"{at - self._caller_stopped_ms:.0f} ms"
        self._caller_stopped_ms = None
        yield self._line(at, "agent", words, "agent", waited)

    def _silenced(self, at: float, dropped_ms: float) -> Line:
        self._agent_speaks = False
        after = (
            "" if self._interrupting_ms is None else f" {at - self._interrupting_ms:.0f} ms later"
        )
        self._interrupting_ms = None
        unheard = f"{dropped_ms / 1000:.1f} s of its answer are never heard"
        return self._line(at, "", f"the agent falls silent{after}; {unheard}", "faint")

    def _line(self, at: float, who: str, words: str, tone: Tone = "plain", note: str = "") -> Line:
        head = f"{at / 1000:7.2f} s  {who:<6}"
        if note:
            words = f"{words}  [{note}]"
        wrapped = textwrap.wrap(words, max(30, self._width - INDENT)) or [""]
        first, *rest = wrapped
        return Line("\n".join([f"{head} {first}", *(" " * INDENT + line for line in rest)]), tone)


def outcome(report: Json) -> Iterator[Line]:
    """What a call's report says afterwards: times of reply, what was heard, how it ended."""
    replies = [turn for turn in report["turns"] if turn["reply_latency_ms"] is not None]
    if replies:
        yield Line("From the end of the caller's speech to the agent's first sample:", "loud")
        yield Line("(the service waits for silence, and thinks, as its script has it)", "faint")
    for turn in replies:
        words = textwrap.shorten(
            turn["text"] or turn["heard_text"] or "(words not kept)", 60, placeholder=" ..."
        )
        yield Line(f"{turn['reply_latency_ms']:9.0f} ms   {words}")
    for turn in report["turns"]:
        if turn["interrupted"] and turn["heard_text"]:
            yield Line("Of the interrupted answer the agent knows that this was heard:", "loud")
            yield Line(textwrap.indent(textwrap.fill(turn["heard_text"], 84), " " * 12))
    yield Line(f"Ended by the {report['ended_by']}; end reason: {report['end_reason']}.", "loud")
    for fault in report["faults"]:
        yield Line(f"Not as scripted: {fault}", "bad")


def _end(by: str) -> str:
    return {"agent": "the agent hangs up", "caller": "the caller hangs up"}.get(by, f"ended: {by}")
