"""When Azure Speech fails, at the first turn or later: the caller hears another voice, or the
apology, and is never left in silence."""

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from simulator.acs_calls import SimulatedCall
from simulator.realtime_switches import RealtimeSwitches
from simulator.script import (
    AfterAgent,
    AgentScript,
    CallerScript,
    Expect,
    HangUp,
    Reply,
    Say,
    Stay,
    Step,
    Utterance,
)
from simulator.speech_service import Speech
from simulator.speech_service_switches import SpeechSwitches
from switchboard.agents import VoiceLiveAgent
from switchboard.end_reason import EndReason
from switchboard.record import Ended
from tests.calls.heard import letters
from tests.calls.owed import (
    FIRST_S,
    cases,
    gaps_s,
    last_debt_ms,
    voices_at_once_s,
    waits_s,
    when_said,
    words_heard,
)
from tests.calls.whole import Whole, whole
from tests.virtual_time import run

VOICE, FALLBACK = "en-US-AvaMultilingualNeural", "en-US-GuyNeural"
AGENT = f"""
default_agent = "brand"

[agents.brand]
bridge = "realtime_speech"
voice = "{VOICE}"
greeting = "Hello, you have reached Harbour Cycles. How can I help you?"
instructions = "You answer the phone."
"""
WITH_FALLBACK = f'{AGENT}fallback_voice = "{FALLBACK}"\n'
GREETING = "Hello, you have reached Harbour Cycles. How can I help you?"
FIRST = "We open at nine on weekdays."
SECOND = "On Saturdays, the shop opens at ten, and the workshop at eleven."
ANSWERS = AgentScript(
    (Reply(Utterance(FIRST), delay_ms=0), Reply(Utterance(SECOND), delay_ms=0)), {}
)
PATIENTLY = AfterAgent(2900)
"""Not before a pause that is too long for a conversation."""
ASKS = (
    Step(Say(Utterance("When are you open?")), PATIENTLY, limit_s=60),
    Step(Say(Utterance("And on Saturdays?")), PATIENTLY, limit_s=60),
)
STAY = Step(Stay(), PATIENTLY, limit_s=60)
ASKS_ONCE = CallerScript((ASKS[0], Step(HangUp(), PATIENTLY, limit_s=90)), Expect())
GOES_ON = CallerScript((*ASKS, Step(HangUp(), PATIENTLY, limit_s=60)), Expect())
STAYS = {
    "first": CallerScript((STAY,), Expect(greeted=False)),
    "later": CallerScript((*ASKS, STAY), Expect()),
}

REFUSED = (401, 429, 503)
Fault = Callable[[SpeechSwitches], None]


def closes_before(code: int) -> Fault:
    def fault(switches: SpeechSwitches) -> None:
        switches.close_before_audio = code

    return fault


def closes_within(code: int) -> Fault:
    def fault(switches: SpeechSwitches) -> None:
        switches.close_after_ms, switches.close_code = 300, code

    return fault


def no_first_chunk(switches: SpeechSwitches) -> None:
    switches.no_audio = True


def stalls(switches: SpeechSwitches) -> None:
    switches.stall_after_ms = 300


def never_ends(switches: SpeechSwitches) -> None:
    switches.endless = "audio"


def has_no_end(switches: SpeechSwitches) -> None:
    switches.endless = "silent"


FAULTS = {
    **{f"{code} before audio": closes_before(code) for code in (1000, 1007, 1011)},
    **{f"{code} within audio": closes_within(code) for code in (1000, 1007, 1011)},
    "no first chunk": no_first_chunk,
    "stalls": stalls,
}
ENDLESS = {"endless audio": never_ends, "no end": has_no_end}


def answering(tmp_path: Path) -> AbstractAsyncContextManager[Whole]:
    """Everything; the voice is as fast as can be, which spares the tests a wait for each tenth of
    a second of sound."""
    speech = SpeechSwitches(speed=math.inf)
    return whole(tmp_path, agents_toml=WITH_FALLBACK, scripts=[ANSWERS], speech=speech)


async def reason(system: Whole) -> EndReason:
    await system.settled()
    (record,) = system.records()
    assert isinstance(record.state, Ended)
    return record.state.reason


def check_apology(system: Whole, call: SimulatedCall, ended_by: str) -> None:
    """No voice is left: the caller is told so before the call ends."""
    assert max(waits_s(call)) <= FIRST_S, waits_s(call)
    assert max(gaps_s(call, last_debt_ms(call))) <= FIRST_S, gaps_s(call, last_debt_ms(call))
    assert voices_at_once_s(call) == 0.0
    assert letters(VoiceLiveAgent.apology) in words_heard(call, system.world.speech.utterances)
    assert ended_by == "agent"


AGAIN = 40
"""Letters that may be heard beside the answers: a waiting phrase, a word that is said again."""


