"""When Azure OpenAI Realtime fails, at the first turn or later: the caller hears a phrase, an
apology or an answer all the same, and is never left in silence."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from simulator.acs_calls import SimulatedCall
from simulator.audio import spoken_ms
from simulator.realtime import Realtime
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
from simulator.speech_service_switches import SpeechSwitches
from switchboard.agents import VoiceLiveAgent
from switchboard.end_reason import EndReason
from switchboard.record import Ended
from tests.calls.heard import letters
from tests.calls.owed import (
    AGAIN_S,
    DETECTOR_MS,
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

AGENT = """
default_agent = "brand"

[agents.brand]
bridge = "realtime_speech"
voice = "en-US-AvaMultilingualNeural"
greeting = "Hello, you have reached Harbour Cycles. How can I help you?"
instructions = "You answer the phone."
"""
ANSWERS = ("We open at nine.", "On Saturdays we open at ten.", "We close at six.", "Goodbye then.")
SCRIPT = AgentScript(tuple(Reply(Utterance(text), delay_ms=0) for text in ANSWERS), {})
PATIENTLY = AfterAgent(2900)
"""Not before a pause that is too long for a conversation."""
TURNS = {"first": 1, "later": 2}
"""Which of the caller's questions something goes wrong with."""
QUESTIONS = ("When are you open?", "And on Saturdays?", "And when do you close?")
SOON = AfterAgent(400)
STAY = Step(Stay(), SOON, limit_s=90)


def asks(questions: int, when: AfterAgent) -> tuple[Step, ...]:
    return tuple(Step(Say(Utterance(text)), when, limit_s=90) for text in QUESTIONS[:questions])


def stays(questions: int) -> CallerScript:
    return CallerScript((*asks(questions, SOON), STAY), Expect(greeted=False))


def goes_on(questions: int) -> CallerScript:
    end = Step(HangUp(), AfterAgent(AGAIN_S * 1000 + 500), limit_s=90)
    return CallerScript((*asks(questions, PATIENTLY), end), Expect(ended_by="caller"))


def answering(
    tmp_path: Path, realtime: RealtimeSwitches | None = None
) -> AbstractAsyncContextManager[Whole]:
    """Everything; the voice is as fast as can be, which spares the tests a wait for each tenth of
    a second of sound."""
    speech = SpeechSwitches(speed=math.inf)
    return whole(tmp_path, agents_toml=AGENT, scripts=[SCRIPT], realtime=realtime, speech=speech)


async def reason(system: Whole) -> EndReason:
    await system.settled()
    (record,) = system.records()
    assert isinstance(record.state, Ended)
    return record.state.reason


def check_apology(system: Whole, call: SimulatedCall, ended_by: str) -> None:
    """Whatever the caller hears first, the apology follows soon, and then the call ends."""
    assert max(waits_s(call)) <= FIRST_S, waits_s(call)
    gaps = gaps_s(call, last_debt_ms(call))
    assert max(gaps, default=0.0) <= AGAIN_S, gaps
    assert voices_at_once_s(call) == 0.0
    assert letters(VoiceLiveAgent.apology) in words_heard(call, system.world.speech.utterances)
    assert ended_by == "agent"


Fault = Callable[[Realtime], Awaitable[None]]


def switched(**values: object) -> Fault:
    """Sets switches, and has whoever is connected connect anew."""

    async def fault(realtime: Realtime) -> None:
        for name, value in values.items():
            setattr(realtime.switches, name, value)
        await hang_up(realtime)

    return fault


async def hang_up(realtime: Realtime) -> None:
    for session in realtime.sessions:
        if session.close_code is None:
            await session.close(1011)


async def go_down(realtime: Realtime) -> None:
    await realtime.go_down()


NEVER_S = 1e6
UNREACHABLE = {
    **{str(status): switched(refuse_status=status) for status in (401, 404, 429, 503)},
    "connection refused": go_down,
    "handshake hangs": switched(handshake_s=NEVER_S),
    "session never opens": switched(open_delay_s=NEVER_S),
    "session is mute": switched(silent=True),
    "session refused": switched(refuse_settings="invalid_value"),
}


