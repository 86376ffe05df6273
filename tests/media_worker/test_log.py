import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from media_worker import log

SECRETS = ("+15550100023", "tok3n-of-the-call", "my card number is four two")


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    log.set_up("INFO", stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)


def read(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_of_json_with_its_fields(lines: io.StringIO) -> None:
    log.event("call_ended", call_id="20261118-" + "0" * 24, reason="caller_hung_up", turns=3)
    (line,) = read(lines)
    assert line["event"] == "call_ended"
    assert line["level"] == "info"
    assert line["call_id"] == "20261118-" + "0" * 24
    assert line["reason"] == "caller_hung_up"
    assert line["turns"] == 3


def test_a_field_that_is_not_on_the_list_never_reaches_the_line(lines: io.StringIO) -> None:
    log.event("turn", words=SECRETS[2], caller=SECRETS[0])  # type: ignore[call-arg]
    assert not any(secret in lines.getvalue() for secret in SECRETS)


def test_a_defect_is_told_by_kind_and_place_without_the_text_of_its_error(
    lines: io.StringIO,
) -> None:
    try:
        try:
            raise KeyError(SECRETS[1])
        except KeyError as cause:
            raise ExceptionGroup(SECRETS[2], [ValueError(SECRETS[0])]) from cause
    except ExceptionGroup as error:
        log.fault("call_fault", error, call_id="x")
    (line,) = read(lines)
    assert line["error"] == "ExceptionGroup(ValueError)"
    assert "test_log.py" in line["trace"][-1]
    assert not any(secret in lines.getvalue() for secret in SECRETS)


def test_a_library_that_logs_a_request_does_not_reveal_it(lines: io.StringIO) -> None:
    logging.getLogger("aiohttp.access").warning("GET /media/x/%s", SECRETS[1])
    logging.getLogger("azure").error(f"calling {SECRETS[0]}")  # noqa: G004  # as libraries do
    first, second = read(lines)
    assert (first["logger"], second["logger"]) == ("aiohttp.access", "azure")
    assert not any(secret in lines.getvalue() for secret in SECRETS)


def test_a_peers_endless_header_is_cut(lines: io.StringIO) -> None:
    log.event("call_refused", received="x" * 10_000)
    assert len(lines.getvalue()) < 400