def check_answers(system: Whole, call: SimulatedCall, answers: Sequence[str]) -> None:
    """The caller heard all of it, in whatever voice, and nothing was long in coming."""
    assert max(waits_s(call)) <= FIRST_S, waits_s(call)
    heard = words_heard(call, system.world.speech.utterances)
    at = 0
    for word in " ".join(answers).split():
        at = heard.find(letters(word), at)
        assert at >= 0, (word, heard)
        at += len(letters(word))
    if GREETING in answers:
        assert len(heard) <= len(letters("".join(answers))) + AGAIN, heard


async def fail(speech: Speech, fault: Fault, only: Sequence[str] = ()) -> None:
    speech.switches.only_voices = tuple(only)
    fault(speech.switches)


@pytest.mark.parametrize(("fault", "turn"), cases(FAULTS))
def test_when_one_voice_fails_another_says_the_rest(fault: str, turn: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with answering(tmp_path) as system:
            speech = system.world.speech

            async def breaks() -> None:
                await fail(speech, FAULTS[fault], [VOICE])

            if turn == "first":
                await breaks()
            call = await system.call(GOES_ON)
            if turn == "later":
                await when_said(call, 2, breaks)
            outcome = await call.ended()
            assert outcome.as_scripted, outcome.faults
            check_answers(system, call, [GREETING, FIRST, SECOND])
            assert await reason(system) is EndReason.CALLER_HUNG_UP

    run(scenario())


@pytest.mark.parametrize(("fault", "turn"), cases(FAULTS))
def test_when_every_voice_fails_the_caller_hears_the_apology(
    fault: str, turn: str, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with answering(tmp_path) as system:
            speech = system.world.speech

            async def breaks() -> None:
                await fail(speech, FAULTS[fault])

            if turn == "first":
                await breaks()
            call = await system.call(STAYS[turn])
            if turn == "later":
                await when_said(call, 2, breaks)
            check_apology(system, call, (await call.ended()).ended_by)
            assert await reason(system) is EndReason.BRIDGE_FAILED

    run(scenario())


@pytest.mark.parametrize("turn", ["first", "later"])
@pytest.mark.parametrize("status", [*REFUSED, None], ids=str)
def test_when_speech_cannot_be_reached_the_caller_hears_the_apology(
    status: int | None, turn: str, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with answering(tmp_path) as system:
            speech = system.world.speech

            async def breaks() -> None:
                if status is None:
                    await speech.go_down()
                else:
                    speech.switches.refuse_status = status
                    await speech.hang_up(1011)

            if turn == "first":
                await breaks()
            call = await system.call(STAYS[turn])
            if turn == "later":
                await when_said(call, 2, breaks)
            check_apology(system, call, (await call.ended()).ended_by)
            assert await reason(system) is EndReason.BRIDGE_FAILED

    run(scenario())


@pytest.mark.long
@pytest.mark.timeout(60)
@pytest.mark.parametrize(("fault", "turn"), cases(ENDLESS))
def test_a_voice_that_finds_no_end_does_not_hold_the_call_up(
    fault: str, turn: str, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with answering(tmp_path) as system:
            speech = system.world.speech

            async def breaks() -> None:
                await fail(speech, ENDLESS[fault], [VOICE])
                speech.switches.abandoned = "cancelled"  # else it would go on for ten minutes

            if turn == "first":
                await breaks()
            call = await system.call(GOES_ON)
            if turn == "later":
                await when_said(call, 2, breaks)
            outcome = await call.ended()
            assert outcome.as_scripted, outcome.faults
            check_answers(system, call, [FIRST, SECOND])
            assert await reason(system) is EndReason.CALLER_HUNG_UP

    run(scenario())


@pytest.mark.parametrize("speed", [1.2, 2.0])
@pytest.mark.parametrize("delta_s", [0.015, 0.3], ids=["quick model", "slow model"])
def test_an_answer_that_is_heard_while_it_is_made_is_heard_to_its_end(
    delta_s: float, speed: float, tmp_path: Path
) -> None:
    """However long it takes to make: nobody is waiting while the agent speaks."""

    async def scenario() -> None:
        long = f"{FIRST} {SECOND} " * 4
        async with whole(
            tmp_path,
            agents_toml=WITH_FALLBACK,
            scripts=[AgentScript((Reply(Utterance(long.strip()), delay_ms=1500),), {})],
            realtime=RealtimeSwitches(delta_s=delta_s),
            speech=SpeechSwitches(speed=speed),
        ) as system:
            call = await system.call(ASKS_ONCE)
            outcome = await call.ended()
            assert outcome.as_scripted, outcome.faults
            check_answers(system, call, [long])
            assert await reason(system) is EndReason.CALLER_HUNG_UP

    run(scenario())
