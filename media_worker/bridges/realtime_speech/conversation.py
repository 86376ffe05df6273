"""One conversation of the second bridge, without its connections: what the model's events and the
voice's have to say to each other, to the call, and to the model's memory.

A turn is the model's response, or words of ours. It is over when it is both written and said.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Literal, assert_never

import pybase64

from media_worker.bridges import (
    AgentAudio,
    AgentSaid,
    BridgeEvent,
    CallerSaid,
    Failed,
    Notice,
    SpeechStarted,
    SpeechStopped,
    ToolCall,
    TurnStatus,
)
from media_worker.bridges import server_events as wire
from media_worker.bridges.asks import TURNS_FAIL, Asks
from media_worker.bridges.caller_clock import CallerClock
from media_worker.bridges.client_events import cancel, function_output
from media_worker.bridges.realtime_speech import protocol
from media_worker.bridges.realtime_speech.lateness import Debt
from media_worker.bridges.realtime_speech.memory import Memory
from media_worker.bridges.realtime_speech.turns import Turn, Turns
from media_worker.bridges.session import Received
from media_worker.speech.seams import Levels, Voice
from media_worker.speech.ssml import locale_of
from media_worker.tools import Tool
from switchboard.agents import RealtimeSpeechAgent
from switchboard.record import TurnRecord

GO_ON = (
    "The line was interrupted for a moment, so the caller missed what you were saying or is "
    "waiting for an answer. Apologise in a few words, then go on."
)
_OWN = "own-"
"""Turns of ours are so named; the service's responses are not."""
_STATUSES: dict[str, TurnStatus] = {s: s for s in ("cancelled", "incomplete", "failed")}
_PADDING_MS = 300.0
"""Default of `prefix_padding_ms`."""


