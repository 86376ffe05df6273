"""Interruptions on the second bridge, hundreds of them at random moments: the model's memory and
the record hold the words that the caller heard, to the word, and each in its place."""

import math
import random
from collections.abc import Iterable
from pathlib import Path

import pytest

from simulator.acs_switches import AcsSwitches
from simulator.realtime_session import Session
from simulator.realtime_switches import RealtimeSwitches
from simulator.speech_service_switches import SpeechSwitches
from simulator.speech_service_turn import SpokenUtterance
from switchboard.record import CallRecord, Ended
from tests.calls.heard import Told, letters, played, sort_into
from tests.calls.random_talk import Talk, talk
from tests.calls.whole import whole
from tests.virtual_time import run

AT_LENGTH = (0, 2, 6, 12, 20)
BRIEF = (0, 1, 2)
"""Of a model so slow that longer answers would be given up."""
INTERRUPTIONS = 25
"""In one call; eight such calls make 200."""

AGENT = """
default_agent = "brand"

[agents.brand]
bridge = "realtime_speech"
greeting = '''{greeting}'''
instructions = "You answer the phone."
waiting = []
voice = {voice}
barge_in = {{ sensor = "{sensor}" }}
"""
STREAM = '"en-US-AvaMultilingualNeural"'
CLAUSES = '{ name = "en-US-AvaMultilingualNeural", style = "cheerful" }'


def found(turn: Told) -> set[str]:
    """What may be remembered of a turn. The call counts whole milliseconds, so a word whose middle
    is within one of the cut may count or not."""
    return {turn.heard(), turn.heard(1.0), turn.heard(-1.0)}


def check_memory(session: Session, talk: Talk) -> None:
    """The conversation as the model has it: the caller's words and the agent's, in turn."""
    items = [item for item in session.conversation.report() if item["kind"] != "system"]
    for number, turn in enumerate(talk.turns):
        ours = items and items[0]["kind"] == "assistant"
        remembered = items.pop(0)["text"] if ours else ""
        if not turn.whole:
            assert letters(remembered) in found(turn), (number, turn)
        else:
            assert remembered.strip() == turn.written or letters(remembered) == turn.heard()
        if number < len(talk.said):
            said = items.pop(0)
            assert (said["kind"], said["text"]) == ("user", talk.said[number]), number
    assert not items


def check_record(record: CallRecord, talk: Talk) -> None:
    """The transcript: a turn for all that was heard, marked where it was cut."""
    turns = [turn for turn in record.turns if turn.speaker == "agent"]
    expected = [turn for turn in talk.turns if any(part.arrived for part in turn.played)]
    assert len(turns) == len(expected)
    for kept, turn in zip(turns, expected, strict=True):
        heard = kept.text if kept.heard_text is None else kept.heard_text
        assert letters(heard or "") in found(turn), turn
        assert kept.interrupted or turn.whole, turn


def check_sound(talk: Talk, utterances: Iterable[SpokenUtterance]) -> None:
    """Of a turn that was stopped nothing is sent any more, and its words are in no later one."""
    for utterance in utterances:
        assert any(letters(utterance.text) in letters(turn.spoken) for turn in talk.turns)
    for turn in talk.turns:
        for part in turn.played:
            assert part.stops_within == 0, part.spoken.text
        assert len({part.stops_before for part in turn.played}) <= 1, turn.written


@pytest.mark.long
@pytest.mark.timeout(120)
@pytest.mark.parametrize("latency_s", [0.0, 1.2], ids=["in time", "late"])
@pytest.mark.parametrize("slow", [False, True], ids=["at once", "with pauses"])
@pytest.mark.parametrize("voice", [STREAM, CLAUSES], ids=["stream", "clauses"])
def test_whenever_the_caller_interrupts_the_agent_knows_to_the_word_what_was_heard(
    voice: str, slow: bool, latency_s: float, tmp_path: Path
) -> None:
    """Late: the service has the caller's words, and begins to answer, before its word of the
    interruption comes. Then memory must be mended in the middle."""
    chance = random.Random(f"{voice} {slow} {latency_s}")
    lead_ms = 0.0 if latency_s else 200.0
    plan = talk(
        chance,
        INTERRUPTIONS,
        loose=slow or latency_s > 0,
        lead_ms=lead_ms,
        words=BRIEF if slow else AT_LENGTH,
    )
    delay_ms = 120 if slow else 0
    sensor = "both" if slow else "service"
    agents = AGENT.format(greeting=plan.greeting, voice=voice, sensor=sensor)

    async def scenario() -> None:
        async with whole(
            tmp_path,
            agents_toml=agents,
            scripts=[plan.agent],
            acs=AcsSwitches(playout_delay_ms=delay_ms),
            worker_env={"PLAYOUT_DELAY_MS": str(delay_ms)},
            realtime=RealtimeSwitches(
                delta_s=0.3 if slow else 0.015, delta_characters=5, latency_s=latency_s
            ),
            speech=SpeechSwitches(
                speed=math.inf if latency_s else 20.0, chunk_ms=200, first_byte_s=lead_ms / 1000
            ),
        ) as system:
            call = await system.call(plan.caller)
            outcome = await call.ended()
            assert outcome.as_scripted, outcome.faults
            await system.settled()
            sort_into(plan.turns, played(call, system.world.speech.utterances))
            check_sound(plan, system.world.speech.utterances)
            (session,) = system.world.realtime.sessions
            check_memory(session, plan)
            # The service cancels by itself when it hears the caller: ours may come too late.
            assert {error["code"] for error in session.errors} <= {"response_cancel_not_active"}
            (record,) = system.records()
            assert isinstance(record.state, Ended)
            check_record(record, plan)

    run(scenario())
