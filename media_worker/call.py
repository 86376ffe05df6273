"""One call: audio straight through between the caller's leg and the agent's bridge.

One task group: the two pumps, and beside them the watch over the call's own deadlines, the keeper
of its record, the way to a person, and whoever may stop it. On the audio path there is no queue and
no change of task: a frame is decoded, wrapped anew and written by the task that received it.
Whoever finds the call's end raises `Over`.
"""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing, suppress
from typing import assert_never

from media_worker import acs_media, log
from media_worker.bridges import (
    AgentAudio,
    AgentTurnEnded,
    Bridge,
    Failed,
    Notice,
    OpenBridge,
    Ready,
)
from media_worker.exchange import Exchange
from media_worker.leg import CallOutcome, Ended, Gone, Leg, LetGo, Owner, Resumed, Superseded
from media_worker.limits import (
    APOLOGY_S,
    CHECKPOINT_S,
    FIRST_FRAME_S,
    HANG_UP_S,
    OWN_APOLOGY_S,
    PAUSE_POLL_S,
    RESUME_S,
)
from media_worker.playback import Playback
from media_worker.playout import Playout
from media_worker.tools import offered
from media_worker.watch import Line, Over, Watch
from switchboard.end_reason import EndReason
from switchboard.moves import Parting
from switchboard.record import TurnRecord
from switchboard.session import SessionDescriptor

_POLICY_VIOLATION = 1008
_RATES = (16000, 24000)
_APOLOGISE = frozenset({EndReason.BRIDGE_FAILED, EndReason.MEDIA_FAILED, EndReason.DRAINED})
"""Ends of which the agent cannot tell the caller."""


