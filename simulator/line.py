"""The caller's end of a call: 20 ms of mouth and ear at a time, and all that was said and heard."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from simulator.acs_switches import AcsSwitches
from simulator.audio import FRAME_MS, louder, resample
from simulator.caller import ScriptedCaller, Tick
from simulator.playout import Playout, mixed
from simulator.script import CallerScript
from simulator.timeline import Timeline


class Line:
    """The way between ACS and the caller's ear and mouth, opened when the call is answered.

    Times in seconds since `opened_at` (loop time); `rate` is that of the first answer.
    """

    def __init__(
        self, switches: AcsSwitches, script: CallerScript, rate: int, timeline: Timeline
    ) -> None:
        self.rate = rate
        self.opened_at = asyncio.get_running_loop().time()
        self.media_at_s: float | None = None
        """When the first media socket was open."""
        self.playout = Playout(rate, delay_ms=switches.playout_delay_ms)
        """The agent's voice, from the media socket."""
        self.announcements = Playout(rate)
        """What ACS plays by itself (play_media)."""
        self.caller = ScriptedCaller(script, rate, self._note)
        self.spoken = bytearray()
        """All the caller's samples, one frame for each 20 ms since the line was opened."""
        self.stops: list[tuple[float, int]] = []
        """Each StopAudio: when it took effect, and how many samples it dropped."""
        self._switches = switches
        self._timeline = timeline
        self._closed = False

    @property
    def now_s(self) -> float:
        return asyncio.get_running_loop().time() - self.opened_at

    async def run(self, each: Callable[[Tick], Awaitable[None]]) -> None:
        """Lets the caller live until `close`, handing every 20 ms to `each`.

        The n-th frame is due n times 20 ms after the line was opened: a late one is sent at once
        and the next are not moved, so that nothing drifts.
        """
        frame = self.rate * FRAME_MS // 1000
        number = 0
        while True:
            number += 1
            await asyncio.sleep(max(0.0, number * FRAME_MS / 1000 - self.now_s))
            if self._closed:
                return
            start = (number - 1) * frame
            media_ms = None if self.media_at_s is None else self.media_at_s * 1000
            heard = self._heard(start, start + frame)
            tick = self._with_echo(
                self.caller.tick(float(number * FRAME_MS), heard, media_ms), start, frame
            )
            self.spoken += tick.frame
            await each(tick)

    def close(self) -> None:
        """The caller's phone is down."""
        self._closed = True

    def media_began(self) -> None:
        """A media socket is open."""
        if self.media_at_s is None:
            self.media_at_s = self.now_s

    def receive(self, pcm: bytes, rate: int) -> None:
        """Agent audio has come to ACS."""
        self.playout.receive(
            pcm if rate == self.rate else resample(pcm, rate, self.rate), self.now_s
        )

    def stop_audio(self) -> None:
        """StopAudio has come to ACS."""
        at_s = self.now_s + self._switches.stop_audio_delay_ms / 1000
        dropped = self.playout.stop(at_s)
        self.stops.append((at_s, dropped))
        dropped_ms = round(dropped * 1000 / self.rate, 1)
        self._timeline.add("stop_audio", at=self.opened_at + at_s, dropped_ms=dropped_ms)
        if dropped:
            self.caller.cut(at_s * 1000)

    def heard(self, until_s: float) -> bytes:
        """Everything at the ear since the line was opened, silence included, up to `until_s`."""
        end = self.playout.sample(until_s)
        return mixed(self.playout.heard(0, end), self.announcements.heard(0, end))

    def _with_echo(self, tick: Tick, start: int, length: int) -> Tick:
        """What the caller's telephone picks up of the agent, beside the caller."""
        if self._switches.echo_db is None:
            return tick
        played = start - round(self._switches.echo_delay_ms * self.rate / 1000)
        heard = self._heard(played, played + length) if played >= 0 else None
        if heard is None:
            return tick
        frame = mixed(tick.frame, louder(heard, self._switches.echo_db))
        return replace(tick, frame=frame, silent=False)

    def _heard(self, start: int, end: int) -> bytes | None:
        if self.announcements.is_quiet(start, end):
            return None if self.playout.is_quiet(start, end) else self.playout.heard(start, end)
        return mixed(self.playout.heard(start, end), self.announcements.heard(start, end))

    def _note(self, event: str, ms: float, **detail: Any) -> None:
        self._timeline.add(event, at=self.opened_at + ms / 1000, **detail)