class Conversation:
    """The state of one call's conversation, over all its connections. Methods return the messages
    to send, in order; `report` takes what the call is to know."""

    speaker: Voice

    def __init__(
        self,
        agent: RealtimeSpeechAgent,
        rate: int,
        report: Callable[[BridgeEvent], None],
        earlier: Sequence[TurnRecord],
        levels: Levels,
        tools: Sequence[Tool] = (),
    ) -> None:
        self._agent, self._rate, self._report, self._levels = agent, rate, report, levels
        self._tools = tools
        self._memory = Memory(earlier)
        self._asks = Asks()
        locale = agent.voice.locale or locale_of(agent.voice.name) or "en-US"
        self._turns = Turns(locale, report)
        self._active: str | None = None
        """The turn that is being written."""
        self._own = 0
        self._greets = not earlier
        unanswered = bool(earlier) and (earlier[-1].speaker == "caller" or earlier[-1].interrupted)
        self.debt = Debt(unanswered)
        self.clock = CallerClock(protocol.RATE, agent.turn_detection, _PADDING_MS)
        self._open = False

    @property
    def is_answering(self) -> bool:
        """Whether an answer is being written, or has not been said to its end."""
        return self._turns.any_to_come()

    @property
    def owes_answer(self) -> bool:
        """Whether the caller is to hear something: has spoken, or nobody listens, or it is made."""
        return self.debt.owed or not self._open or self.is_answering

    def greet(self) -> None:
        """The call begins."""
        if self._greets and self._agent.greeting:
            self.say(self._agent.greeting)

    def settings(self) -> bytes:
        """See `session.Conversation`."""
        return protocol.session_update(self._agent, self._tools)

    def settings_without(self, refused: str) -> bytes | None:
        """See `session.Conversation`: words of the caller in the record are no must."""
        if "transcription" not in refused or self._agent.transcription is None:
            return None
        self._agent = replace(self._agent, transcription=None)
        return self.settings()

    def created(self, session: wire.SessionCreated) -> None:
        """See `session.Conversation`: its conversations have no names."""

    def opened(self) -> list[bytes]:
        """A connection took our settings: it is told what was said."""
        self._open = True
        if self.debt.owed and not len(self._asks):
            self._asks.add(before=[protocol.add_message("system", GO_ON)])
        return self._memory.retold() + self._ask()

    def dropped(self) -> Sequence[BridgeEvent]:
        """The connection is gone. What it wrote is said all the same."""
        if (name := self._active) is not None:
            self._active = None
            self._written(name, "failed", {})
            self.debt.caller_ended()
        elif self.clock.unanswered_ms:
            self.debt.heard()  # for the words are said again to the next connection
        self._memory.dropped()
        self._asks.dropped()
        self._open = False
        self.clock.restart()
        return ()

    def say(self, text: str) -> list[bytes]:
        """See `Bridge.say`."""
        self._own += 1
        name = f"{_OWN}{self._own}"
        self._turns.begin(name, is_response=False).written = True
        messages = self._memory.own_words(name, text)
        self._report(AgentSaid(name, text))
        self.speaker.say(name, text)
        return messages if self._open else []

    def prompt(self, text: str, speaker: Literal["caller", "system"]) -> list[bytes]:
        """See `Bridge.prompt`."""
        message = protocol.add_message("user" if speaker == "caller" else "system", text)
        self._asks.add(before=[message])
        return self._ask()

    def answer(self, call: str, output: str, *, react: bool) -> list[bytes]:
        """See `Bridge.answer`."""
        result = function_output(call, output)
        if not react:
            return [result] if self._open else []
        self._asks.add(before=[result])
        return self._ask()

    def ask_again(self) -> list[bytes]:
        """The model does not answer: lets go of the turn that it is at, if there is one, and asks
        for another."""
        self.debt.insist()
        if not len(self._asks):
            self._asks.add()
        return [cancel(self._active)] if self._active is not None else self._ask()

    def interrupt(self, name: str, heard_ms: int) -> tuple[list[bytes], str | None]:
        """See `Bridge.interrupt`."""
        self.debt.caller_began()
        self._levels.silenced()
        messages, heard = self._memory.interrupt(name, heard_ms)
        if (turn := self._turns.get(name)) is not None and not turn.interrupted:
            self.speaker.cancel(name)
            self._turns.said(turn, interrupted=True)
        return (messages if self._open else []), heard

    def cancel(self, name: str) -> list[bytes]:
        """See `Bridge.cancel`."""
        if (turn := self._turns.get(name)) is not None and not turn.said:
            self.speaker.cancel(name)
            self._turns.said(turn)
        return self._memory.cancel(name) if self._open else []

    # --- what the model reports -------------------------------------------------------------------

    def receive(self, event: wire.ServerEvent) -> Received:
        """Takes in one server event."""
        return Received(send=self._take(event))

    def _take(self, event: wire.ServerEvent) -> list[bytes]:
        match event:
            case wire.TextDelta(response, item, text):
                self._text(response, item, text)
            case wire.SpeechStarted(item, at_ms):
                self.debt.caller_began()
                if not self._levels.decides:
                    self._report(SpeechStarted(item, self.clock.started_ago_ms(at_ms)))
            case wire.SpeechStopped(item, at_ms):
                self.debt.caller_ended()
                self._report(SpeechStopped(item, self.clock.stopped_ago_ms(at_ms)))
            case wire.CallerTranscript(item, text):
                self._memory.caller_said(item, text)
                self._report(CallerSaid(item, text))
            case wire.ResponseCreated(response):
                self._active = response
                self.clock.answered()
                self._memory.turn_started(response)
                self._asks.turn_started()
                self._turns.begin(response)
                self.speaker.begin(response)
            case wire.FunctionCall(response, call, name, arguments):
                self.debt.called()
                self._report(ToolCall(response, call, name, arguments))
            case wire.ResponseDone(response, status, usage):
                return self._done(response, status, usage)
            case wire.Trouble(fatal, code, event_id, param):
                self._report(Notice("error" if fatal else "warning", code))
                if fatal:
                    self._asks.error(event_id, param, code)
                    return self._ask()
            case wire.ItemCreated(item, previous):
                self._memory.item_created(item, previous)
            case wire.Malformed():
                self._report(Notice("malformed", "event"))
            case (
                wire.SessionCreated()
                | wire.SessionUpdated()
                | wire.Other()
                | wire.AudioDelta()
                | wire.WordSpoken()
            ):
                pass
            case _:
                assert_never(event)
        return []

    def _text(self, name: str, item: str, written: str) -> None:
        turn = self._turns.get(name)
        if turn is None or turn.written:
            return
        turn.item = item
        self._speak(turn, turn.speakable.push(written))

    def _speak(self, turn: Turn, text: str) -> None:
        # An interrupted turn speaks no more, but its item must be known to be replaced.
        self._memory.words(turn.name, turn.item, "" if turn.interrupted else text)
        if text and not turn.interrupted:
            self._report(AgentSaid(turn.name, text))
            self.speaker.write(turn.name, text)

    def _done(self, name: str, status: str, usage: Mapping[str, int]) -> list[bytes]:
        turn = self._turns.get(name)
        self._written(name, _STATUSES.get(status, "completed"), usage)
        send = self._memory.done(name)
        if name == self._active:
            self._active = None
            if turn is not None and not turn.interrupted:
                spoke = bool(turn.item)
                if not self.debt.comes_to_nothing(status, spoke=spoke):
                    self._asks.turn_completed()
                elif not self._asks.turn_failed(spoke=spoke):
                    self._report(Failed("turns_fail", TURNS_FAIL))
        return (send if self._open else []) + self._ask()

    def _written(self, name: str, status: TurnStatus, usage: Mapping[str, int]) -> None:
        if (turn := self._turns.get(name)) is None or turn.written:
            return
        if turn.item:
            self._speak(turn, turn.speakable.flush())
        self.speaker.end(name)
        self._turns.written(turn, status, usage)

    # --- what the voice reports: see `speaking.Listener` ------------------------------------------

    def sound(self, turn: str, pcm: bytes) -> None:
        """See `Listener`."""
        if not turn.startswith(_OWN):  # a phrase of ours is no answer
            self.debt.heard()
        self._levels.played(pcm)
        self._memory.sound(turn, len(pcm) / 2 / self._rate * 1000)
        self._report(AgentAudio(turn, pybase64.b64encode(pcm)))

    def word(self, turn: str, end: int, middle_ms: float) -> None:
        """See `Listener`."""
        self._memory.word_spoken(turn, end, middle_ms)

    def spoken(self, turn: str) -> None:
        """See `Listener`."""
        if (known := self._turns.get(turn)) is not None and not known.said:
            self._turns.said(known)

    def hoarse(self, code: str) -> None:
        """See `Listener`."""
        self._report(Notice("warning", f"speech:{code}"))

    def speechless(self, code: str) -> None:
        """See `Listener`."""
        mend = "no voice can speak: check SPEECH_ENDPOINT, the sign-in and the agent's voice"
        self._report(Failed(f"speech:{code}", mend))

    # --- within -----------------------------------------------------------------------------------

    def _ask(self) -> list[bytes]:
        return self._asks.next() if self._open and self._active is None else []