class Call:
    """Carries one call. `run` is called once; the other methods from other tasks, at any time."""

    def __init__(
        self,
        descriptor: SessionDescriptor,
        leg: Leg,
        open_bridge: OpenBridge,
        owner: Owner,
        *,
        playout_delay_ms: int = 0,
        earlier: Sequence[TurnRecord] = (),
        earlier_s: float = 0.0,
    ) -> None:
        """`earlier`: the turns in the record, when another worker carried the call before, since
        its first frame `earlier_s` ago."""
        self._descriptor = descriptor
        self._agent = descriptor.agent
        self._line = Line(leg)
        self._open_bridge = open_bridge
        self._owner = owner
        self._earlier, self._earlier_s = earlier, earlier_s
        self._delay_s = playout_delay_ms / 1000
        self._rate = descriptor.audio_rate
        self._bad_frames = acs_media.BadFrames()
        self._frames_in = 0
        self._taken = asyncio.Event()
        self._stopped = asyncio.Event()
        self._not_transferring = asyncio.Event()
        self._not_transferring.set()
        self._stop = Over(LetGo("handed_over"))

    # --- for the process around -------------------------------------------------------------------

    async def run(self) -> CallOutcome:
        """Carries the call to its one end, or until it is no longer ours. The caller has been hung
        up on (or has heard the apology) when it returns `Ended`; the record is not written.
        """
        self._now = asyncio.get_running_loop().time
        if (first := await self._first_message()) is None:
            return CallOutcome(LetGo("never_spoke"))
        frame = acs_media.decode(first)
        if isinstance(frame, acs_media.Metadata) and frame.sample_rate in _RATES:
            self._rate = frame.sample_rate
        async with self._open_bridge(self._agent, self._rate) as bridge:
            self._bridge: Bridge = bridge
            playback = Playback(self._line.send, self._now, Playout(self._rate, self._delay_s))
            began_at = self._now() - self._earlier_s
            tools = offered(person=self._descriptor.fallback_number is not None)
            self._talk = Exchange(
                self._agent, bridge, playback, self._now, began_at, self._earlier, tools
            )
            self._owner.telemetry.listen(self._talk.turns, playback)
            self._watch = Watch(self._talk, bridge, self._line)
            return await self._part(await self._carry(frame))

    async def pause(self, limit_s: float) -> None:
        """Returns in a pause of the talk, at the latest after `limit_s`: a moment to move the
        call to another worker."""
        for _ in range(int(limit_s / PAUSE_POLL_S)):
            if not self._taken.is_set() or self._talk.pauses(self._now()):
                return
            await asyncio.sleep(PAUSE_POLL_S)

    def let_go(self) -> None:
        """Ends `run` with `LetGo("handed_over")`; the caller stays on the line. For a drain, and
        when the ledger shows a newer owner."""
        self._stopped.set()

    def end(self, reason: EndReason) -> None:
        """Ends the call at once with `reason`, without a goodbye."""
        if not self._stopped.is_set():
            self._stop = Over(Ended(reason))
            self._stopped.set()

    # --- from the first frame to the end ----------------------------------------------------------

    async def _first_message(self) -> bytes | None:
        with suppress(TimeoutError):
            async with asyncio.timeout(FIRST_FRAME_S):
                return await self._line.leg.receive()
        return None

    async def _carry(self, first: acs_media.Frame) -> Over:
        self._line.last_message_at = self._now()
        ends: list[Over] = []
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._caller_to_agent(first), name="caller to agent")
                tasks.create_task(self._agent_to_caller(), name="agent to caller")
                tasks.create_task(self._watch_over(), name="watch")
                tasks.create_task(self._keep_record(), name="keep record")
                tasks.create_task(self._await_stop(), name="stop")
                tasks.create_task(self._put_through(), name="put through")
        except* Over as group:
            ends = [error for error in group.exceptions if isinstance(error, Over)]
        return ends[0]

    def _outcome(self, over: Over) -> CallOutcome:
        return CallOutcome(
            over.ending,
            self._talk.turns.records(self._now()),
            dict(self._talk.usage),
            self._talk.greeting_ms,
            self._frames_in,
            self._talk.playback.frames_out,
            self._bad_frames.count,
            over.why,
        )

    async def _part(self, over: Over) -> CallOutcome:
        ending = over.ending
        if isinstance(ending, LetGo) or over.caller_gone:
            return self._outcome(over)
        parting: Parting = "hang_up"
        if ending.reason in _APOLOGISE:
            parting = "to_person" if await self._apologised(ending.reason) else "apologise"
        outcome = self._outcome(over)
        with suppress(TimeoutError):
            async with asyncio.timeout(HANG_UP_S if parting == "hang_up" else APOLOGY_S):
                await self._owner.part(outcome, parting)
        return outcome

    async def _apologised(self, reason: EndReason) -> bool:
        """Whether the caller has heard the apology in the agent's own voice."""
        if reason is EndReason.MEDIA_FAILED or self._line.lost:
            return False
        apology = self._bridge.apology()
        with suppress(TimeoutError):
            async with asyncio.timeout(OWN_APOLOGY_S):
                await self._talk.finish(self._agent.apology, apology)
        return apology is not None

    # --- caller to agent --------------------------------------------------------------------------

    async def _caller_to_agent(self, first: acs_media.Frame) -> None:
        if not await self._owner.first_frame():
            raise Over(LetGo("not_taken"))
        self._taken.set()
        frame, line, now = first, self._line, self._now
        while True:
            if type(frame) is acs_media.CallerAudio:
                self._frames_in += 1
                line.handing_on_since = line.last_message_at
                await self._bridge.send_audio(frame.audio)
                line.handing_on_since = None
            else:
                await self._take(frame)
            while (message := await line.leg.receive()) is None:
                await self._replace_leg()
            line.last_message_at = now()
            frame = acs_media.decode(message)

    async def _take(self, frame: acs_media.Frame) -> None:
        """Any frame, most of them not audio."""
        match frame:
            case acs_media.CallerAudio(audio):
                await self._bridge.send_audio(audio)
            case acs_media.Metadata():
                if (frame.encoding, frame.sample_rate, frame.channels) != ("PCM", self._rate, 1):
                    raise Over(Ended(EndReason.MEDIA_FAILED), why="audio_format")
            case acs_media.Tone(tone):
                await self._talk.key(tone)
                self._watch.look()
            case acs_media.Malformed():
                if self._bad_frames.add(self._now()):
                    await self._line.leg.close(_POLICY_VIOLATION)
            case acs_media.Unknown():
                pass
            case _:
                assert_never(frame)

    async def _replace_leg(self) -> None:
        """The leg closed, which is not the end: finds out what is. The bridge stays meanwhile."""
        self._line.lost = True
        await self._talk.mute()
        await self._not_transferring.wait()
        try:
            async with asyncio.timeout(RESUME_S):
                lost = await self._owner.socket_lost()
        except TimeoutError:
            lost = Superseded()  # nobody knows; whoever finds the call's message will
        match lost:
            case Resumed(leg):
                self._line.leg, self._line.lost = leg, False
                self._line.last_message_at = self._now()
                await self._talk.unmute()
            case Gone(reason):
                raise Over(Ended(reason), caller_gone=True)
            case Superseded():
                raise Over(LetGo("superseded"))
            case _:
                assert_never(lost)

    # --- agent to caller --------------------------------------------------------------------------

    async def _agent_to_caller(self) -> None:
        async with aclosing(self._bridge.events()) as events:
            async for event in events:
                if not self._taken.is_set():  # connected before the call was ours: say nothing yet
                    await self._taken.wait()
                if type(event) is AgentAudio:
                    await self._talk.play(event)
                    continue
                self._owner.telemetry.heard(event, renewing=self._watch.renewing)
                match event:
                    case Ready():
                        self._ready(event)
                    case Notice(kind, code):
                        call_id = self._descriptor.call_id
                        log.event("bridge_notice", call_id=call_id, outcome=kind, error=code)
                    case Failed(code, message):
                        raise Over(Ended(EndReason.BRIDGE_FAILED), why=f"{code}: {message}")
                    case _:
                        await self._talk.hear(event)
                        if isinstance(event, AgentTurnEnded):
                            self._watch.look()  # it may have been the goodbye
        raise Over(Ended(EndReason.BRIDGE_FAILED), why="ended")

    def _ready(self, event: Ready) -> None:
        self._talk.connected(greets=bool(self._agent.greeting) and not event.resumed)
        self._watch.connected(event.expires_in_s)

    # --- beside the audio -------------------------------------------------------------------------

    async def _watch_over(self) -> None:
        await self._taken.wait()
        await self._watch.run()

    async def _put_through(self) -> None:
        number = self._descriptor.fallback_number
        while True:
            await self._talk.to_person.begin(self._talk.playback.ahead_s)
            self._not_transferring.clear()
            if number is not None and await self._owner.transfer(number):
                raise Over(Ended(EndReason.TRANSFERRED), caller_gone=True)
            self._not_transferring.set()
            await self._talk.not_put_through()

    async def _await_stop(self) -> None:
        await self._stopped.wait()
        raise self._stop

    async def _keep_record(self) -> None:
        while True:
            await self._watch.unsaved.wait()
            self._watch.unsaved.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(CHECKPOINT_S):
                    if not await self._owner.checkpoint(self._talk.turns.records(self._now())):
                        raise Over(LetGo("superseded"))
