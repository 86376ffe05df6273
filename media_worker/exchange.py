"""The talk between caller and agent, moved by the events of the bridge and by what the caller does.

What is played is `playback.py`, what is kept `turns.py`; the call around it owns the connections
and the time limits.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import assert_never

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
from media_worker.floor import Action
from media_worker.limits import (
    FIRST_AUDIO_S,
    LAST_WORDS_AHEAD_S,
    PAUSE_S,
    TURN_START_S,
)
from media_worker.patience import Patience
from media_worker.playback import Playback
from media_worker.to_person import WayToPerson
from media_worker.tools import NOT_NOW, NOT_REACHED, Answer, Leave, PutThrough, Tool, ToolCalls
from media_worker.turns import Turns
from switchboard.agents import Agent
from switchboard.end_reason import EndReason
from switchboard.record import TurnRecord

LINE_DROPPED = (
    "The phone line dropped for a moment and the caller missed what you were saying. Apologise in "
    "a few words, then say it again."
)
_LAST = "last words"

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
    """The talk of one call. `began_at`: when, by the clock `now`, the media's first frame came;
    `earlier`: the turns since, before this worker had the call; `tools`: what models may call."""

    def __init__(
        self,
        agent: Agent,
        bridge: Bridge,
        playback: Playback,
        now: Callable[[], float],
        began_at: float,
        earlier: Sequence[TurnRecord] = (),
        tools: Sequence[Tool] = (),
    ) -> None:
        self._bridge = bridge
        self.playback = playback
        self._floor = playback.floor
        self._now = now
        self.started_at = now()
        """When this worker began."""
        self.turns = Turns(began_at, keep_text=agent.transcript, earlier=earlier)
        self.patience = Patience(agent, began_at)
        self.usage: Counter[str] = Counter()
        self._digits = Digits()
        self._tool_calls = ToolCalls(tools)
        self.to_person = WayToPerson()
        self._caller_speaks = False
        self._missed = False
        """Whether something was said that no leg carried."""
        self._asked = False
        """Whether the bridge was asked to speak and has not begun."""
        self._quiet_since = self._last_event_at = self.started_at

    @property
    def greeting_ms(self) -> float | None:
        """From this worker's beginning to the first agent audio; None: there was none."""
        at = self.playback.first_audio_at
        return None if at is None else (at - self.started_at) * 1000

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
        if self.playback.muted:
            await self._miss(event.turn)
            return
        self.turns.agent_audio(event.turn, now)
        if not await self.playback.play(event.turn, event.audio):
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
                if (answer := self._tool_calls.called(turn, call, name)) is not None:
                    await self._answer(answer)

    async def _turn_ended(self, event: AgentTurnEnded, now: float) -> None:
        turn = event.turn
        stale = self._floor.is_stale(turn)
        self._floor.turn_ended(turn)
        self.turns.agent_ended(turn, max(now, self.playback.ends_at))
        self.usage.update(event.usage)
        self._quiet_since = max(self._quiet_since, now)
        spoke = self.patience.ending or self.playback.sent_ms(turn) > 0
        for use in self._tool_calls.turn_ended(turn, interrupted=stale, spoke=spoke):
            match use:
                case Answer():
                    await self._answer(use)
                case Leave(answer, said):
                    self.patience.say_farewell(EndReason.AGENT_ENDED, now, begun=said)
                    await self._answer(answer)
                case PutThrough():
                    self.to_person.wish(use)
                case _:
                    assert_never(use)

    # --- what the caller and the call do ----------------------------------------------------------

    async def interrupt(self) -> None:
        """The caller takes the floor, by voice or by key: the agent falls silent, and is told how
        much of its turn was heard."""
        self.patience.caller_spoke()
        await self._silence_agent()
        if (wish := self.to_person.withdraw()) is not None:
            await self._answer(Answer(wish.call, NOT_NOW, react=False))

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

    async def finish(self, words: str, audio: bytes | None) -> None:
        """Returns when all was heard: what was said before (much of it is cut off instead), and
        these last words of the agent, where there is audio of them."""
        if self.playback.ahead_s() > LAST_WORDS_AHEAD_S:
            await self._silence_agent()
        if audio is not None:
            await self.hear(AgentTurnStarted(_LAST))
            await self.hear(AgentSaid(_LAST, words))
            await self.hear(AgentAudio(_LAST, audio))
            await self.hear(AgentTurnEnded(_LAST, "completed", {}))
        await asyncio.sleep(self.playback.ahead_s())

    async def not_put_through(self) -> None:
        """The person cannot be reached: the agent is told, and goes on."""
        self._quiet_since = self._now()
        if (wish := self.to_person.failed()) is not None:
            await self._answer(Answer(wish.call, NOT_REACHED, react=True))

    async def mute(self) -> None:
        """The leg is lost: what the agent says now is not heard, and it shall know that."""
        self.playback.muted = True
        if await self._silence_agent():
            self._missed = True

    async def unmute(self) -> None:
        """There is a leg again."""
        self.playback.muted = False
        self._quiet_since = self._now()
        if self._missed:
            self._missed = False
            self._ask(self._quiet_since)
            await self._bridge.prompt(LINE_DROPPED, speaker="system")

    # --- what can be asked ------------------------------------------------------------------------

    def quiet_since(self, now: float) -> float | None:
        """Since when nobody speaks and nothing is made or played, while an answer to the caller's
        last words may be on its way; None: somebody does."""
        ends_at = self.playback.ends_at
        busy = self._caller_speaks or self._asked or self._floor.busy or self.to_person.is_on
        if busy or ends_at > now:
            return None
        return max(self._quiet_since, ends_at)

    def pauses(self, now: float) -> bool:
        """Whether nobody speaks, and no answer is on its way either, as far as anybody can tell."""
        since = self.quiet_since(now)
        return since is not None and now - since >= PAUSE_S

    def stalled(self, now: float) -> bool:
        """Whether the bridge owes words and has been still for too long, with nothing to hear."""
        still_s = now - max(self._last_event_at, self.playback.ends_at)
        return (self._asked and still_s > TURN_START_S) or (
            self._floor.busy and still_s > FIRST_AUDIO_S
        )

    def due(self, now: float) -> list[float]:
        """Times at which the talk is to be looked at again, as things stand."""
        due = [self.patience.due_at(self.quiet_since(now))]
        if self._digits.due_at is not None:
            due.append(self._digits.due_at)
        if self.patience.ending:
            due.append(self.playback.ends_at)
        return due

    # --- within -----------------------------------------------------------------------------------

    async def _silence_agent(self) -> bool:
        """Makes all turns stale; returns whether something of them goes unheard."""
        now = self._now()
        cuts = await self.playback.silence()
        if cuts:
            self._quiet_since = now
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

    async def _answer(self, answer: Answer) -> None:
        if answer.react:
            self._ask(self._now())
        await self._bridge.answer(answer.call, answer.output, react=answer.react)

    def _ask(self, now: float) -> None:
        self._asked = True
        self._last_event_at = now