@pytest.mark.parametrize(("fault", "turn"), cases(UNREACHABLE))
def test_a_caller_whose_agent_cannot_be_reached_hears_the_apology_soon(
    fault: str, turn: str, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with answering(tmp_path) as system:
            realtime = system.world.realtime

            async def breaks() -> None:
                await UNREACHABLE[fault](realtime)

            if turn == "first":
                await breaks()
            call = await system.call(stays(TURNS[turn]))
            if turn == "later":
                await when_said(call, 2, breaks)
            check_apology(system, call, (await call.ended()).ended_by)
            assert await reason(system) is EndReason.BRIDGE_FAILED

    run(scenario())


ONE_ANSWER_MS = 70.0
"""From the detector's silence: an answer has failed by then, and no second one."""
UNANSWERED: dict[str, dict[str, object]] = {
    "closes within answers": {"close_after_deltas": 3},
    "answers fail": {"fail_after_deltas": 0},
    "answers fail half way": {"fail_after_deltas": 3},
    "over quota": {"fail_after_deltas": 0, "fail_code": "rate_limit_exceeded"},
    "answers stall": {"stall_after_deltas": 0},
    "answers stall half way": {"stall_after_deltas": 3},
    "no answer": {"respond": "no"},
    "an error and no answer": {"respond": "server_error"},
}


@pytest.mark.parametrize(("fault", "turn"), cases(UNANSWERED))
def test_a_caller_whose_agent_never_answers_hears_a_phrase_and_then_the_apology(
    fault: str, turn: str, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with answering(tmp_path) as system:
            switches = system.world.realtime.switches

            async def breaks() -> None:
                for name, value in UNANSWERED[fault].items():
                    setattr(switches, name, value)

            call = await system.call(stays(TURNS[turn]))
            await when_said(call, TURNS[turn], breaks)
            check_apology(system, call, (await call.ended()).ended_by)
            assert await reason(system) is EndReason.BRIDGE_FAILED

    run(scenario())


ONCE = ("closes within answers", "answers fail", "answers stall", "no answer")


@pytest.mark.parametrize(("fault", "turn"), cases(ONCE, ("later",)))
def test_a_caller_whose_agent_misses_one_answer_gets_one_all_the_same(
    fault: str, turn: str, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with answering(tmp_path) as system:
            switches, usual = system.world.realtime.switches, RealtimeSwitches()
            call = await system.call(goes_on(TURNS[turn]))

            async def breaks() -> None:
                assert call.line is not None
                said, values = call.line.caller.said[TURNS[turn] - 1], UNANSWERED[fault]
                for name, value in values.items():
                    setattr(switches, name, value)
                while call.line.now_s * 1000 < said.ended_ms + DETECTOR_MS + ONE_ANSWER_MS:
                    await asyncio.sleep(0.01)
                for name in values:
                    setattr(switches, name, getattr(usual, name))

            await when_said(call, TURNS[turn], breaks)
            outcome = await call.ended()
            assert outcome.as_scripted, outcome.faults
            assert max(waits_s(call)) <= FIRST_S, waits_s(call)
            gaps = gaps_s(call, last_debt_ms(call))
            assert max(gaps[:-1], default=0.0) <= AGAIN_S, gaps
            heard = words_heard(call, system.world.speech.utterances, last_debt_ms(call))
            assert any(letters(answer) in heard for answer in ANSWERS), heard
            assert await reason(system) is EndReason.CALLER_HUNG_UP

    run(scenario())


def test_a_session_whose_time_is_up_is_renewed_in_a_pause_and_nobody_notices(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        switches = RealtimeSwitches(session_s=140)
        async with answering(tmp_path, realtime=switches) as system:
            call = await system.call(goes_on(3))
            outcome = await call.ended()
            assert outcome.as_scripted, outcome.faults
            assert max(waits_s(call)) <= FIRST_S, waits_s(call)
            assert len(system.world.realtime.sessions) == 2
            assert await reason(system) is EndReason.CALLER_HUNG_UP

    run(scenario())


@pytest.mark.parametrize("moment_ms", [-300.0, 200.0, 600.0, 1500.0])
def test_a_session_that_expires_at_any_moment_leaves_no_silence(
    moment_ms: float, tmp_path: Path
) -> None:
    """From the caller's last word: before it, before the service noticed that it was the last, in
    the answer, and behind it."""

    async def scenario() -> None:
        async with answering(tmp_path) as system:
            call = await system.call(goes_on(2))

            async def expires() -> None:
                assert call.line is not None
                said = call.line.caller.said[0]
                length_ms = spoken_ms(said.text)
                due_ms = said.started_ms + length_ms + moment_ms
                await asyncio.sleep(due_ms / 1000 - call.line.now_s)
                await system.world.realtime.sessions[0].expire()

            await when_said(call, 1, expires)
            outcome = await call.ended()
            assert outcome.as_scripted, outcome.faults
            assert max(waits_s(call)) <= FIRST_S, waits_s(call)
            assert await reason(system) is EndReason.CALLER_HUNG_UP

    run(scenario())
