"""Interruptions: the agent stops, nothing of its turn comes after, and it knows what was heard."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from simulator.acs_calls import SimulatedCall
from simulator.acs_switches import AcsSwitches
from simulator.audio import placeholder
from simulator.script import (
    AfterAgent,
    AgentScript,
    CallerScript,
    DuringAgent,
    Expect,
    HangUp,
    Reply,
    Say,
    Step,
    Utterance,
)
from simulator.voice_live_response import Response
from simulator.voice_live_session import Session
from tests.calls.whole import NUMBER, SECOND_NUMBER, Whole, whole
from tests.virtual_time import run

INTERRUPTIONS = 23
"""In one call; nine such calls make 207."""
BYTES_PER_MS = 48
TOLERANCE_MS = 20.0

GREETINGS = ("Hello, you have reached Harbour Cycles.", "Harbour Cycles workshop.")
LONG = "The workshop opens at nine, the shop at ten, and on Saturdays both of them close early. "


@dataclass(frozen=True)
class Cut:
    """One interrupted turn, as ACS and the caller's ear saw it."""

    response: Response
    arrived: bytes
    """Agent audio that came between the turn before and the StopAudio that ended this one."""
    heard_ms: float


def talkative() -> AgentScript:
    replies = (Reply(Utterance(f"Answer {i}. {LONG * 3}")) for i in range(INTERRUPTIONS + 1))
    return AgentScript(tuple(replies), {text: spoken_long(text) for text in GREETINGS})


def spoken_long(text: str) -> Utterance:
    """`text`, spoken as slowly as it takes to interrupt it."""
    return Utterance(text, placeholder(f"{text} {LONG * 3}", 24_000))


def impatient(seed: int) -> CallerScript:
    """Interrupts every turn after a random while of it was heard, the greeting too."""
    chance = random.Random(seed)
    steps = [
        Step(Say(Utterance(f"No, stop, number {i}.")), DuringAgent(chance.uniform(150, 6000)))
        for i in range(INTERRUPTIONS)
    ]
    expect = Expect(ended_by="caller", interruptions=INTERRUPTIONS)
    return CallerScript((*steps, Step(HangUp(), AfterAgent(), limit_s=60)), expect)


def cuts(call: SimulatedCall, session: Session) -> Iterator[Cut]:
    """Every StopAudio, with the turn that it ended."""
    assert call.line is not None
    line = call.line
    arrivals, position = iter([*line.playout.arrivals, None]), 0
    arrival = next(arrivals)
    responses = [response for response in session.responses if response.audio]
    for (stopped_at, dropped), response in zip(line.stops, responses, strict=False):
        start = position
        while arrival is not None and arrival.at_s <= stopped_at:
            position += arrival.samples * 2
            arrival = next(arrivals)
        arrived = bytes(line.playout.received[start:position])
        yield Cut(response, arrived, (len(arrived) - 2 * dropped) / BYTES_PER_MS)


async def interrupted_call(system: Whole, seed: int, to: str) -> tuple[list[Cut], Session]:
    call = await system.call(impatient(seed), to)
    outcome = await call.ended()
    assert outcome.as_scripted, outcome.faults
    await system.settled()
    (session,) = system.world.voice_live.sessions
    found = list(cuts(call, session))
    assert len(found) == INTERRUPTIONS
    for cut in found:
        # All that came between two stops is the beginning of one turn: nothing of the turn before.
        assert cut.arrived == bytes(cut.response.audio[: len(cut.arrived)])
        assert cut.arrived
    # The service cancels by itself when it hears the caller: ours may come too late, harmlessly.
    assert {error["code"] for error in session.errors} <= {"response_cancel_not_active"}
    return found, session


def truncations(session: Session) -> list[int]:
    return [
        event["audio_end_ms"]
        for event in session.events
        if event["type"] == "conversation.item.truncate"
    ]


def replacements(session: Session) -> list[str]:
    """The words put in place of each deleted turn; "" where nothing of it was heard."""
    texts: list[str] = []
    for event in session.events:
        if event["type"] == "conversation.item.delete":
            texts.append("")
        if event["type"] == "conversation.item.create" and event["item"]["role"] == "assistant":
            texts[-1] = event["item"]["content"][0]["text"]
    return texts


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("delay_ms", [0, 60, 200])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_service_is_told_within_20_ms_what_the_caller_heard(
    tmp_path: Path, delay_ms: int, seed: int
) -> None:
    async def scenario() -> None:
        async with whole(
            tmp_path,
            scripts=[talkative()],
            acs=AcsSwitches(playout_delay_ms=delay_ms),
            worker_env={"PLAYOUT_DELAY_MS": str(delay_ms)},
        ) as system:
            found, session = await interrupted_call(system, seed, NUMBER)
            told = truncations(session)
            errors = [abs(end - cut.heard_ms) for end, cut in zip(told, found, strict=True)]
            assert max(errors) <= TOLERANCE_MS, errors

    run(scenario())


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("delay_ms", [0, 60, 200])
def test_a_text_models_turn_is_replaced_by_the_words_that_were_heard(
    tmp_path: Path, delay_ms: int
) -> None:
    async def scenario() -> None:
        async with whole(
            tmp_path,
            scripts=[talkative()],
            acs=AcsSwitches(playout_delay_ms=delay_ms),
            worker_env={"PLAYOUT_DELAY_MS": str(delay_ms)},
        ) as system:
            found, session = await interrupted_call(system, 3, SECOND_NUMBER)
            for text, cut in zip(replacements(session), found, strict=True):
                assert cut.response.item is not None
                words, kept = cut.response.item.words, len(text.split())
                assert text.split() == [word.text for word in words[:kept]]
                # To the word: the last one kept had begun, the first one dropped had not ended.
                assert not kept or words[kept - 1].start_ms <= cut.heard_ms + TOLERANCE_MS
                assert kept == len(words) or words[kept].end_ms >= cut.heard_ms - TOLERANCE_MS

    run(scenario())


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_wrong_delay_setting_shows_as_just_that_error(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with whole(
            tmp_path, scripts=[talkative()], acs=AcsSwitches(playout_delay_ms=200)
        ) as system:
            found, session = await interrupted_call(system, 4, NUMBER)
            told = truncations(session)
            errors = [end - cut.heard_ms for end, cut in zip(told, found, strict=True)]
            assert min(errors) >= 200 - TOLERANCE_MS
            assert max(errors) <= 200 + TOLERANCE_MS

    run(scenario())
