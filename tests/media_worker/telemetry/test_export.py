"""In real time: the exporters work in threads of their own."""

import asyncio
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import metrics, trace

from media_worker.settings import Settings
from media_worker.telemetry.export import exporting
from media_worker.telemetry.limits import BATCH_SPANS, FLUSH_S, QUEUED_SPANS
from media_worker.telemetry.process import Telemetry
from simulator.identity import Identity, check_token
from simulator.script import AfterWait, CallerScript, HangUp, Step
from simulator.tls import make_certificate
from switchboard.clock import wall_now
from tests.calls.whole import ROOT
from tests.media_worker.stage import stage
from tests.media_worker.telemetry.collector import Collector, collector

LEAVES_SOON = CallerScript((Step(HangUp(), AfterWait(300)),))
KEY = "00000000-0000-4000-8000-000000000001"
ELSEWHERE = {
    "ACS_ENDPOINT": "http://127.0.0.1:9",
    "ACS_ACCESS_KEY": "a2V5",
    "ACS_IMMUTABLE_RESOURCE_ID": KEY,
    "STORAGE_CONNECTION_STRING": "UseDevelopmentStorage=true",
    "CREDENTIAL": "none",
    "VOICE_LIVE_ENDPOINT": "http://127.0.0.1:9",
    "VOICE_LIVE_KEY": "key",
}
"""A worker's settings towards nothing."""


def settings(**more: str) -> Settings:
    return Settings.from_env(ELSEWHERE | more)


@pytest.fixture(autouse=True, scope="module")
def libraries_log_again() -> Iterator[None]:
    """What exports turns its libraries' logs off for the whole process."""
    names = ("opentelemetry", "azure.monitor.opentelemetry")
    levels = [logging.getLogger(name).level for name in names]
    yield
    for name, level in zip(names, levels, strict=True):
        logging.getLogger(name).setLevel(level)


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.getMessage().startswith("telemetry_")]


def tell(telemetry: Telemetry, spans: int) -> None:
    for _ in range(spans):
        telemetry.tracer.start_span("told").end()


def test_a_call_reaches_the_collector() -> None:
    async def scenario() -> Collector:
        async with collector() as here:
            options = {"OTEL_EXPORTER_OTLP_ENDPOINT": here.url + "/"}
            options["OTEL_EXPORTER_OTLP_HEADERS"] = "x-api-key=a%20key,x-team=phones"
            async with stage(None, None, **options) as system:
                call = await system.ring(LEAVES_SOON)
                await call.simulated.ended()
                await system.until(lambda: system.worker.live_calls == 0)
        return here

    here = asyncio.run(scenario())
    names = [span.name for span in here.spans]
    assert names.count("switchboard.call") == 1
    assert "switchboard.turn" in names
    assert len({span.trace_id for span in here.spans}) == 1
    assert "switchboard-media-worker" in here.services
    assert {"switchboard.calls.ended", "switchboard.call.setup_ms", "switchboard.loop.lag_ms"} <= {
        metric.name for metric in here.metrics
    }
    for headers in here.headers:
        assert (headers["x-api-key"], headers["x-team"]) == ("a key", "phones")


def test_a_call_reaches_application_insights_and_nothing_else_is_sent() -> None:
    async def scenario() -> Collector:
        async with collector() as here:
            text = f"InstrumentationKey={KEY};IngestionEndpoint={here.url}"
            async with stage(APPLICATIONINSIGHTS_CONNECTION_STRING=text) as system:
                call = await system.ring(LEAVES_SOON)
                await call.simulated.ended()
                await system.until(lambda: system.worker.live_calls == 0)
        return here

    here = asyncio.run(scenario())

    def named(kind: str) -> dict[str, dict[str, Any]]:
        found = (item["data"]["baseData"] for item in here.items if item["name"].endswith(kind))
        return {data["name"] if "name" in data else data["message"]: data for data in found}

    (request,) = named("Request").values()
    assert request["name"] == "switchboard.call"
    assert request["success"]
    assert request["properties"]["switchboard.agent"] == "reception"
    assert "switchboard.turn.status" in named("RemoteDependency")["switchboard.turn"]["properties"]
    phases = named("Message")
    assert {"media_connected", "bridging"} <= phases.keys()
    assert {item["iKey"] for item in here.items} == {KEY}
    roles = {item["tags"]["ai.cloud.role"] for item in here.items}
    assert roles == {"switchboard-media-worker"}
    metrics = {
        metric["name"]
        for item in here.items
        for metric in item["data"]["baseData"].get("metrics", [])
    }
    assert "switchboard.call.setup_ms" in metrics
    assert all(name.startswith("switchboard.") for name in metrics)


