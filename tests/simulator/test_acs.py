"""Whole calls through simulated ACS, answered by the real client."""

import asyncio

from tests.simulator.answerer import scene
from tests.virtual_time import run


def test_a_call_is_answered_greeted_and_ends_as_scripted() -> None:
    async def body() -> None:
        async with scene() as s:
            call = await s.ring()
            properties = await s.answer()
            assert properties.call_connection_state == "connecting"
            assert properties.correlation_id == call.correlation_id
            await asyncio.sleep(0.5)
            assert sorted(s.answerer.types) == [
                "CallConnected",
                "MediaStreamingStarted",
                "ParticipantsUpdated",
            ]
            await s.answerer.speak(1000)
            await asyncio.sleep(5)
            await s.answerer.speak(1000)
            outcome = await call.ended()
            assert outcome.faults == ()
            assert outcome.ended_by == "caller"
            await asyncio.sleep(0.5)
            assert s.answerer.types[-1] == "CallDisconnected"
            assert s.answerer.sockets[0].closed
            assert s.acs.calls == []

    run(body())
