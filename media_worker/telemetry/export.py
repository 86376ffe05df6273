"""Where telemetry goes: Application Insights, any OpenTelemetry collector, or nowhere."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from media_worker import log
from media_worker.settings import Settings
from media_worker.telemetry.limits import FLUSH_S
from media_worker.telemetry.process import Telemetry

if TYPE_CHECKING:
    from media_worker.telemetry.sdk import Sdk


@asynccontextmanager
async def exporting(settings: Settings) -> AsyncIterator[Telemetry]:
    """The telemetry that the settings ask for. What is left of it is sent when the block ends,
    within `FLUSH_S`."""
    if not (settings.applicationinsights_connection_string or settings.otel_exporter_otlp_endpoint):
        yield Telemetry()
        return
    sdk = await asyncio.to_thread(_sdk, settings)
    try:
        yield Telemetry(sdk.tracers, sdk.meters)
    finally:
        if not await asyncio.to_thread(sdk.close, FLUSH_S):
            log.event("telemetry_not_flushed", "warning", deadline_s=FLUSH_S)


def _sdk(settings: Settings) -> "Sdk":
    """Imports what exports, which takes a tenth of a second: in a thread."""
    from media_worker.telemetry import sdk

    for library in ("opentelemetry", "azure.monitor.opentelemetry"):
        # They log every failure, and of a whole queue every span; `sdk.Health` tells it once.
        logging.getLogger(library).setLevel(logging.CRITICAL + 1)
    if settings.applicationinsights_connection_string is not None:
        return sdk.Sdk(*sdk.application_insights(settings))
    return sdk.Sdk(*sdk.collector(settings))
