"""The Event Grid trigger: a phone rings."""

from datetime import UTC

import azure.functions as func

from functions.decide import Envelope
from functions.loading import Loading


def blueprint(loading: Loading) -> func.Blueprint:
    """The function `incoming_call`."""
    functions = func.Blueprint()  # type: ignore[no-untyped-call]  # it ships so

    @functions.function_name("incoming_call")
    @functions.event_grid_trigger(arg_name="event")
    async def incoming_call(event: func.EventGridEvent, context: func.Context) -> None:
        """Fails only when Event Grid should deliver the event again."""
        services = await loading.services()
        from functions.answering import take  # needs the SDKs, which are loaded by now

        await take(services, envelope_of(event), context.trace_context.trace_parent)

    return functions


def envelope_of(event: func.EventGridEvent | func.CloudEvent) -> Envelope:
    """What both event schemas have in common. The runtime gives a `CloudEvent` for a CloudEvents
    subscription, whatever the annotation says (verified against azure-functions 1.26)."""
    if isinstance(event, func.CloudEvent):
        kind, source, time = event.type, event.source, event.time
    else:
        kind, source, time = event.event_type, event.topic, event.event_time
    if time is not None and time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    return Envelope(
        type=str(kind),
        source=str(source),
        time=None if time is None else time.timestamp(),
        data=event.get_json(),
    )
