"""A call told afterwards: what `call.json` and `call.wav` hold. Times in ms from the first ring."""

from itertools import pairwise
from typing import Any, TypeAlias

from simulator.acs_calls import SimulatedCall
from simulator.line import Line
from simulator.playout import mixed

Json: TypeAlias = dict[str, Any]

NEAR_MS = 1500.0
"""A turn in the product's record may be this far from the one that was heard, and still be it."""


def describe(call: SimulatedCall) -> Json:
    """The report of a call that has ended, as far as the caller's end knows it."""
    outcome = call.outcome
    assert outcome is not None, "the call has not ended"
    connection, line = call.connection, call.line
    report: Json = {
        "call_id": _call_id(connection.answer.callback_uri) if connection else None,
        "to": call.to.removeprefix("4:"),
        "from": call.from_.removeprefix("4:"),
        "bridge": None,
        "end_reason": None,
        "answered": outcome.answered,
        "ended_by": outcome.ended_by,
        "as_scripted": outcome.as_scripted,
        "faults": list(outcome.faults),
        "rate": line.rate if line else None,
        "media_connected_ms": None,
        "greeting_first_sample_ms": None,
        "turns": [],
    }
    if line is not None:
        offset = (line.opened_at - call.rang_at) * 1000
        report["turns"] = _turns(line, offset)
        stretches = line.playout.stretches(line.now_s)
        if line.media_at_s is not None:
            report["media_connected_ms"] = _ms(offset + line.media_at_s * 1000)
        if stretches:
            report["greeting_first_sample_ms"] = _ms(offset + stretches[0].start_s * 1000)
    report["timeline"] = call.timeline.to_json(call.rang_at)
    return report


def channels(call: SimulatedCall) -> tuple[bytes, bytes, int]:
    """What the caller said, what the caller heard, from the first ring on; and the rate."""
    line = call.line
    if line is None:
        return b"", b"", 16000
    samples = len(line.spoken) // 2
    ringing = bytes(2 * round((line.opened_at - call.rang_at) * line.rate))
    heard = mixed(line.playout.heard(0, samples), line.announcements.heard(0, samples))
    return ringing + bytes(line.spoken), ringing + heard, line.rate


def with_record(report: Json, record: Json) -> Json:
    """The report with what the product's own record of the call knows beside it.

    `record` has `bridge`, `end_reason` and `turns` (speaker, text, heard_text, started_ms and
    ended_ms from the start of the media). Words and bridge come from there, times never.
    """
    offset = report["media_connected_ms"] or 0.0
    turns = [dict(turn) for turn in report["turns"]]
    for speaker in ("agent", "caller"):
        heard = [turn for turn in turns if turn["speaker"] == speaker]
        told = [turn for turn in record["turns"] if turn["speaker"] == speaker]
        for turn in told:
            best = max(heard, key=lambda one: _overlap(one, turn, offset), default=None)
            if best is not None and _overlap(best, turn, offset) > -NEAR_MS:
                best.setdefault("told", []).append(turn)
    return {
        **report,
        "bridge": record["bridge"],
        "end_reason": record["end_reason"],
        "turns": [_worded(turn) for turn in _joined(turns, record["turns"], offset)],
    }


def _worded(turn: Json) -> Json:
    told = turn.pop("told", [])
    if turn["speaker"] == "caller":
        words = _words(told, "heard_text") or _words(told, "text")
        return {**turn, "text": turn["text"] or words, "heard_text": words}
    heard = _words(told, "heard_text") or _words(told, "text")
    return {**turn, "text": _words(told, "text"), "heard_text": heard}


def _words(told: list[Json], key: str) -> str | None:
    return " ".join(turn[key] for turn in told if turn.get(key)) or None


def _joined(turns: list[Json], told: list[Json], offset: float) -> list[Json]:
    """A pause in one of the agent's turns made two of it for the ear: they are one again."""
    joined: list[Json] = []
    for turn in turns:
        before = joined[-1] if joined else None
        if (
            before is not None
            and turn["speaker"] == before["speaker"] == "agent"
            and "told" not in turn
            and not before["interrupted"]
            and any(
                _overlap(before, one, offset) > 0 and _overlap(turn, one, offset) > 0
                for one in told
                if one["speaker"] == "agent"
            )
        ):
            before["ended_ms"] = turn["ended_ms"]
            before["interrupted"] = before["interrupted"] or turn["interrupted"]
        else:
            joined.append(turn)
    return joined


def _overlap(heard: Json, told: Json, offset: float) -> float:
    """How long the two turns are at the same time; negative: how far they are apart."""
    start = max(heard["started_ms"], told["started_ms"] + offset)
    return float(min(heard["ended_ms"], told["ended_ms"] + offset) - start)


def _turns(line: Line, offset: float) -> list[Json]:
    caller = line.caller
    turns = [
        _turn("caller", said.text, said.started_ms, said.ended_ms, offset) for said in caller.said
    ]
    for heard in caller.ear.turns:
        turn = _turn("agent", None, heard.started_ms, heard.ended_ms, offset)
        turns.append({**turn, "interrupted": heard.interrupted})
    turns.sort(key=lambda turn: turn["started_ms"])
    for before, turn in pairwise(turns):
        waited = turn["started_ms"] - before["ended_ms"]
        if (before["speaker"], turn["speaker"]) == ("caller", "agent") and waited >= 0:
            turn["reply_latency_ms"] = _ms(waited)
    return turns


def _turn(speaker: str, text: str | None, start: float, end: float, offset: float) -> Json:
    return {
        "speaker": speaker,
        "text": text,
        "heard_text": None,
        "started_ms": _ms(offset + start),
        "ended_ms": _ms(offset + end),
        "interrupted": False,
        "reply_latency_ms": None,
    }


def _call_id(callback_uri: str) -> str | None:
    """The application's own id of the call: in our callback URIs the path's last segment."""
    segments = callback_uri.partition("?")[0].split("/")
    return segments[-1] if len(segments) > 2 else None


def _ms(value: float) -> float:
    return round(value, 1)
