"""A call's place in its trace, and the spans of calls that this worker does not carry."""

import asyncio

from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from media_worker.telemetry.process import Telemetry
from switchboard.clock import wall_now
from switchboard.closing import Recovered
from switchboard.record import CallRecord, Ended
from switchboard.session import SessionDescriptor


def about(descriptor: SessionDescriptor) -> dict[str, AttributeValue]:
    """Attributes of every span of this call."""
    return {
        "switchboard.call_id": descriptor.call_id,
        "switchboard.agent": descriptor.agent.name,
        "switchboard.bridge": descriptor.agent.bridge,
    }


def parent(descriptor: SessionDescriptor) -> Context:
    """The span that answered; an empty context when its name is malformed or missing."""
    carrier = {"traceparent": descriptor.traceparent or ""}
    return TraceContextTextMapPropagator().extract(carrier, Context())


def ns(unix_s: float) -> int:
    """Nanoseconds, to the microsecond: a wall clock in a float knows no more."""
    return round(unix_s * 1e6) * 1000


def refused(telemetry: Telemetry, descriptor: SessionDescriptor, claim: str) -> None:
    """A socket of this call, with the call's own token, was refused on `claim`."""
    now = ns(wall_now())
    span = telemetry.tracer.start_span(
        "telephony.media.connect",
        parent(descriptor),
        SpanKind.SERVER,
        {**about(descriptor), "switchboard.outcome": claim},
        start_time=now,
    )
    span.set_status(Status(StatusCode.ERROR))
    span.end(now)


def recovered(
    telemetry: Telemetry, record: CallRecord, began_at: float, outcome: Recovered
) -> None:
    """This worker saw to a call that nobody carried, from `began_at` (loop time) until now. It
    counts as ended here when that is what came of it."""
    now = asyncio.get_running_loop().time()
    epoch_s = wall_now() - now
    attributes: dict[str, AttributeValue] = {
        **about(record.descriptor),
        "switchboard.doubt": "Surfaced",
        "switchboard.outcome": outcome.value,
    }
    if outcome is Recovered.ENDED and isinstance(record.state, Ended):
        attributes["switchboard.end_reason"] = reason = str(record.state.reason)
        agent = record.descriptor.agent
        telemetry.calls_ended.add(
            1, {"agent": agent.name, "bridge": agent.bridge, "end_reason": reason}
        )
    telemetry.tracer.start_span(
        "switchboard.recovery",
        parent(record.descriptor),
        SpanKind.INTERNAL,
        attributes,
        start_time=ns(epoch_s + began_at),
    ).end(ns(epoch_s + now))
