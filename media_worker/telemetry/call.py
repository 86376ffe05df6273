"""One call's telemetry at this worker: its spans, under the span that answered, and its metrics.

    switchboard.call                    from the socket's arrival to the last word about the call
      telephony.media.connect           the doors and the upgrade
      switchboard.call.take             the claim in the ledger
      telephony.agent_session.connect   until the bridge's service listens, or gives up
      switchboard.turn                  each turn of the agent, until it was heard or cut
      switchboard.media.resume          the socket is gone: until what became of it is known
      switchboard.recovery              what is done about that at Azure Communication Services
      telephony.call.transfer           to a person: the agent's wish, or the end after an apology
      telephony.call.hangup             the end, where it is ours to make
      switchboard.call.apologise        the end, where the agent cannot tell the caller

Names and phases follow Foundry's voice agents, where they have one. The parent is the descriptor's
`traceparent`, so that every worker that carries the call adds to the same trace. Times are the
loop's, put on the wall clock once per call.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from media_worker.bridges import (
    AgentTurnEnded,
    AgentTurnStarted,
    BridgeEvent,
    Failed,
    Notice,
    Ready,
)
from media_worker.leg import CallOutcome, Ended
from media_worker.playback import Playback
from media_worker.telemetry.agent_turns import AgentTurns
from media_worker.telemetry.process import Telemetry, code_of
from media_worker.telemetry.trace import about, ns, parent
from media_worker.turns import Turns
from switchboard.clock import wall_now
from switchboard.end_reason import EndReason
from switchboard.session import SessionDescriptor

_FAILURES = frozenset(
    {
        EndReason.BRIDGE_FAILED,
        EndReason.MEDIA_FAILED,
        EndReason.MEDIA_REFUSED,
        EndReason.WORKER_LOST,
        EndReason.DRAINED,
        EndReason.FAULT,
    }
)
_UNREPORTED = frozenset({"stalled", "ended"})
"""Failures of a bridge that it did not report itself."""


@dataclass(slots=True)
class Step:
    """Part of a call that takes time; whoever takes it says how it ended."""

    outcome: str = ""
    """One of our own names, such as `taken`; empty: it did not come to its end."""


class CallTelemetry:
    """See the module. It is the `leg.Told` and the `turns.Listener` of its call."""

    def __init__(
        self,
        telemetry: Telemetry,
        descriptor: SessionDescriptor,
        *,
        arrived_at: float | None = None,
        resumed: bool = False,
    ) -> None:
        """`arrived_at`: when the socket knocked that is open now (loop time; None: just now).
        `resumed`: the call was carried before, here or elsewhere."""
        self._telemetry = telemetry
        self._rung_at = descriptor.rung_at
        self._resumed = resumed
        self._now = asyncio.get_running_loop().time
        self._epoch_s = wall_now() - self._now()
        self._about = about(descriptor)
        self._metric = {"agent": descriptor.agent.name, "bridge": descriptor.agent.bridge}
        self._spoke = False
        self._connecting: Span | None = None
        began = self._now() if arrived_at is None else arrived_at
        self._call = telemetry.tracer.start_span(
            "switchboard.call",
            parent(descriptor),
            SpanKind.SERVER,
            {**self._about, "switchboard.resumed": resumed},
            start_time=self._ns(began),
        )
        self._within = trace.set_span_in_context(self._call)
        self._turns = AgentTurns(
            lambda: self._span("switchboard.turn", self._now()), self._now, self._ns
        )
        self._span("telephony.media.connect", began).end(self._ns(self._now()))

    # --- steps ------------------------------------------------------------------------------------

    @contextmanager
    def step(self, name: str, **attributes: str) -> Iterator[Step]:
        """A span around what the block does. `attributes`: names of our own."""
        span, step = self._span(name, self._now()), Step()
        for key, value in attributes.items():
            span.set_attribute(f"switchboard.{key}", value)
        try:
            yield step
        finally:
            if step.outcome:
                span.set_attribute("switchboard.outcome", step.outcome)
            span.end(self._ns(self._now()))

    def listen(self, turns: Turns, playback: Playback) -> None:
        """See `leg.Told`."""
        turns.listener = self
        playback.on_stop = turns.silenced
        self._connect()

    def taken(self) -> None:
        """The caller's leg spoke and the call is ours."""
        self._phase("media_connected")

    def rejoined(self) -> None:
        """Another socket of the same caller took the place of the former."""
        self._call.add_event("media_reconnected", timestamp=self._ns(self._now()))

    # --- the bridge -------------------------------------------------------------------------------

    def heard(self, event: BridgeEvent, *, renewing: bool = False) -> None:
        """See `leg.Told`."""
        match event:
            case Ready():
                self._phase("agent_session_ready")
                self._connected("ready")
            case Notice("dropped", code):
                if not renewing:
                    self._bridge_error(code)
                self._connect()
            case Notice("error", code):
                self._bridge_error(code)
            case Failed(code):
                self._bridge_error(code)
                self._connected(code_of(code), failed=True)
            case AgentTurnStarted(turn):
                self._turns.started(turn)
            case AgentTurnEnded(turn, status, usage):
                self._turns.made(turn, status, usage)
            case _:
                pass  # words, tools and the caller's speech

    def _connect(self) -> None:
        self._connected("dropped")
        name = "telephony.agent_session.connect"
        self._connecting = self._span(name, self._now(), SpanKind.CLIENT)

    # --- turns ------------------------------------------------------------------------------------

    def agent_began(self, turn: str, at: float, reply_ms: float | None) -> None:
        """See `turns.Listener`."""
        self._turns.began(turn, at, reply_ms)
        if reply_ms is not None:
            self._telemetry.reply_ms.record(reply_ms, self._metric)
        if not self._spoke:
            self._spoke = True
            self._phase("bridging")
            if not self._resumed:
                setup_ms = round((self._epoch_s + at - self._rung_at) * 1000, 1)
                self._telemetry.setup_ms.record(max(0.0, setup_ms), self._metric)

    def agent_ends(self, turn: str, at: float) -> None:
        """See `turns.Listener`."""
        self._turns.ends(turn, at)

    def agent_cut(self, turn: str, at: float, heard_ms: int) -> None:
        """See `turns.Listener`."""
        self._turns.cut(turn, at, heard_ms)

    def silenced(self, after_ms: float) -> None:
        """See `turns.Listener`."""
        self._telemetry.stop_ms.record(after_ms, self._metric)

    # --- the end ----------------------------------------------------------------------------------

    def ended(self, outcome: CallOutcome, reason: EndReason | None) -> None:
        """The last word about the call here. `reason` as in the record; None: it does not say that
        the call ended, so somebody else has it, or writes the end and counts it."""
        if outcome.failure in _UNREPORTED:
            self._bridge_error(outcome.failure)
        if not isinstance(outcome.ending, Ended):
            self._call.set_attribute("switchboard.left", outcome.ending.why)
        elif reason is None:
            self._call.set_attribute("switchboard.left", "unrecorded")
        else:
            self._telemetry.calls_ended.add(1, {**self._metric, "end_reason": str(reason)})
            self._call.set_attribute("switchboard.end_reason", str(reason))
            if failed := bool(_FAILURES & {reason, outcome.ending.reason}):
                self._call.set_status(Status(StatusCode.ERROR))
            self._phase("failed" if failed else "completed")

    def close(self) -> None:
        """Ends every span that is still open, however the call ended. Once."""
        self._turns.close()
        self._connected("given_up")
        self._call.end(self._ns(self._now()))

    # --- within -----------------------------------------------------------------------------------

    def _bridge_error(self, code: str) -> None:
        attributes = {"bridge": self._metric["bridge"], "code": code_of(code)}
        self._telemetry.bridge_errors.add(1, attributes)

    def _connected(self, outcome: str, *, failed: bool = False) -> None:
        if (span := self._connecting) is not None:
            self._connecting = None
            span.set_attribute("switchboard.outcome", outcome)
            if failed:
                span.set_status(Status(StatusCode.ERROR))
            span.end(self._ns(self._now()))

    def _phase(self, name: str) -> None:
        self._call.add_event(name, timestamp=self._ns(self._now()))
        self._call.set_attribute("telephony.phase", name)

    def _span(self, name: str, at: float, kind: SpanKind = SpanKind.INTERNAL) -> Span:
        return self._telemetry.tracer.start_span(
            name, self._within, kind, self._about, start_time=self._ns(at)
        )

    def _ns(self, at: float) -> int:
        return ns(self._epoch_s + at)
