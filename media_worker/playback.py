"""What goes to the caller: whose turn may be heard, what was sent of it, what has been heard.

The only place that sends to the caller. Floor and playout clock move together here.
"""

from collections.abc import Awaitable, Callable

from media_worker import acs_media
from media_worker.floor import Action, Floor
from media_worker.limits import TURN_AHEAD_S
from media_worker.playout import Cut, Playout


class Playback:
    """Of one call. `send` writes to the caller's leg and raises ConnectionError when it is closed;
    `now` is the loop's clock."""

    def __init__(
        self, send: Callable[[bytes], Awaitable[None]], now: Callable[[], float], playout: Playout
    ) -> None:
        self._send, self._now, self._playout = send, now, playout
        self.floor = Floor()
        self.muted = False
        """There is no leg to send to."""
        self.frames_out = 0
        self.first_audio_at: float | None = None
        self.sending_since: float | None = None
        """Since when the leg has been taking one message; None: it is not."""

    @property
    def ends_at(self) -> float:
        """When all that was sent until now will have been heard; may lie in the past."""
        return self._playout.ends_at

    def ahead_s(self) -> float:
        """Seconds of audio that were sent and not yet heard."""
        return self._playout.ahead_s(self._now())

    def sent_ms(self, turn: str) -> int:
        """How much of `turn` has been sent."""
        return self._playout.sent_ms(turn)

    async def play(self, turn: str, audio: bytes) -> bool:
        """Sends audio of a turn that may be heard. False: the turn is too far ahead of its
        listener, and nothing more of it will be played."""
        now = self._now()
        self._playout.sent(turn, acs_media.sample_count(audio), now)
        if self.first_audio_at is None:
            self.first_audio_at = now
        for message in acs_media.encode_audio(audio):
            if not self.floor.is_stale(turn):  # it may become so while the leg is slow
                await self._write(message)
        if self._playout.ahead_s(now) > TURN_AHEAD_S:
            self.floor.close(turn)
            return False
        return True

    async def silence(self) -> list[Cut]:
        """Makes all turns stale and empties what is being played: the turns that go unheard, in
        part or, while they are being made, as far as nobody knows."""
        now = self._now()
        if self._playout.ends_at <= now:
            self.floor.drained()
        action, being_made = self.floor.speech()
        if action is Action.NOTHING:
            return []
        cuts = self._playout.stop(now) if action is Action.BARGE_IN else []
        known = {cut.turn for cut in cuts}
        for turn in being_made:
            if turn not in known:  # all that was sent of it has been heard
                cuts.append(Cut(turn, self._playout.sent_ms(turn), self._playout.sent_ms(turn)))
        if action is Action.BARGE_IN:
            await self._write(acs_media.STOP_AUDIO)
        return cuts

    async def _write(self, message: bytes) -> None:
        if self.muted:
            return
        self.sending_since = self._now()
        try:
            await self._send(message)
            self.frames_out += 1
        except ConnectionError:
            pass  # the call finds its leg closed and asks what became of it
        finally:
            self.sending_since = None
