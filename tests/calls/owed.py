"""How long a caller had to listen to nothing while something was owed, by the caller's own ear.

Something is owed from the moment the media began (the greeting), and from the end of each of the
caller's turns, less the silence by which a detector knows that it was the end (an answer).
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable, Sequence

import pytest
from _pytest.mark import ParameterSet

from simulator.acs_calls import SimulatedCall
from simulator.line import Line
from simulator.speech_service_turn import SpokenUtterance
from tests.calls.heard import letters, played

DETECTOR_MS = 500.0
"""`silence_duration_ms` of the Realtime API reference."""
ACTED_ON_S = 2.0
"""After its last words the other side hangs up: what the caller says meanwhile is not answered."""
FIRST_S = 3.0
"""The caller hears something by then: an answer, another voice, a phrase, an apology."""
AGAIN_S = 6.0
"""After a phrase that is no answer, the next sound: the apology, at the latest."""


def cases(faults: Iterable[str], turns: Sequence[str] = ("first", "later")) -> list[ParameterSet]:
    """Each fault at each turn."""
    return [pytest.param(fault, turn, id=f"{fault}-{turn}") for fault in faults for turn in turns]


def waits_s(call: SimulatedCall, *, greeted: bool = True) -> list[float]:
    """For the greeting and for each of the caller's turns: how long until something was heard.
    Infinite where the other side hung up instead."""
    line = _line(call)
    debts = [turn.ended_ms + DETECTOR_MS for turn in line.caller.said]
    if greeted:
        assert line.media_at_s is not None
        debts.insert(0, line.media_at_s * 1000)
    return [_wait_ms(call, debt) / 1000 for debt in debts]


def _wait_ms(call: SimulatedCall, since_ms: float) -> float:
    caller = _line(call).caller
    for turn in caller.ear.turns:
        if turn.ended_ms >= since_ms:
            return max(0.0, turn.started_ms - since_ms)
    spoke = [said.started_ms for said in caller.said if said.started_ms > since_ms]
    if spoke:  # the caller took the floor: from there another debt counts
        return spoke[0] - since_ms
    ended = call.timeline.first("ended")
    assert ended is not None
    if ended.detail["by"] == "caller":
        return max(0.0, _ms(call, ended.at) - since_ms)
    last_ms = caller.ear.last_sound_ms
    said_goodbye = last_ms is not None and _ms(call, ended.at) - last_ms <= ACTED_ON_S * 1000
    return 0.0 if said_goodbye else math.inf


def gaps_s(call: SimulatedCall, since_ms: float) -> list[float]:
    """The silences from the first sound after `since_ms` to the end of the call, while the caller
    says nothing more."""
    turns = [turn for turn in _line(call).caller.ear.turns if turn.ended_ms >= since_ms]
    ended = call.timeline.first("ended")
    assert ended is not None
    if not turns:
        return []
    ends = [turn.ended_ms for turn in turns]
    begins = [turn.started_ms for turn in turns[1:]] + [_ms(call, ended.at)]
    return [(begin - end) / 1000 for end, begin in zip(ends, begins, strict=True)]


def words_heard(
    call: SimulatedCall, utterances: Iterable[SpokenUtterance], since_ms: float = 0.0
) -> str:
    """What the voices began to say since then, as far as it was heard, and all that ACS said by
    itself. As `letters`."""
    heard = [
        word
        for part in played(call, utterances)
        if part.began_s * 1000 >= since_ms
        for word in part.words()
    ]
    announced = [str(entry.detail["text"]) for entry in call.timeline.all("announcement")]
    return letters(" ".join([*heard, *announced]))


def last_debt_ms(call: SimulatedCall) -> float:
    """When the caller's last turn asked for an answer; the beginning, if there was none."""
    said = _line(call).caller.said
    return said[-1].ended_ms + DETECTOR_MS if said else 0.0


def voices_at_once_s(call: SimulatedCall) -> float:
    """How long the agent's voice and an announcement of ACS's own were heard at once."""
    line = _line(call)
    both = 0.0
    for agent in line.playout.stretches(line.now_s):
        for other in line.announcements.stretches(line.now_s):
            both += max(0.0, min(agent.end_s, other.end_s) - max(agent.start_s, other.start_s))
    return both


async def when_said(call: SimulatedCall, turns: int, act: Callable[[], Awaitable[None]]) -> None:
    """Does `act` when the caller begins to say that many turns, or the call ends before."""
    while call.timeline.first("ended") is None:
        if call.line is not None and len(call.line.caller.said) >= turns:
            await act()
            return
        await asyncio.sleep(0.02)


def _line(call: SimulatedCall) -> Line:
    assert call.line is not None, "the call was answered"
    return call.line


def _ms(call: SimulatedCall, at: float) -> float:
    return (at - _line(call).opened_at) * 1000
