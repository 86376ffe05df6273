"""A call connection: the answering side of a call, its state, its callbacks, its media."""

import asyncio
import uuid
from typing import Any, Literal

from simulator import acs_wire as wire
from simulator.acs_callbacks import Callbacks
from simulator.acs_exchange import Answer, Exchange
from simulator.acs_streaming import Streaming
from simulator.acs_switches import Moment
from simulator.caller import Tick
from simulator.line import Line
from simulator.timeline import Timeline

SPREAD_S = 0.02
"""Between the moments after an answer, where no switch says otherwise."""

State = Literal["connecting", "connected", "transferring", "transferAccepted", "disconnected"]


class Connection:
    """One answered call from the answerer's side, from the answer to CallDisconnected."""

    def __init__(
        self,
        exchange: Exchange,
        answer: Answer,
        line: Line,
        timeline: Timeline,
        *,
        caller: str,
        called: str,
        correlation_id: str,
        server_call_id: str,
    ) -> None:
        self.id = str(uuid.uuid4())
        self.state: State = exchange.switches.answered_state
        self.answer = answer
        self.line = line
        self.timeline = timeline
        self.exchange = exchange
        self.caller = caller
        self.called = called
        self.participants = [caller, exchange.bot]
        self.digits: asyncio.Queue[str] = asyncio.Queue()
        """Pressed while `recognising`."""
        self.recognising = False
        self.continuous_dtmf: str | None = None
        """Operation context of the continuous recognition; None: it is off."""
        self._ids = (correlation_id, server_call_id)
        self._callbacks = Callbacks(
            exchange.http, exchange.issuer, exchange.switches, timeline, exchange.start
        )
        self._tones = 0
        self._updates = 0
        self.streaming: Streaming | None = None
        if answer.media is not None:
            ids = (self.id, correlation_id)
            self.streaming = Streaming(exchange, answer.media, line, timeline, ids, self.report)

    def properties(self) -> dict[str, Any]:
        """CallConnectionProperties, as the REST API shows them."""
        correlation_id, server_call_id = self._ids
        shown: dict[str, Any] = {
            "callConnectionId": self.id,
            "serverCallId": server_call_id,
            "callConnectionState": self.state,
            "targets": [wire.identifier(self.called)],
            "callbackUri": self.answer.callback_uri,
            "sourceDisplayName": "",
            "source": wire.identifier(self.caller),
            "correlationId": correlation_id,
            "answeredBy": {"id": self.exchange.bot},
        }
        if self.called.startswith("4:"):
            shown["answeredFor"] = {"value": self.called[2:]}
        if self.streaming and (subscription := self.streaming.shown()):
            shown["mediaStreamingSubscription"] = subscription
        return shown

    async def pass_moments(self, moments: tuple[Moment, ...]) -> None:
        """Lets what follows an answer happen, in this order."""
        for moment in moments:
            default = 0.0 if moment == "response" else SPREAD_S
            await asyncio.sleep(self.exchange.switches.moment_delay_s.get(moment, default))
            if self.state != "disconnected":
                await self._pass(moment)

    async def _pass(self, moment: Moment) -> None:
        streaming = self.streaming if self.answer.media and self.answer.media.start else None
        match moment:
            case "connected":
                self.state = "connected"
                self.timeline.add("connected")
                self.report("CallConnected", {"resultInformation": wire.result(200, 0, "")})
            case "participants":
                self.participants_updated()
            case "socket" if streaming:
                await streaming.open()
            case "streaming" if streaming:
                streaming.report_start()
            case _:
                pass

    def report(
        self, kind: str, data: dict[str, Any], context: str | None = None, uri: str | None = None
    ) -> None:
        """Posts an event; `context` and `uri` where an operation has its own."""
        correlation_id, server_call_id = self._ids
        common = {
            "callConnectionId": self.id,
            "serverCallId": server_call_id,
            "correlationId": correlation_id,
        }
        if context := context or self.answer.operation_context:
            common["operationContext"] = context
        self._callbacks.post(uri or self.answer.callback_uri, self.id, kind, {**data, **common})

    def participants_updated(self) -> None:
        """Tells who is in the call."""
        self._updates += 1
        people = [participant(raw_id) for raw_id in self.participants]
        data = {"participants": people, "sequenceNumber": self._updates}
        self.report("ParticipantsUpdated", {**data, "resultInformation": wire.result(200, 0, "")})

    async def hear(self, tick: Tick) -> None:
        """20 ms of the caller, and what was pressed."""
        for digit in tick.digits:
            self._press(digit)
        if self.streaming is not None:
            await self.streaming.hear(tick)

    def _press(self, digit: str) -> None:
        if self.recognising:
            self.digits.put_nowait(digit)
        if self.continuous_dtmf is not None:
            self._tones += 1
            self.report(
                "ContinuousDtmfRecognitionToneReceived",
                {
                    "sequenceId": self._tones,
                    "tone": wire.TONES[digit],
                    "resultInformation": wire.DONE,
                },
                self.continuous_dtmf,
            )

    async def finish(self, message: str) -> None:
        """The call is over for the answerer: CallDisconnected, then nothing more."""
        if self.state == "disconnected":
            return
        self.state = "disconnected"
        self.report("CallDisconnected", {"resultInformation": wire.result(200, 7000, message)})
        if self.streaming is not None:
            await self.streaming.finish()


def participant(raw_id: str) -> dict[str, Any]:
    """CallParticipant."""
    return {"identifier": wire.identifier(raw_id), "isMuted": False, "isOnHold": False}
