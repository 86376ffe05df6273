"""The talk between caller and agent: whose turn it is, what is played, what was heard of it.

The only place that sends to the caller. Floor, playout clock and turns move together here, on the
events of the bridge; the call around it owns the connections and the time limits.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from media_worker import acs_media
from media_worker.bridges import (
    AgentAudio,
    AgentSaid,
    AgentTurnEnded,
    AgentTurnStarted,
    Bridge,
    CallerSaid,
    SpeechStarted,
    SpeechStopped,
    ToolCall,
)
from media_worker.dtmf import Digits
from media_worker.floor import Action, Floor
from media_worker.limits import FIRST_AUDIO_S, PAUSE_S, TURN_AHEAD_S, TURN_START_S
from media_worker.patience import Patience
from media_worker.playout import Cut, Playout
from media_worker.tools import END_CALL
from media_worker.turns import Turns
from switchboard.agents import Agent
from switchboard.end_reason import EndReason
from switchboard.record import TurnRecord

LINE_DROPPED = (
    "The phone line dropped for a moment and the caller missed what you were saying. Apologise in "
    "a few words, then say it again."
)
_FAREWELL_FIRST = '{"result":"The call ends after your next words. Say goodbye now."}'
_ENDING = '{"result":"The call is ending."}'
_NOT_ENDING = '{"result":"The caller interrupted you: the call goes on."}'
_UNKNOWN_TOOL = '{"error":"There is no such function."}'

TalkEvent = (
    SpeechStarted
    | SpeechStopped
    | AgentTurnStarted
    | AgentAudio
    | AgentTurnEnded
    | CallerSaid
    | AgentSaid
    | ToolCall
)
"""The bridge events that belong to the talk; the others concern the connection."""


class Exchange:
    """The talk of one call. `send` writes to the caller's leg and raises ConnectionError when it
    is closed; `now` is the loop's clock; `began_at`, by it, when the media's first frame came, and
    `earlier` the turns since, before this worker had the call."""

    def __init__(
        self,
        agent: Agent,
        bridge: Bridge,
        send: Callable[[bytes], Awaitable[None]],
        now: Callable[[], float],
        playout: Playout,
        began_at: float,
        earlier: Sequence[TurnRecord] = (),
    ) -> None:
        self._bridge = bridge
        self._send = send
        self._now = now
        self._floor = Floor()
        self._playout = playout
        self.started_at = now()
        """When this worker began."""
        self.turns = Turns(began_at, keep_text=agent.transcript, earlier=earlier)
        self.patience = Patience(agent, began_at)
        self.usage: Counter[str] = Counter()
        self.first_audio_at: float | None = None
        self.frames_out = 0
        self.sending_since: float | None = None
        """Since when the leg has been taking one message; None: it is not."""
        self._digits = Digits()
        self._end_calls: dict[str, str] = {}
        self._caller_speaks = False
        self._muted = False
        self._missed = False
        """Whether something was said that no leg carried."""
        self._asked = False
        """Whether the bridge was asked to speak and has not begun."""
        self._quiet_since = self._last_event_at = self.started_at

    # --- what the bridge reports ------------------------------------------------------------------

    def connected(self, *, greets: bool) -> None:
        """The bridge is connected, or connected anew: what was begun before will not go on."""
        self._last_event_at = self._now()
        self._caller_speaks = False
        self._asked = self._asked or greets

    async def play(self, event: AgentAudio) -> None:
        """Agent audio: to the caller at once, unless its turn is stale."""
        now = self._last_event_at = self._now()
        self._asked = False
        if self._floor.audio(event.turn) is not Action.PLAY:
            return
        if self._muted:
            await self._miss(event.turn)
            return
        self._playout.sent(event.turn, acs_media.sample_count(event.audio), now)
        self.turns.agent_audio(event.turn, now)
        if self.first_audio_at is None:
            self.first_audio_at = now
        for message in acs_media.encode_audio(event.audio):
            if not self._floor.is_stale(event.turn):  # it may become so while the leg is slow
                await self._write(message)
        if self._playout.ahead_s(now) > TURN_AHEAD_S:
            self._floor.close(event.turn)
            await self._bridge.cancel(event.turn)

    async def hear(self, event: TalkEvent) -> None:
        """Any event of the talk."""
        now = self._last_event_at = self._now()
        match event:
            case AgentAudio():
                await self.play(event)
            case SpeechStarted(utterance, ago_ms):
                self._caller_speaks = True
                self.turns.caller_started(utterance, now - ago_ms / 1000)
                await self.interrupt()
            case SpeechStopped(utterance, ago_ms):
                self._caller_speaks = False
                self._quiet_since = now - ago_ms / 1000
                self.turns.caller_stopped(utterance, self._quiet_since)
            case AgentTurnStarted(turn):
                self._asked = False
                self._floor.turn_started(turn)
                self.patience.turn_started()
            case AgentTurnEnded():
                await self._turn_ended(event, now)
            case CallerSaid(utterance, text):
                self.turns.caller_said(utterance, text, now)
            case AgentSaid(turn, text):
                self.turns.agent_said(turn, text)
            case ToolCall(turn, call, name):
                if name == END_CALL:
                    self._end_calls[turn] = call
                else:
                    await self._answer(call, _UNKNOWN_TOOL, react=True)

    async def _turn_ended(self, event: AgentTurnEnded, now: float) -> None:
        turn = event.turn
        stale = self._floor.is_stale(turn)
        self._floor.turn_ended(turn)
        self.turns.agent_ended(turn, max(now, self._playout.ends_at))
        self.usage.update(event.usage)
        self._quiet_since = max(self._quiet_since, now)
        if (call := self._end_calls.pop(turn, None)) is None:
            return
        if stale:
            await self._answer(call, _NOT_ENDING, react=False)
        elif self.patience.ending or self._playout.sent_ms(turn):
            self.patience.say_farewell(EndReason.AGENT_ENDED, now, begun=True)
            await self._answer(call, _ENDING, react=False)
        else:
            self.patience.say_farewell(EndReason.AGENT_ENDED, now, begun=False)
            await self._answer(call, _FAREWELL_FIRST, react=True)

    # --- what the caller and the call do ----------------------------------------------------------

    async def interrupt(self) -> None:
        """The caller takes the floor, by voice or by key: the agent falls silent, and is told how
        much of its turn was heard."""
        self.patience.caller_spoke()
        await self._silence_agent()

    async def key(self, tone: str) -> None:
        """The caller pressed a key, which silences the agent as speaking would."""
        await self.interrupt()
        now = self._quiet_since = self._now()
        if (digits := self._digits.push(tone, now)) is not None:
            await self._keyed(digits, now)

    async def keys_due(self, now: float) -> None:
        """Hands on the keyed digits when no more will follow."""
        if (digits := self._digits.due(now)) is not None:
            await self._keyed(digits, now)

    async def say(self, text: str) -> None:
        """Has the agent speak a text of ours."""
        self.turns.unprompted()
        self._ask(self._now())
        await self._bridge.say(text)

    async def mute(self) -> None:
        """The leg is lost: what the agent says now is not heard, and it shall know that."""
        self._muted = True
        if await self._silence_agent():
            self._missed = True

    async def unmute(self) -> None:
        """There is a leg again."""
        self._muted = False
        self._quiet_since = self._now()
        if self._missed:
            self._missed = False
            self._ask(self._quiet_since)
            await self._bridge.prompt(LINE_DROPPED, speaker="system")

    # --- what can be asked ------------------------------------------------------------------------

    def quiet_since(self, now: float) -> float | None:
        """Since when nobody has been speaking and nothing is being made or played; None: they do.
        The bridge's answer to the caller's last words may still be on its way."""
        ends_at = self._playout.ends_at
        if self._caller_speaks or self._asked or self._floor.busy or ends_at > now:
            return None
        return max(self._quiet_since, ends_at)

    def pauses(self, now: float) -> bool:
        """Whether nobody speaks, and no answer is on its way either, as far as anybody can tell."""
        since = self.quiet_since(now)
        return since is not None and now - since >= PAUSE_S

    def stalled(self, now: float) -> bool:
        """Whether the bridge owes words and has been still for too long, with nothing to hear."""
        still_s = now - max(self._last_event_at, self._playout.ends_at)
        return (self._asked and still_s > TURN_START_S) or (
            self._floor.busy and still_s > FIRST_AUDIO_S
        )

    def due(self, now: float) -> list[float]:
        """Times at which the talk is to be looked at again, as things stand."""
        due = [self.patience.due_at(self.quiet_since(now))]
        if self._digits.due_at is not None:
            due.append(self._digits.due_at)
        if self.patience.ending:
            due.append(self._playout.ends_at)
        return due

    # --- within -----------------------------------------------------------------------------------

    async def _silence_agent(self) -> bool:
        """Makes all turns stale; returns whether something of them goes unheard."""
        now = self._now()
        if self._playout.ends_at <= now:
            self._floor.drained()
        action, being_made = self._floor.speech()
        if action is Action.NOTHING:
            return False
        cuts = self._playout.stop(now) if action is Action.BARGE_IN else []
        known = {cut.turn for cut in cuts}
        for turn in being_made:
            if turn not in known:  # all that was sent of it has been heard
                cuts.append(Cut(turn, self._playout.sent_ms(turn), self._playout.sent_ms(turn)))
        self._quiet_since = now
        if action is Action.BARGE_IN:
            await self._write(acs_media.STOP_AUDIO)
            self.turns.silenced(self._now())
        for cut in cuts:
            words = await self._bridge.interrupt(cut.turn, cut.heard_ms)
            self.turns.agent_cut(cut.turn, now, cut.heard_ms, cut.sent_ms, words)
        return bool(cuts)

    async def _keyed(self, digits: str, now: float) -> None:
        # The record has only their number: people key card numbers and secrets.
        utterance = f"keyed-{now}"
        self.turns.caller_started(utterance, now)
        self.turns.caller_stopped(utterance, now)
        self.turns.caller_said(utterance, f"[{len(digits)} keys]", now)
        self._ask(now)
        await self._bridge.prompt(f"[The caller pressed these keys: {digits}]", speaker="caller")

    async def _miss(self, turn: str) -> None:
        self._missed = True
        self._floor.close(turn)
        await self._bridge.interrupt(turn, 0)

    async def _answer(self, call: str, output: str, *, react: bool) -> None:
        if react:
            self._ask(self._now())
        await self._bridge.answer(call, output, react=react)

    def _ask(self, now: float) -> None:
        self._asked = True
        self._last_event_at = now

    async def _write(self, message: bytes) -> None:
        if self._muted:
            return
        self.sending_since = self._now()
        try:
            await self._send(message)
            self.frames_out += 1
        except ConnectionError:
            pass  # the call finds its leg closed and asks what became of it
        finally:
            self.sending_since = None
