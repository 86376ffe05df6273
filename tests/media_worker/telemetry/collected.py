"""Everything that a worker tells, kept in memory and open to inspection."""

from collections.abc import Iterator, Sequence

from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    HistogramDataPoint,
    InMemoryMetricReader,
    MetricsData,
    NumberDataPoint,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from media_worker.telemetry.process import Telemetry


class Collected:
    """`telemetry` for a worker, and what came of it."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        resource = Resource({"service.name": "tested"})
        self.tracers = TracerProvider(ALWAYS_ON, resource, shutdown_on_exit=False)
        self.tracers.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.meters = MeterProvider([self._reader], resource, shutdown_on_exit=False)
        self.telemetry = Telemetry(self.tracers, self.meters)

    def spans(self, name: str | None = None) -> list[ReadableSpan]:
        """Finished spans, of this name or all, by their start."""
        found = [s for s in self._exporter.get_finished_spans() if name in (None, s.name)]
        return sorted(found, key=lambda span: (span.start_time or 0, span.end_time or 0))

    def one(self, name: str) -> ReadableSpan:
        """The only span of this name."""
        (span,) = self.spans(name)
        return span

    def numbers(self, name: str) -> dict[tuple[str, ...], float]:
        """A counter or gauge: its value by its attributes' values."""
        return {
            attributes(point): point.value
            for point in self._points(name)
            if isinstance(point, NumberDataPoint)
        }

    def histogram(self, name: str) -> dict[tuple[str, ...], tuple[int, float, float]]:
        """How many values, the least and the greatest, by the attributes' values."""
        return {
            attributes(point): (point.count, point.min, point.max)
            for point in self._points(name)
            if isinstance(point, HistogramDataPoint)
        }

    def wire(self) -> bytes:
        """All spans and metrics as a collector would get them."""
        spans = encode_spans(self.spans()).SerializeToString()
        return bytes(spans) + bytes(encode_metrics(self._metrics()).SerializeToString())

    def _metrics(self) -> MetricsData:
        return self._reader.get_metrics_data() or MetricsData([])

    def _points(self, name: str) -> Iterator[NumberDataPoint | HistogramDataPoint]:
        for of_resource in self._metrics().resource_metrics:
            for of_scope in of_resource.scope_metrics:
                for metric in of_scope.metrics:
                    if metric.name == name:
                        for point in metric.data.data_points:
                            assert isinstance(point, NumberDataPoint | HistogramDataPoint)
                            yield point


def attributes(point: NumberDataPoint | HistogramDataPoint) -> tuple[str, ...]:
    """The values, in the order of the names."""
    return tuple(str(value) for _, value in sorted((point.attributes or {}).items()))


def tree(spans: Sequence[ReadableSpan]) -> list[tuple[str, str]]:
    """Each span's name with its parent's; `remote` for one that is not among `spans`."""
    names = {span.context.span_id: span.name for span in spans if span.context}
    return [
        (span.name, names.get(span.parent.span_id, "remote") if span.parent else "none")
        for span in spans
    ]
