"""One conversation with Voice Live, without its connection: what to send, what to report.

Turns and items are `memory.py`, requests to speak are `asks.py`; here the service's events meet
them and become the bridge's.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, assert_never

from media_worker.bridges import (
    AgentAudio,
    AgentSaid,
    AgentTurnEnded,
    AgentTurnStarted,
    BridgeEvent,
    CallerSaid,
    Failed,
    Notice,
    SpeechStarted,
    SpeechStopped,
    ToolCall,
    TurnStatus,
    client_events,
)
from media_worker.bridges import server_events as wire
from media_worker.bridges.asks import TURNS_FAIL, Asks
from media_worker.bridges.caller_clock import CallerClock
from media_worker.bridges.session import Received
from media_worker.bridges.voice_live import protocol
from media_worker.bridges.voice_live.memory import Memory
from media_worker.tools import Tool
from switchboard.agents import VoiceLiveAgent
from switchboard.record import TurnRecord

GO_ON = (
    "The line was interrupted for a moment, so the caller missed what you were saying or is "
    "waiting for an answer. Apologise in a few words, then go on."
)
_STATUSES: dict[str, TurnStatus] = {
    "cancelled": "cancelled",
    "incomplete": "incomplete",
    "failed": "failed",
}
_PADDING_MS = 420.0
"""Default of `prefix_padding_ms` in the Azure detectors; 400 in `server_vad`."""


class Conversation:
    """See `session.Conversation`. The state of one call's conversation; `earlier`: what was said
    before its first connection. Every method returns the messages to send, in order; none while
    there is no connection."""

    def __init__(
        self,
        agent: VoiceLiveAgent,
        rate: int,
        call_id: str,
        earlier: Sequence[TurnRecord] = (),
        tools: Sequence[Tool] = (),
    ) -> None:
        self._agent, self._rate, self._call_id, self._tools = agent, rate, call_id, tools
        self._memory = Memory(rate, agent.heard_truth, earlier)
        self._asks = Asks()
        self._active: str | None = None
        """The turn that is being made."""
        self._owed = bool(earlier) and (earlier[-1].speaker == "caller" or earlier[-1].interrupted)
        """Whether the caller waits for an answer."""
        self.clock = CallerClock(rate, agent.turn_detection, _PADDING_MS)
        self._open = False
        self.service_name: str | None = None
        """In agent mode, the service's name of the conversation, to go on with."""
        self._retell = bool(earlier)
        """Whether the next connection knows nothing of what was said."""
        if agent.greeting and not earlier:
            self._asks.add(words=agent.greeting)

    def settings(self) -> bytes:
        """See `session.Conversation`."""
        return protocol.session_update(self._agent, self._rate, self._call_id, self._tools)

    def settings_without(self, refused: str) -> bytes | None:
        """See `session.Conversation`: words of the caller in the record are no must."""
        if "transcription" not in refused or self._agent.transcription is None:
            return None
        self._agent = replace(self._agent, transcription=None)
        return self.settings()

    def created(self, session: wire.SessionCreated) -> None:
        """See `session.Conversation`."""
        self.service_name = session.conversation

    def opened(self) -> list[bytes]:
        """A connection took our settings: it is told what was said, if it does not know."""
        self._open = True
        send = self._memory.retold() if self._retell else []
        if self._owed and not len(self._asks):
            self._asks.add(before=[protocol.add_message("system", GO_ON)])
        return send + self._ask()

    def dropped(self) -> list[BridgeEvent]:
        """The connection is gone, and what it was about to say."""
        report: list[BridgeEvent] = []
        if self._active is not None:
            report.append(AgentTurnEnded(self._active, "failed", {}))
            self._owed = True
        elif self.clock.unanswered_ms:
            self._owed = False  # the words will be heard again, and answered
        self._memory.dropped()
        self._asks.dropped()
        self._open, self._active = False, None
        self.clock.restart()
        self._retell = self.service_name is None
        return report

    def say(self, text: str) -> list[bytes]:
        """See `Bridge.say`."""
        self._asks.add(words=text)
        return self._ask()

    def prompt(self, text: str, speaker: Literal["caller", "system"]) -> list[bytes]:
        """See `Bridge.prompt`."""
        message = protocol.add_message("user" if speaker == "caller" else "system", text)
        self._asks.add(before=[message])
        return self._ask()

    def answer(self, call: str, output: str, *, react: bool) -> list[bytes]:
        """See `Bridge.answer`."""
        result = client_events.function_output(call, output)
        if not react:
            return [result] if self._open else []
        self._asks.add(before=[result])
        return self._ask()

    def interrupt(self, turn: str, heard_ms: int) -> list[bytes]:
        """See `Bridge.interrupt`."""
        self._owed = False
        return self._memory.interrupt(turn, heard_ms)

    def cancel(self, turn: str) -> list[bytes]:
        """See `Bridge.cancel`."""
        return self._memory.cancel(turn)

    def receive(self, event: wire.ServerEvent) -> Received:
        """Takes in one server event."""
        match event:
            case wire.AudioDelta(response, item, index, audio):
                return self._audio(response, item, index, audio)
            case wire.TextDelta(response, item, text):
                self._memory.words(response, item, text)
                return Received([AgentSaid(response, text)])
            case wire.WordSpoken(response, item, word, end_ms):
                self._memory.word_spoken(response, item, word, end_ms)
            case wire.SpeechStarted(item, at_ms):
                return Received([SpeechStarted(item, self.clock.started_ago_ms(at_ms))])
            case wire.SpeechStopped(item, at_ms):
                self._owed = True
                return Received([SpeechStopped(item, self.clock.stopped_ago_ms(at_ms))])
            case wire.CallerTranscript(item, text):
                self._memory.caller_said(item, text)
                return Received([CallerSaid(item, text)])
            case wire.ResponseCreated(response):
                self._active = response
                self.clock.answered()
                self._memory.turn_started(response)
                self._asks.turn_started()
                return Received([AgentTurnStarted(response)])
            case wire.FunctionCall(response, call, name, arguments):
                return Received([ToolCall(response, call, name, arguments)])
            case wire.ResponseDone():
                return self._turn_done(event)
            case wire.Trouble():
                return self._trouble(event)
            case wire.ItemCreated(item, previous):
                self._memory.item_created(item, previous)
            case wire.Malformed():
                return Received([Notice("malformed", "event")])
            case wire.SessionCreated() | wire.SessionUpdated() | wire.Other():
                pass
            case _:
                assert_never(event)
        return Received()

    def _audio(self, turn: str, item: str, content_index: int, audio: bytes) -> Received:
        whole = self._memory.audio(turn, item, content_index, audio)
        if whole is None:
            return Received([Notice("malformed", "audio")])
        self._owed = False
        return Received([AgentAudio(turn, whole)] if whole else [])

    def _turn_done(self, event: wire.ResponseDone) -> Received:
        turn = event.response
        status = _STATUSES.get(event.status, "completed")
        send = self._memory.done(turn)
        report: list[BridgeEvent] = [AgentTurnEnded(turn, status, event.usage)]
        if turn == self._active:
            self._active = None
            if status == "completed":
                self._asks.turn_completed()
            elif status == "failed" and not self._memory.was_cut(turn):
                spoke = self._memory.has_items(turn)
                if not self._asks.turn_failed(spoke=spoke):
                    report.append(Failed("turns_fail", TURNS_FAIL))
                elif not len(self._asks):
                    self._asks.add()
        return Received(report, send + self._ask())

    def _trouble(self, event: wire.Trouble) -> Received:
        notice = Notice("error" if event.fatal else "warning", event.code)
        if event.fatal:
            self._asks.error(event.event_id, event.param, event.code)
        return Received([notice], self._ask())

    def _ask(self) -> list[bytes]:
        return self._asks.next() if self._open and self._active is None else []
