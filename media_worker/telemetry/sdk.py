"""The OpenTelemetry SDK as the worker uses it; imported only when telemetry goes somewhere.

Exporters work in threads of their own, behind a queue that drops what does not fit: a collector
that cannot be reached costs no call anything. Of Azure's packages only the exporter is used: the
distribution around it would also send the log lines of libraries and trace the requests of the
Azure SDKs, whose URLs hold what is not to be told.
"""

import os
import secrets
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    MetricExporter,
    MetricExportResult,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from media_worker import log
from media_worker.settings import Settings
from media_worker.telemetry.limits import (
    BATCH_SPANS,
    METRICS_EVERY_S,
    QUEUED_SPANS,
    REQUEST_S,
    SPANS_EVERY_S,
)

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

SERVICE = "switchboard-media-worker"
"""`service.name`; Application Insights shows it as the cloud role."""

_NOT_EXPORTING = (
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL",
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED",
    "APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED",
)
"""What Azure's exporter does besides, and has no other switches for: it reports on itself to
Microsoft and to the resource, fetches settings for itself, and repeats the resource's attributes in
every request."""


class Sdk:
    """Both providers, exporting in the background."""

    def __init__(self, spans: SpanExporter, metrics: MetricExporter) -> None:
        health = Health()
        self._exporters = spans, metrics
        # No detectors: what the environment says of the host and the process is nobody's business.
        resource = Resource({"service.name": SERVICE, "service.instance.id": secrets.token_hex(8)})
        # Every call is traced, whatever the flag of the answer's trace says: the host clears it
        # when it keeps no trace of its own, and calls are few.
        self.tracers = TracerProvider(ALWAYS_ON, resource, shutdown_on_exit=False)
        self.tracers.add_span_processor(
            BatchSpanProcessor(
                _Spans(spans, health),
                max_queue_size=QUEUED_SPANS,
                schedule_delay_millis=SPANS_EVERY_S * 1000,
                max_export_batch_size=BATCH_SPANS,
            )
        )
        reader = PeriodicExportingMetricReader(
            _Metrics(metrics, health),
            export_interval_millis=METRICS_EVERY_S * 1000,
            export_timeout_millis=REQUEST_S * 1000,
        )
        self.meters = MeterProvider([reader], resource, shutdown_on_exit=False)

    def close(self, limit_s: float) -> bool:
        """Sends what is left. False: not done within `limit_s`, and given up. Blocks."""
        closing = [_in_background(self.tracers.shutdown), _in_background(self.meters.shutdown)]
        if not wait(closing, limit_s).not_done:
            return True
        for exporter in self._exporters:
            exporter.shutdown()  # or the next try would still be waited for
        return False


def _in_background(work: Callable[[], None]) -> "Future[None]":
    """Not in an executor, whose threads the end of the process would wait for."""
    future: Future[None] = Future()

    def run() -> None:
        work()
        future.set_result(None)

    threading.Thread(target=run, daemon=True).start()
    return future


class Health:
    """Logs when exports begin to fail and when all work again. Called from any thread."""

    def __init__(self) -> None:
        self._failing: set[str] = set()
        self._lock = threading.Lock()

    def note(self, signal: str, *, works: bool) -> None:
        """One export of `signal` (`spans`, `metrics`) worked, or did not."""
        with self._lock:
            before = bool(self._failing)
            (self._failing.discard if works else self._failing.add)(signal)
            after = bool(self._failing)
        if after and not before:
            log.event("telemetry_unavailable", "warning", outcome=signal)
        elif before and not after:
            log.event("telemetry_available")


class _Spans(SpanExporter):
    def __init__(self, inner: SpanExporter, health: Health) -> None:
        self._inner, self._health = inner, health

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._inner.export(spans)
        self._health.note("spans", works=result is SpanExportResult.SUCCESS)
        return result

    def shutdown(self) -> None:
        self._inner.shutdown()


class _Metrics(MetricExporter):
    def __init__(self, inner: MetricExporter, health: Health) -> None:
        # Delta for Azure, cumulative for collectors: there is no public way to ask.
        super().__init__(inner._preferred_temporality, inner._preferred_aggregation)
        self._inner, self._health = inner, health

    def export(
        self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any
    ) -> MetricExportResult:
        result = self._inner.export(metrics_data, timeout_millis, **kwargs)
        self._health.note("metrics", works=result is MetricExportResult.SUCCESS)
        return result

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        return self._inner.force_flush(timeout_millis)

    def shutdown(self, timeout_millis: float = 30_000, **_: Any) -> None:
        self._inner.shutdown(timeout_millis)


# --- destinations ---------------------------------------------------------------------------------


def collector(settings: Settings) -> tuple[SpanExporter, MetricExporter]:
    """Any OpenTelemetry collector: OTLP over HTTP."""
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    base = settings.otel_exporter_otlp_endpoint
    pairs = (pair.partition("=") for pair in (settings.otel_exporter_otlp_headers or "").split(","))
    headers = {name: unquote(value) for name, _, value in pairs if name}
    return (
        OTLPSpanExporter(f"{base}/v1/traces", headers=headers, timeout=REQUEST_S),
        OTLPMetricExporter(f"{base}/v1/metrics", headers=headers, timeout=REQUEST_S),
    )


def application_insights(settings: Settings) -> tuple[SpanExporter, MetricExporter]:
    """Application Insights. Nothing is kept on disk: what cannot be sent is dropped."""
    for switch in _NOT_EXPORTING:
        os.environ.setdefault(switch, "true")
    from azure.monitor.opentelemetry.exporter import (
        AzureMonitorMetricExporter,
        AzureMonitorTraceExporter,
    )

    options: dict[str, Any] = {
        "connection_string": settings.applicationinsights_connection_string,
        "credential": _credential(settings),
        "disable_offline_storage": True,
        "timeout": REQUEST_S,
        "read_timeout": REQUEST_S,
        "retry_total": 1,
    }
    if settings.tls_ca_file is not None:
        options["connection_verify"] = settings.tls_ca_file
    return AzureMonitorTraceExporter(**options), AzureMonitorMetricExporter(**options)


def _credential(settings: Settings) -> "TokenCredential | None":
    """The exporter asks for tokens in its own thread, so by a credential that blocks."""
    import azure.identity

    match settings.credential:
        case "managed_identity":
            return azure.identity.ManagedIdentityCredential(client_id=settings.azure_client_id)
        case "default":
            client_id = settings.azure_client_id
            return azure.identity.DefaultAzureCredential(managed_identity_client_id=client_id)
        case "azure_cli":
            return azure.identity.AzureCliCredential()
        case "none":
            return None
