"""What a call does when nobody says or sends anything; its talk's own limits: test_exchange."""

import asyncio

import pytest

from media_worker.exchange import Exchange
from media_worker.leg import Ended
from media_worker.limits import (
    BLOCKED_S,
    LEG_STALLED_S,
    RENEW_AT_LATEST_S,
    TURN_START_S,
)
from media_worker.playback import Playback
from media_worker.playout import Playout
from media_worker.watch import STALLED, Line, Over, Watch
from switchboard.end_reason import EndReason
from tests.media_worker.scripted import QUIET, RATE, ScriptedBridge, ScriptedLeg, audio
from tests.virtual_time import run


class Watched:
    def __init__(self) -> None:
        self.leg = ScriptedLeg()
        self.bridge = ScriptedBridge()
        now = asyncio.get_running_loop().time
        playback = Playback(self.leg.send, now, Playout(RATE))
        self.talk = Exchange(QUIET, self.bridge, playback, now, now())
        self.line = Line(self.leg)
        self.watch = Watch(self.talk, self.bridge, self.line)

    async def runs(self, seconds: float, *, frames: bool = True) -> None:
        """Watches for so long; `frames`: the caller's frames keep coming."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds), asyncio.TaskGroup() as tasks:
                tasks.create_task(self.watch.run())
                while True:
                    if frames:
                        self.line.last_message_at = loop.time()
                    await asyncio.sleep(0.1)
        except TimeoutError:
            pass


@pytest.mark.parametrize("frames", [True, False])
def test_a_leg_without_frames_is_closed_and_one_with_frames_is_not(frames: bool) -> None:
    async def scenario() -> int | None:
        watched = Watched()
        await watched.runs(LEG_STALLED_S + 1.5, frames=frames)
        return watched.leg.closed

    assert run(scenario()) == (None if frames else STALLED)


def test_a_leg_known_to_be_lost_is_not_closed_again() -> None:
    async def scenario() -> int | None:
        watched = Watched()
        watched.line.lost = True
        await watched.runs(LEG_STALLED_S + 1.5, frames=False)
        return watched.leg.closed

    assert run(scenario()) is None


def test_a_leg_that_stops_reading_is_closed() -> None:
    async def scenario() -> int | None:
        watched = Watched()
        watched.leg.stuck = True
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(watched.talk.play(audio("r", 1.0)))
            await watched.runs(BLOCKED_S + 1.5)
        return watched.leg.closed

    assert run(scenario()) == STALLED


def test_a_service_that_stops_taking_audio_is_connected_anew_and_the_leg_is_kept() -> None:
    async def scenario() -> tuple[list[str], int | None]:
        watched = Watched()
        watched.line.handing_on_since = 0.0
        await watched.runs(BLOCKED_S + 1.5, frames=False)
        return [asked for asked, *_ in watched.bridge.asked], watched.leg.closed

    assert run(scenario()) == (["renew"], None)


def test_an_agent_that_was_asked_to_speak_and_does_not_has_failed() -> None:
    async def scenario() -> tuple[Over, float]:
        watched = Watched()
        await watched.talk.say("Still there?")
        with pytest.raises(ExceptionGroup) as group:
            await watched.runs(100.0)
        (over,) = group.value.exceptions
        assert isinstance(over, Over)
        return over, asyncio.get_running_loop().time()

    over, at = run(scenario())
    assert over.ending == Ended(EndReason.BRIDGE_FAILED)
    assert TURN_START_S < at <= TURN_START_S + 1.1


def test_a_session_that_expires_in_the_middle_of_a_word_is_renewed_at_the_last_moment() -> None:
    async def scenario() -> list[tuple[object, ...]]:
        watched = Watched()
        watched.watch.renew_by = 40.0
        for _ in range(50):
            await watched.talk.play(audio("r", 1.0))
        await watched.runs(45.0)
        return watched.bridge.asked

    ((asked, at),) = run(scenario())
    assert asked == "renew"
    assert isinstance(at, float)
    assert 30.0 <= at <= 40.0 - RENEW_AT_LATEST_S + 1.1


def test_new_turns_are_noticed_once() -> None:
    async def scenario() -> list[bool]:
        watched = Watched()
        watched.talk.turns.caller_said("u", "Hello", 0.0)
        await watched.runs(1.5)
        first = watched.watch.unsaved.is_set()
        watched.watch.unsaved.clear()
        await watched.runs(1.5)
        return [first, watched.watch.unsaved.is_set()]

    assert run(scenario()) == [True, False]
