"""What happened in a call, in order."""

import asyncio

from simulator.timeline import Entry, Timeline
from tests.virtual_time import run


def test_entries_are_told_at_once_and_found_by_name() -> None:
    async def body() -> None:
        timeline, told = Timeline(), list[Entry]()
        timeline.on_entry.append(told.append)
        timeline.add("ringing", to="4:+1")
        await asyncio.sleep(0.5)
        timeline.add("callback", type="CallConnected")
        timeline.add("callback", type="ParticipantsUpdated")
        assert told == timeline.entries
        assert [entry.detail["type"] for entry in timeline.all("callback")] == [
            "CallConnected",
            "ParticipantsUpdated",
        ]
        first = timeline.first("callback")
        assert first is not None
        assert first.at == 0.5
        assert timeline.first("ended") is None

    run(body())


def test_in_json_entries_stand_by_their_time_since_the_origin() -> None:
    async def body() -> None:
        timeline = Timeline()
        await asyncio.sleep(3)
        timeline.add("heard", at=2.5)
        timeline.add("said", at=1.25, text="Hi")
        assert timeline.to_json(1.0) == [
            {"t_ms": 250.0, "event": "said", "text": "Hi"},
            {"t_ms": 1500.0, "event": "heard"},
        ]

    run(body())
