import io
import json
import logging

from doctor.verdicts import Fail, NotChecked, Ok
from doctor.worker_log import claim_mend, lines_of, token_verdict
from media_worker import log

CALL = "20261126-0123456789abcdef01234567"
OTHER = "20261126-ffffffffffffffffffffffff"


def written(**fields: str) -> list[str]:
    """The worker's log with one doubtful token, through its own formatter."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(log.JsonLines())
    logger = logging.getLogger("media_worker")
    logger.addHandler(handler)
    try:
        log.event("call_taken", "warning", call_id=OTHER)
        if fields:
            log.event("media_token_doubtful", "warning", call_id=CALL, **fields)  # type: ignore[arg-type]  # the fields are texts
        else:
            log.event("call_taken", "warning", call_id=CALL)
    finally:
        logger.removeHandler(handler)
    return ["not JSON at all\n", *stream.getvalue().splitlines(keepends=True)]


def test_a_claim_in_doubt_is_told_with_what_was_expected_and_received() -> None:
    lines = written(claim="aud", expected="one-guid", received="'another'")
    verdict = token_verdict(lines_of(lines, CALL))
    assert verdict == Fail(
        "media_token_doubtful: aud, expected one-guid, received 'another'", claim_mend("aud")
    )
    assert "Set ACS_IMMUTABLE_RESOURCE_ID" in claim_mend("aud")


def test_a_clock_that_is_off_is_told_in_seconds() -> None:
    lines = written(claim="nbf", expected="before 1795000000", received="1795000200")
    verdict = token_verdict(lines_of(lines, CALL))
    assert isinstance(verdict, Fail)
    assert verdict.detail.endswith("received 1795000200, 200 s apart")
    assert "Set the worker's clock right" in verdict.mend


def test_a_call_whose_token_was_not_doubted_is_good_and_one_of_another_worker_unknown() -> None:
    assert isinstance(token_verdict(lines_of(written(), CALL)), Ok)
    assert isinstance(token_verdict(lines_of(written()[:2], CALL)), NotChecked)


def test_a_prefix_that_a_log_viewer_puts_before_each_line_does_no_harm() -> None:
    line = "2026-11-26T10:00:00Z " + json.dumps(
        {"event": "media_refused", "call_id": CALL, "claim": "calls", "expected": "1"}
    )
    assert isinstance(token_verdict(lines_of([line, "{broken"], CALL)), Fail)
