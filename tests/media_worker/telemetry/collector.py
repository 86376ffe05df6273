"""A collector on this machine: takes OTLP over HTTP and Application Insights' requests, decoded."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from simulator.serving import serve


@dataclass
class Collector:
    """What came, and how the next request is answered."""

    url: str = ""
    spans: list[Span] = field(default_factory=list)
    metrics: list[Metric] = field(default_factory=list)
    services: set[str] = field(default_factory=set)
    items: list[dict[str, Any]] = field(default_factory=list)
    """Application Insights' envelopes."""
    headers: list[dict[str, str]] = field(default_factory=list)
    status: int = 200
    answers: asyncio.Event = field(default_factory=asyncio.Event)
    """Cleared: requests are taken and not answered."""

    transports: set[asyncio.Transport] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.answers.set()

    async def _taken(self, request: web.Request) -> bytes:
        if request.transport is not None:
            self.transports.add(request.transport)
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        body = await request.read()
        await self.answers.wait()
        return body

    async def traces(self, request: web.Request) -> web.Response:
        body = ExportTraceServiceRequest.FromString(await self._taken(request))
        if self.status == 200:
            for of_resource in body.resource_spans:
                self.services |= {a.value.string_value for a in of_resource.resource.attributes}
                for of_scope in of_resource.scope_spans:
                    self.spans += of_scope.spans
        return web.Response(status=self.status, content_type="application/x-protobuf")

    async def measures(self, request: web.Request) -> web.Response:
        body = ExportMetricsServiceRequest.FromString(await self._taken(request))
        if self.status == 200:
            for of_resource in body.resource_metrics:
                for of_scope in of_resource.scope_metrics:
                    self.metrics += of_scope.metrics
        return web.Response(status=self.status, content_type="application/x-protobuf")

    async def track(self, request: web.Request) -> web.Response:
        items = json.loads(await self._taken(request))
        self.items += items
        count = len(items)
        return web.json_response({"itemsReceived": count, "itemsAccepted": count, "errors": []})


@asynccontextmanager
async def collector(tls: ssl.SSLContext | None = None) -> AsyncIterator[Collector]:
    """A collector that answers 200 to everything, until told otherwise."""
    here = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", here.traces)
    app.router.add_post("/v1/metrics", here.measures)
    app.router.add_post("/{version:v2|v2.1}/track", here.track)
    async with serve(app, ssl_context=tls) as here.url:
        try:
            yield here
        finally:
            here.answers.set()
    for transport in here.transports:
        transport.abort()  # an exporter may leave its connection open
    await asyncio.sleep(0)
