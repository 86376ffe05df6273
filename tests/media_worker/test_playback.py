import asyncio
import base64
import json
from typing import Any

from media_worker.playback import Playback
from media_worker.playout import Cut, Playout
from tests.virtual_time import run

SECOND = base64.b64encode(bytes(48000))


class Caller:
    """The leg: keeps what it gets; may be slow, or closed."""

    def __init__(self) -> None:
        self.got: list[Any] = []
        self.open = True
        self.takes_s = 0.0

    async def send(self, message: bytes) -> None:
        if not self.open:
            raise ConnectionResetError
        self.got.append(json.loads(message)["Kind"])
        await asyncio.sleep(self.takes_s)


def playback(caller: Caller) -> Playback:
    return Playback(caller.send, asyncio.get_running_loop().time, Playout(24000))


def begin(out: Playback) -> None:
    out.floor.turn_started("r")
    out.floor.audio("r")


def test_a_turn_too_far_ahead_is_played_no_further() -> None:
    async def scenario() -> None:
        caller = Caller()
        out = playback(caller)
        begin(out)
        played = [await out.play("r", SECOND) for _ in range(61)]
        assert played == [True] * 60 + [False]
        assert out.floor.is_stale("r")
        assert out.ahead_s() == 61.0  # what was sent is heard to its end

    run(scenario())


def test_silence_stops_what_is_played_and_tells_what_was_heard() -> None:
    async def scenario() -> None:
        caller = Caller()
        out = playback(caller)
        begin(out)
        await out.play("r", SECOND)
        await asyncio.sleep(0.25)
        assert await out.silence() == [Cut("r", 250, 1000)]
        assert caller.got == ["AudioData", "StopAudio"]
        assert await out.silence() == []  # nothing is left to stop

    run(scenario())


def test_a_turn_that_is_being_made_is_cut_although_nothing_of_it_is_left_to_hear() -> None:
    async def scenario() -> None:
        caller = Caller()
        out = playback(caller)
        out.floor.turn_started("r")
        assert await out.silence() == [Cut("r", 0, 0)]
        assert caller.got == []

    run(scenario())


def test_a_large_delta_is_not_sent_on_after_the_caller_spoke_into_it() -> None:
    async def scenario() -> None:
        caller = Caller()
        caller.takes_s = 0.1
        out = playback(caller)
        begin(out)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(out.play("r", base64.b64encode(bytes(480_000))))
            await asyncio.sleep(0.25)
            await out.silence()
        at_once = caller.got.index("StopAudio")
        assert caller.got[at_once:] == ["StopAudio"]

    run(scenario())


def test_a_leg_that_is_closed_or_gone_takes_nothing_and_breaks_nothing() -> None:
    async def scenario() -> None:
        caller = Caller()
        out = playback(caller)
        begin(out)
        caller.open = False
        await out.play("r", SECOND)
        assert out.sending_since is None
        out.muted, caller.open = True, True
        await out.play("r", SECOND)
        assert (caller.got, out.frames_out) == ([], 0)

    run(scenario())
