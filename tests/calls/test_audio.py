"""What is said arrives as it was said: nothing lost, added, resampled or moved."""

from pathlib import Path

import pytest

from simulator.script import (
    AfterAgent,
    AgentScript,
    CallerScript,
    Expect,
    HangUp,
    Reply,
    Say,
    Step,
    Utterance,
)
from tests.calls.whole import whole
from tests.virtual_time import run

TEN_MINUTES_S = 600.0
ROUNDS = {24_000: 22, 16_000: 4}
"""How often the caller asks; what ACS offers at 24 kHz is what a deployment uses."""


def answers(count: int) -> AgentScript:
    """An agent who answers at length, and differently each time."""
    opening = "We are open from nine to eighteen, on Saturdays until seventeen. "
    return AgentScript(
        tuple(Reply(Utterance(f"Answer number {i}. {opening * 6}")) for i in range(count)), {}
    )


def rounds(count: int) -> CallerScript:
    """A caller who asks again and again and never interrupts."""
    steps = [
        Step(Say(Utterance(f"Question number {i}, please?")), limit_s=60) for i in range(count)
    ]
    return CallerScript((*steps, Step(HangUp(), AfterAgent(), limit_s=60)), Expect(interruptions=0))


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("rate", [24_000, 16_000])
def test_in_a_ten_minute_call_every_sample_arrives_both_ways(tmp_path: Path, rate: int) -> None:
    async def scenario() -> None:
        scripts = [answers(ROUNDS[rate])]
        async with whole(tmp_path, scripts=scripts, rate=rate) as system:
            call = await system.call(rounds(ROUNDS[rate]))
            assert (await call.ended()).as_scripted, call.outcome
            await system.settled()
            assert call.line is not None
            assert call.line.media_at_s is not None
            if rate == 24_000:
                assert call.line.now_s - call.line.media_at_s >= TEN_MINUTES_S
            (session,) = system.world.voice_live.sessions
            said, received = bytes(call.line.spoken), bytes(session.received)
            unheard_ms = (len(said) - len(received)) * 1000 // (2 * rate)
            assert unheard_ms <= 40, "only what was said before the socket was open"
            assert received in said
            spoken = b"".join(bytes(response.audio) for response in session.responses)
            assert bytes(call.line.playout.received) == spoken
            heard = call.line.playout.heard_samples(call.line.now_s)
            assert heard == spoken
            assert session.errors == []

    run(scenario())
