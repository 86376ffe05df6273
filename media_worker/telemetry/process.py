"""The process's telemetry: where spans go to, and the instruments that all calls share.

Metric attributes are few and of few values: the bridge, the agent's name, an end reason, a code.
Call ids stand on spans only.
"""

import re
from collections.abc import Callable, Iterable

from opentelemetry.metrics import CallbackOptions, MeterProvider, NoOpMeterProvider, Observation
from opentelemetry.trace import NoOpTracerProvider, TracerProvider

SCOPE = "switchboard.media_worker"

_SETUP_MS = (250, 500, 750, 1000, 1500, 2000, 3000, 4000, 6000, 8000, 12_000, 20_000, 30_000)
_REPLY_MS = (100, 200, 300, 400, 500, 600, 800, 1000, 1250, 1500, 2000, 3000, 5000, 8000)
_STOP_MS = (20, 50, 100, 150, 200, 250, 300, 400, 500, 750, 1000, 2000)
_LAG_MS = (1, 2, 5, 10, 20, 50, 100, 250, 500, 1000, 5000)
_CODE = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


class Telemetry:
    """Tracer and instruments of one process."""

    def __init__(
        self, tracers: TracerProvider | None = None, meters: MeterProvider | None = None
    ) -> None:
        """Without providers nothing is told to anybody."""
        self.tells = tracers is not None
        """Whether anybody listens: what costs a request of its own is asked for only then."""
        self.tracer = (tracers or NoOpTracerProvider()).get_tracer(SCOPE)
        self.live_calls: Callable[[], int] | None = None
        """Asked from the exporter's thread."""
        self.queue_depth: int | None = None
        """Messages on the queue, as last counted; None: not known."""
        meter = (meters or NoOpMeterProvider()).get_meter(SCOPE)
        meter.create_observable_gauge(
            "switchboard.calls.live", [self._live], "{call}", "Calls in progress at this worker"
        )
        meter.create_observable_gauge(
            "switchboard.queue.depth", [self._depth], "{message}", "Messages on the sessions queue"
        )
        self.setup_ms = meter.create_histogram(
            "switchboard.call.setup_ms",
            "ms",
            "From the ring to the first agent audio sent",
            explicit_bucket_boundaries_advisory=_SETUP_MS,
        )
        self.reply_ms = meter.create_histogram(
            "switchboard.turn.reply_ms",
            "ms",
            "From the caller's last word to the first audio of the agent's answer",
            explicit_bucket_boundaries_advisory=_REPLY_MS,
        )
        self.stop_ms = meter.create_histogram(
            "switchboard.barge_in.stop_ms",
            "ms",
            "From the caller's first sound to StopAudio sent",
            explicit_bucket_boundaries_advisory=_STOP_MS,
        )
        self.lag_ms = meter.create_histogram(
            "switchboard.loop.lag_ms",
            "ms",
            "How late the event loop woke",
            explicit_bucket_boundaries_advisory=_LAG_MS,
        )
        self.bridge_errors = meter.create_counter(
            "switchboard.bridge.errors", "{error}", "Errors and lost connections of the AI services"
        )
        self.calls_ended = meter.create_counter(
            "switchboard.calls.ended", "{call}", "Calls whose end this worker saw"
        )

    def lagged(self, lag_ms: float) -> None:
        """The event loop woke `lag_ms` late."""
        self.lag_ms.record(lag_ms)

    def _live(self, _: CallbackOptions) -> Iterable[Observation]:
        return [] if self.live_calls is None else [Observation(self.live_calls())]

    def _depth(self, _: CallbackOptions) -> Iterable[Observation]:
        return [] if self.queue_depth is None else [Observation(self.queue_depth)]


def code_of(text: str) -> str:
    """`text` if it has the shape of a code, else `other`: a service's text is not ours to repeat,
    and an attribute has few values."""
    return text if _CODE.fullmatch(text) else "other"
