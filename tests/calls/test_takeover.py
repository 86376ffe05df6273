"""A worker must stop while it carries a call: another goes on with it."""

import asyncio
from pathlib import Path

from media_worker.app import Serving, serving
from media_worker.settings import Settings
from simulator.acs_calls import SimulatedCall
from simulator.script import (
    AfterAgent,
    AfterWait,
    CallerScript,
    Expect,
    HangUp,
    Say,
    Step,
    Utterance,
)
from switchboard.end_reason import EndReason
from switchboard.record import Ended
from tests.calls.whole import Whole, whole
from tests.virtual_time import run

QUESTIONS = ("When are you open?", "And on Sundays?")
ASKS_AGAIN_LATER = CallerScript(
    (
        Step(Say(Utterance(QUESTIONS[0]))),
        Step(Say(Utterance(QUESTIONS[1])), AfterWait(9_000), limit_s=60),
        Step(HangUp(), AfterAgent()),
    ),
    Expect(ended_by="caller"),
)


def lead_to(worker: Serving, call: SimulatedCall, *, away_from: Serving) -> None:
    """As an ingress that has seen who is ready: new sockets come to `worker`."""
    assert call.connection is not None
    assert call.connection.streaming is not None
    options = call.connection.streaming.options
    old, new = (each.url.replace("http", "ws", 1) for each in (away_from, worker))
    object.__setattr__(options, "url", options.url.replace(old, new))


def told(system: Whole, session: int) -> list[str]:
    """The texts that Voice Live was told of in this session, at its beginning."""
    events = system.world.voice_live.sessions[session].events
    items = [event["item"] for event in events if event["type"] == "conversation.item.create"]
    return [part["text"] for item in items for part in item["content"]]


def test_a_drained_workers_call_goes_on_at_another_which_knows_it_and_does_not_greet(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        async with whole(tmp_path) as system:
            env = system.world.endpoints.worker_env(port=0, agents_file=tmp_path / "agents.toml")
            async with serving(Settings.from_env(env)) as other:
                call = await system.call(ASKS_AGAIN_LATER)
                await asyncio.sleep(8)
                lead_to(other, call, away_from=system.worker)
                await system.worker.drain(6)
                assert (system.worker.live_calls, other.live_calls) == (0, 1)
                outcome = await call.ended()
                assert outcome.as_scripted, outcome.faults
                while other.live_calls:
                    await asyncio.sleep(0.1)
            await system.settled()
            (record,) = system.records()
            assert record.state == Ended(EndReason.CALLER_HUNG_UP)
            said = ["Hello, you have reached Harbour Cycles."]
            for question in QUESTIONS:
                said += [question, f"You said: {question}"]
            assert [turn.text for turn in record.turns] == said
            times = [turn.started_ms for turn in record.turns]
            assert times == sorted(times)
            assert told(system, 1)[:3] == said[:3]

    run(scenario())
