"""The talk as the caller and the agent notice it, in calls between scripted ends."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from media_worker.bridges import (
    AgentSaid,
    AgentTurnEnded,
    AgentTurnStarted,
    CallerSaid,
    SpeechStarted,
    SpeechStopped,
    ToolCall,
)
from media_worker.leg import CallOutcome, Ended
from media_worker.limits import TURN_AHEAD_S
from switchboard.agents import Agent, Silence, VoiceLiveAgent
from switchboard.end_reason import EndReason
from tests.media_worker.scripted import QUIET, Stage, audio, turn
from tests.virtual_time import run

Script = Callable[[Stage], Awaitable[None]]


def played(script: Script, agent: Agent = QUIET) -> tuple[Stage, CallOutcome, float]:
    """The call after its end, and when it ended. The caller's frames flow all the while; the
    caller hangs up when the script is over, unless the call has ended by then."""

    async def scenario() -> tuple[Stage, CallOutcome, float]:
        stage = Stage(agent=agent)
        async with stage.running() as call, asyncio.TaskGroup() as tasks:
            talking = tasks.create_task(stage.leg.talk(100_000.0))
            await asyncio.sleep(0.1)
            await script(stage)
            stage.leg.put(None)
            outcome = await call
            talking.cancel()
        return stage, outcome, asyncio.get_running_loop().time()

    return run(scenario())


def ended(script: Script, agent: Agent = QUIET) -> tuple[Stage, CallOutcome, float]:
    """As `played`, for a call that ends before its script does."""

    async def scenario() -> tuple[Stage, CallOutcome, float]:
        stage = Stage(agent=agent)
        async with stage.running() as call, asyncio.TaskGroup() as tasks:

            async def acting() -> None:
                await asyncio.sleep(0.1)
                await script(stage)

            others = [
                tasks.create_task(stage.leg.talk(100_000.0)),
                tasks.create_task(acting()),
            ]
            outcome = await call
            ended_at = asyncio.get_running_loop().time()
            for task in others:
                task.cancel()
        return stage, outcome, ended_at

    return run(scenario())


def test_the_talk_is_recorded_with_its_words_and_latencies() -> None:
    async def script(stage: Stage) -> None:
        stage.bridge.emit(
            SpeechStarted("u1", 200.0),
            SpeechStopped("u1", 0.0),
        )
        await asyncio.sleep(0.8)
        stage.bridge.emit(
            AgentTurnStarted("r1"),
            AgentSaid("r1", "We are open "),
            audio("r1", 4.0),
            CallerSaid("u1", "When are you open?"),
            AgentSaid("r1", "until five o'clock."),
            AgentTurnEnded("r1", "completed", {"total_tokens": 7}),
        )
        await asyncio.sleep(2.0)
        stage.bridge.emit(SpeechStarted("u2", 0.0))
        await asyncio.sleep(1.0)

    stage, outcome, _ = played(script)
    question, answer, interruption = outcome.turns
    assert question.text == "When are you open?"
    assert answer.reply_latency_ms == pytest.approx(800.0)
    assert answer.interrupted
    assert answer.heard_text == "We are open"
    assert answer.ended_ms == pytest.approx(interruption.started_ms)
    assert stage.bridge.asked[0] == ("interrupt", "r1", 2000)
    assert outcome.usage == {"total_tokens": 7}


def test_a_caller_who_speaks_before_the_answers_first_sample_forestalls_it() -> None:
    async def script(stage: Stage) -> None:
        stage.bridge.emit(AgentTurnStarted("r1"), SpeechStarted("u", 0.0), audio("r1", 1.0))
        await asyncio.sleep(1.0)

    stage, outcome, _ = played(script)
    assert stage.leg.sent == []  # nothing was playing: there is nothing to stop
    assert stage.bridge.asked == [("interrupt", "r1", 0)]
    assert [record.speaker for record in outcome.turns] == ["caller"]


def test_a_turn_heard_to_its_end_is_not_interrupted_by_the_next_word() -> None:
    async def script(stage: Stage) -> None:
        stage.bridge.emit(*turn("r1", 1.0))
        await asyncio.sleep(1.1)
        stage.bridge.emit(SpeechStarted("u", 0.0))
        await asyncio.sleep(1.0)

    stage, outcome, _ = played(script)
    assert stage.leg.kinds() == ["AudioData"]
    assert stage.bridge.asked == []
    assert not outcome.turns[0].interrupted


def test_an_endless_turn_is_cut_off_a_minute_ahead() -> None:
    async def script(stage: Stage) -> None:
        for _ in range(80):
            stage.bridge.emit(audio("r1", 1.0))
        await asyncio.sleep(5.0)
        stage.bridge.emit(*turn("r2", 1.0))
        await asyncio.sleep(0.1)

    stage, _, _ = played(script)
    sent = [m["AudioData"]["Data"] for _, m in stage.leg.sent]
    assert stage.bridge.asked[0] == ("cancel", "r1")
    assert len(sent) == TURN_AHEAD_S + 1 + 1


def test_end_call_hangs_up_when_the_farewell_was_heard() -> None:
    async def script(stage: Stage) -> None:
        stage.bridge.emit(AgentTurnStarted("r1"), audio("r1", 5.0))
        stage.bridge.emit(ToolCall("r1", "c1", "end_call", "{}"))
        stage.bridge.emit(AgentTurnEnded("r1", "completed", {}))
        await asyncio.sleep(60.0)

    stage, outcome, ended_at = ended(script)
    assert outcome.ending == Ended(EndReason.AGENT_ENDED)
    assert stage.owner.did == ["hang_up"]
    assert stage.bridge.asked == [("answer", "c1", False)]
    assert 5.1 <= ended_at <= 5.2
    assert not outcome.turns[-1].interrupted


def test_end_call_without_a_farewell_lets_the_agent_say_one() -> None:
    async def script(stage: Stage) -> None:
        stage.bridge.emit(AgentTurnStarted("r1"), ToolCall("r1", "c1", "end_call", "{}"))
        stage.bridge.emit(AgentTurnEnded("r1", "completed", {}))
        await asyncio.sleep(1.0)
        stage.bridge.emit(AgentTurnStarted("r2"), audio("r2", 2.0))
        stage.bridge.emit(ToolCall("r2", "c2", "end_call", "{}"))
        stage.bridge.emit(AgentTurnEnded("r2", "completed", {}))
        await asyncio.sleep(60.0)

    stage, outcome, ended_at = ended(script)
    assert outcome.ending == Ended(EndReason.AGENT_ENDED)
    assert stage.bridge.asked == [("answer", "c1", True), ("answer", "c2", False)]
    assert 3.1 <= ended_at <= 3.2


def test_a_caller_who_speaks_into_the_farewell_keeps_the_call() -> None:
    async def script(stage: Stage) -> None:
        stage.bridge.emit(AgentTurnStarted("r1"), audio("r1", 5.0))
        stage.bridge.emit(ToolCall("r1", "c1", "end_call", "{}"))
        stage.bridge.emit(AgentTurnEnded("r1", "completed", {}))
        await asyncio.sleep(1.0)
        stage.bridge.emit(SpeechStarted("u", 0.0), SpeechStopped("u", 0.0))
        await asyncio.sleep(60.0)

    _, outcome, _ = played(script)
    assert outcome.ending == Ended(EndReason.CALLER_HUNG_UP)


def test_a_farewell_that_was_interrupted_before_its_end_does_not_end_the_call() -> None:
    async def script(stage: Stage) -> None:
        stage.bridge.emit(AgentTurnStarted("r1"), audio("r1", 5.0))
        stage.bridge.emit(ToolCall("r1", "c1", "end_call", "{}"))
        await asyncio.sleep(1.0)
        stage.bridge.emit(SpeechStarted("u", 0.0), SpeechStopped("u", 0.0))
        stage.bridge.emit(AgentTurnEnded("r1", "cancelled", {}))
        await asyncio.sleep(60.0)

    stage, outcome, _ = played(script)
    assert stage.bridge.asked == [("interrupt", "r1", 1000), ("answer", "c1", False)]
    assert outcome.ending == Ended(EndReason.CALLER_HUNG_UP)


def test_an_unknown_tool_does_not_leave_the_agent_waiting() -> None:
    async def script(stage: Stage) -> None:
        stage.bridge.emit(AgentTurnStarted("r1"), ToolCall("r1", "c1", "look_up", "{}"))
        stage.bridge.emit(AgentTurnEnded("r1", "completed", {}))
        await asyncio.sleep(1.0)

    stage, _, _ = played(script)
    assert stage.bridge.asked == [("answer", "c1", True)]


def test_a_silent_caller_is_prompted_then_told_goodbye() -> None:
    agent = VoiceLiveAgent(
        name="a",
        model="m",
        silence=Silence(prompt_after_s=8.0, prompts=("Hello?",), goodbye="Bye."),
    )

    async def script(stage: Stage) -> None:
        said = 0
        while True:
            await asyncio.sleep(0.2)
            if len(stage.bridge.asked) > said:
                said += 1
                stage.bridge.emit(*turn(f"r{said}", 2.0))

    stage, outcome, ended_at = ended(script, agent)
    assert stage.bridge.asked == [("say", "Hello?"), ("say", "Bye.")]
    assert outcome.ending == Ended(EndReason.CALLER_SILENT)
    assert 20.0 <= ended_at <= 21.0  # twice eight seconds and two of speech
    assert stage.owner.did == ["hang_up"]


def test_a_caller_who_speaks_is_not_prompted() -> None:
    agent = VoiceLiveAgent(name="a", model="m", silence=Silence(prompt_after_s=3.0))

    async def script(stage: Stage) -> None:
        stage.bridge.emit(SpeechStarted("u", 0.0))
        await asyncio.sleep(20.0)

    stage, _, _ = played(script, agent)
    assert stage.bridge.asked == []


def test_the_longest_call_ends_with_a_goodbye() -> None:
    agent = VoiceLiveAgent(
        name="a", model="m", silence=Silence(prompts=()), max_call_minutes=2, goodbye="Time."
    )

    async def script(stage: Stage) -> None:
        await asyncio.sleep(120.0)
        assert stage.bridge.asked == [("say", "Time.")]
        stage.bridge.emit(*turn("r", 3.0))
        await asyncio.sleep(60.0)

    _, outcome, ended_at = ended(script, agent)
    assert outcome.ending == Ended(EndReason.TOO_LONG)
    assert 123.0 <= ended_at <= 124.0
