"""A connection's states, and what follows an answer."""

import asyncio
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError

from simulator.acs_switches import AcsSwitches
from tests.simulator.answerer import PATIENT, scene
from tests.virtual_time import run


@pytest.mark.parametrize(
    "order",
    [
        ("socket", "response", "connected", "participants", "streaming"),
        ("connected", "participants", "response", "socket", "streaming"),
        ("participants", "connected", "socket", "streaming", "response"),
    ],
)
def test_what_follows_an_answer_comes_in_any_order(order: Any) -> None:
    async def body() -> None:
        names = {"connected": "CallConnected", "participants": "ParticipantsUpdated"}
        async with scene(AcsSwitches(answer_order=order)) as s:
            await s.ring(PATIENT)
            await s.answer()
            before = order[: order.index("response")]
            assert bool(s.answerer.handshakes) == ("socket" in before)
            await asyncio.sleep(1)
            came = [kind for kind in s.answerer.types if kind in names.values()]
            assert came == [names[moment] for moment in order if moment in names]
            assert len(s.answerer.handshakes) == 1

    run(body())


def test_after_call_disconnected_nothing_follows() -> None:
    async def body() -> None:
        async with scene() as s:
            call = await s.connected(PATIENT)
            assert call.connection is not None
            await call.hang_up()
            call.connection.participants_updated()
            await asyncio.sleep(1)
            assert s.answerer.types[-1] == "CallDisconnected"

    run(body())


def test_a_connections_state_and_parties_are_shown_from_the_answer_to_the_end() -> None:
    async def body() -> None:
        async with scene(AcsSwitches(moment_delay_s={"connected": 1.0})) as s:
            call = await s.ring(PATIENT)
            answered = await s.answer()
            assert answered.call_connection_state == "connecting"
            assert call.connection is not None
            connection = s.client.get_call_connection(call.connection.id)
            await asyncio.sleep(2)
            shown = await connection.get_call_properties()
            assert shown.call_connection_state == "connected"
            assert shown.source is not None
            assert shown.source.raw_id == "4:+14255550123"
            assert shown.answered_for is not None
            assert shown.answered_for.properties["value"] == "+15550001111"
            assert shown.correlation_id == call.correlation_id
            await call.hang_up()
            with pytest.raises(ResourceNotFoundError):
                await connection.get_call_properties()

    run(body())
