import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard.end_reason import EndReason
from switchboard.record import (
    Answered,
    CallRecord,
    Closing,
    Ended,
    Live,
    Lost,
    MessageRef,
    RecordError,
    Ringing,
    TurnRecord,
)
from tests.switchboard.call_world import descriptor

NUMBERS, REASONS = st.integers(0, 9), st.sampled_from(EndReason)
STATES = st.one_of(
    st.builds(Ringing, NUMBERS),
    st.just(Answered()),
    st.builds(Live, NUMBERS, st.text(), st.none() | st.text()),
    st.builds(Lost, NUMBERS, REASONS, st.booleans()),
    st.builds(Closing, NUMBERS, REASONS),
    st.builds(Ended, REASONS),
)
TURNS = st.builds(
    TurnRecord,
    speaker=st.sampled_from(["caller", "agent"]),
    text=st.none() | st.text(),
    heard_text=st.none() | st.text(),
    started_ms=st.integers(0, 10**7),
    interrupted=st.booleans(),
    reply_latency_ms=st.none() | st.floats(0, 1e4),
)
RECORDS = st.builds(
    CallRecord,
    call_id=st.just(descriptor().call_id),
    state=STATES,
    by=st.text(),
    seq=NUMBERS,
    media_token_hash=st.text(),
    callback_token_hash=st.text(),
    descriptor=st.just(descriptor("+15550100")),
    connection_id=st.none() | st.text(),
    setup=st.none() | st.builds(MessageRef, st.text(), st.text()),
    media_refusal=st.none() | st.text(),
    turns=st.lists(TURNS, max_size=3).map(tuple),
    usage=st.dictionaries(st.text(), st.integers(0, 10**9), max_size=3),
    started=st.none() | st.floats(0, 1e10),
    ended=st.none() | st.floats(0, 1e10),
)
PLAIN = CallRecord(
    call_id=descriptor().call_id,
    state=Lost(2, EndReason.MEDIA_FAILED),
    media_token_hash="m",
    callback_token_hash="c",
    descriptor=descriptor(),
    turns=(TurnRecord(speaker="agent", text="hello"),),
)


@given(RECORDS)
def test_what_is_written_is_what_is_read(record: CallRecord) -> None:
    assert CallRecord.from_json(record.to_json()) == record


def test_fields_that_a_later_version_added_are_passed_over() -> None:
    fields = json.loads(PLAIN.to_json())
    fields["mood"] = fields["turns"][0]["mood"] = fields["state"]["mood"] = "good"
    assert CallRecord.from_json(json.dumps(fields)) == PLAIN


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version": 2}, "version 2 is unknown"),
        ({"state": {"name": "paused"}}, "state 'paused' is unknown"),
        ({"state": {"name": "live", "epoch": 1}}, "missing: owner"),
        ({"state": {"name": "ended", "reason": "bored"}}, "malformed"),
        ({"state": "ringing"}, "malformed"),
        ({"seq": "1"}, "malformed: seq"),
        ({"seq": True}, "malformed: seq"),
        ({"turns": [{"text": "who spoke?"}]}, "malformed"),
        ({"usage": {"tokens": "many"}}, "malformed"),
        ({"usage": []}, "malformed"),
        ({"descriptor": {"version": 9}}, "descriptor: version 9 is unknown"),
        ({"setup": {"id": "m"}}, "malformed"),
    ],
)
def test_a_record_that_cannot_be_read_is_refused_with_the_reason(
    change: dict[str, Any], reason: str
) -> None:
    fields = json.loads(PLAIN.to_json()) | change
    with pytest.raises(RecordError, match=reason):
        CallRecord.from_json(json.dumps(fields))


@pytest.mark.parametrize("name", sorted(json.loads(PLAIN.to_json())))
def test_a_missing_field_is_named(name: str) -> None:
    fields = json.loads(PLAIN.to_json())
    del fields[name]
    with pytest.raises(RecordError, match="version None" if name == "version" else name):
        CallRecord.from_json(json.dumps(fields))


@pytest.mark.parametrize("text", ["", "[]", "null", '"text"', "{", "[" * 100_000])
def test_garbage_is_refused(text: str) -> None:
    with pytest.raises(RecordError, match=r"not JSON|not a JSON object"):
        CallRecord.from_json(text)


@pytest.mark.parametrize(
    ("state", "own"),
    [
        (Ringing(1), {"setup", "live", "other"}),
        (Answered(), {"setup"}),
        (Live(1, "w", "live"), {"live"}),
        (Live(1, "w", None), {"setup", "live", "other"}),
        (Lost(1, EndReason.MEDIA_FAILED), {"setup", "live", "other"}),
        (Closing(1, EndReason.MEDIA_FAILED), {"setup", "live", "other"}),
        (Ended(EndReason.TOO_LONG), set()),
    ],
)
def test_a_message_is_the_calls_own_if_the_record_names_it_or_names_none(
    state: Live, own: set[str]
) -> None:
    record = replace(PLAIN, state=state, setup=MessageRef("setup", "r"))
    assert {name for name in ("setup", "live", "other") if record.owns(name)} == own