def test_a_library_that_traces_by_itself_reaches_nobody() -> None:
    async def scenario() -> Collector:
        async with (
            collector() as here,
            exporting(settings(OTEL_EXPORTER_OTLP_ENDPOINT=here.url)) as telemetry,
        ):
            trace.get_tracer("library").start_span("GET /media/id/token").end()
            metrics.get_meter("library").create_counter("library.requests").add(1)
            tell(telemetry, 1)
            telemetry.lagged(2.0)
        return here

    here = asyncio.run(scenario())
    assert [span.name for span in here.spans] == ["told"]
    assert [metric.name for metric in here.metrics] == ["switchboard.loop.lag_ms"]


def test_without_a_destination_the_sdk_is_not_even_imported() -> None:
    code = """if True:
        import asyncio, sys
        from media_worker import app
        from media_worker.settings import Settings
        from tests.media_worker.stage import stage
        async def serve():
            async with stage():
                pass
        asyncio.run(serve())
        exports = ("opentelemetry.sdk", "opentelemetry.exporter", "azure.monitor")
        sys.exit(str([name for name in sys.modules if name.startswith(exports)] or ""))
    """
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.strip()) == (1, ""), done.stderr


def test_a_collector_that_does_not_answer_holds_up_nothing_and_fills_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario() -> Collector:
        loop = asyncio.get_running_loop()
        async with collector() as here:
            here.answers.clear()
            async with exporting(settings(OTEL_EXPORTER_OTLP_ENDPOINT=here.url)) as telemetry:
                began = loop.time()
                tell(telemetry, 4 * QUEUED_SPANS)
                assert loop.time() - began < 5
                while not here.headers:
                    await asyncio.sleep(0.05)
                here.answers.set()
                while len(here.spans) < QUEUED_SPANS:
                    await asyncio.sleep(0.05)
        return here

    here = asyncio.run(scenario())
    assert QUEUED_SPANS <= len(here.spans) <= QUEUED_SPANS + BATCH_SPANS
    assert logged(caplog) == []


def test_the_end_of_the_process_waits_for_the_collector_only_so_long(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        async with collector() as here:
            here.answers.clear()
            async with exporting(settings(OTEL_EXPORTER_OTLP_ENDPOINT=here.url)) as telemetry:
                tell(telemetry, 3)
                began = loop.time()
            assert loop.time() - began < FLUSH_S + 3

    asyncio.run(scenario())
    assert logged(caplog) == ["telemetry_not_flushed"]


def test_a_collector_that_refuses_is_reported_once_and_again_when_it_is_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")

    async def scenario() -> None:
        async with collector() as here:
            here.status = 400
            async with exporting(settings(OTEL_EXPORTER_OTLP_ENDPOINT=here.url)) as telemetry:
                for refused in (1, 2, 3):
                    tell(telemetry, BATCH_SPANS)
                    while len(here.headers) < refused:
                        await asyncio.sleep(0.05)
                here.status = 200
                tell(telemetry, BATCH_SPANS)
                while not here.spans:
                    await asyncio.sleep(0.05)

    asyncio.run(scenario())
    assert logged(caplog) == ["telemetry_unavailable", "telemetry_available"]
    assert not [r for r in caplog.records if r.name.startswith("opentelemetry")]


def test_nobody_at_the_address_is_no_fault_of_the_worker(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with exporting(settings(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")) as nobody:
            tell(nobody, BATCH_SPANS)
            while not logged(caplog):
                await asyncio.sleep(0.05)

    asyncio.run(scenario())
    assert logged(caplog)[0] == "telemetry_unavailable"


def test_application_insights_is_told_by_the_managed_identity(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> tuple[Collector, Identity]:
        certificate = make_certificate(tmp_path)
        async with Identity() as identity, collector(certificate.server_context()) as here:
            for name, value in identity.env().items():
                monkeypatch.setenv(name, value)
            by_identity = settings(
                APPLICATIONINSIGHTS_CONNECTION_STRING=(
                    f"InstrumentationKey={KEY};IngestionEndpoint={here.url}"
                ),
                CREDENTIAL="managed_identity",
                TLS_CA_FILE=str(certificate.ca_file),
            )
            async with exporting(by_identity) as telemetry:
                tell(telemetry, 1)
        return here, identity

    here, identity = asyncio.run(scenario())
    assert [item["data"]["baseData"]["name"] for item in here.items if "Dep" in item["name"]]
    assert [audience.rstrip("/") for audience in identity.issued] == ["https://monitor.azure.com"]
    for headers in here.headers:
        token = headers["authorization"].removeprefix("Bearer ")
        check_token(token, audience="https://monitor.azure.com", now=wall_now())
