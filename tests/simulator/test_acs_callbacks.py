"""Callbacks: repeated, late, lost, tried again; transfers and prompts as they are told."""

import asyncio

import pytest

from simulator.acs_switches import AcsSwitches
from tests.simulator.answerer import PATIENT, scene
from tests.virtual_time import run


def test_an_event_is_an_array_of_one_cloud_event_about_its_call() -> None:
    async def body() -> None:
        async with scene() as s:
            call = await s.ring(PATIENT)
            await s.answer(operation_context="first call")
            await asyncio.sleep(1)
            event = next(e for e in s.answerer.callbacks if e["type"].endswith(".CallConnected"))
            assert event["specversion"] == "1.0"
            assert call.connection is not None
            assert event["data"]["callConnectionId"] == call.connection.id
            assert event["data"]["correlationId"] == call.correlation_id
            assert event["data"]["operationContext"] == "first call"
            people = s.answerer.of("ParticipantsUpdated")["participants"]
            assert people[0]["identifier"]["rawId"] == "4:+14255550123"

    run(body())


def test_events_come_twice_or_never_or_late_as_the_switches_say() -> None:
    async def body() -> None:
        switches = AcsSwitches(
            callback_copies={"CallConnected": 2, "ParticipantsUpdated": 0},
            callback_delay_s={"CallConnected": 3.0},
        )
        async with scene(switches) as s:
            await s.connected(PATIENT)
            assert s.answerer.types == ["MediaStreamingStarted"]
            await asyncio.sleep(3)
            assert s.answerer.types == ["MediaStreamingStarted", "CallConnected", "CallConnected"]
            assert s.answerer.callbacks[1]["id"] == s.answerer.callbacks[2]["id"]

    run(body())


@pytest.mark.parametrize(("attempts", "arrives"), [(1, False), (3, True)])
def test_a_refused_callback_is_tried_again_only_by_switch(attempts: int, arrives: bool) -> None:
    async def body() -> None:
        async with scene(AcsSwitches(callback_attempts=attempts)) as s:
            s.answerer.statuses = [500, 500, 500, 500, 500]
            await s.connected(PATIENT)
            await asyncio.sleep(5)
            assert ("CallConnected" in s.answerer.types) == arrives

    run(body())
