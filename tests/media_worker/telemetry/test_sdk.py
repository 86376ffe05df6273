"""What is not seen from outside (tests/media_worker/telemetry/test_export.py)."""

import pytest

from media_worker.telemetry.sdk import Health


def test_failing_exports_are_told_once_and_their_return_once_all_work(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", logger="media_worker")
    health = Health()
    for signal, works in (
        ("spans", True),
        ("spans", False),
        ("metrics", False),
        ("spans", False),
        ("spans", True),
        ("metrics", False),
        ("metrics", True),
        ("metrics", True),
        ("metrics", False),
    ):
        health.note(signal, works=works)
    told = [record.getMessage() for record in caplog.records]
    assert told == ["telemetry_unavailable", "telemetry_available", "telemetry_unavailable"]
