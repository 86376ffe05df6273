from dataclasses import replace

import pytest

from media_worker import doors
from media_worker.doors import CONNECTION_ID, Handshakes, Knock
from media_worker.limits import HANDSHAKE_BURST, HANDSHAKES_PER_S
from switchboard.acs_jwt import Refused, Verified
from switchboard.agents import VoiceLiveAgent
from switchboard.end_reason import EndReason
from switchboard.record import (
    Answered,
    CallRecord,
    Closing,
    Ended,
    Live,
    Lost,
    Ringing,
    State,
)
from switchboard.session import SessionDescriptor, derive_token, token_hash

CALL_ID = "20261118-" + "0" * 24
TOKEN = derive_token("context", "media", CALL_ID)
KNOCK = Knock(CALL_ID, TOKEN, "connection-1", None)
DESCRIPTOR = SessionDescriptor(
    call_id=CALL_ID,
    called="4:+15550100001",
    caller="4:+15550100023",
    caller_name="",
    correlation_id="c",
    server_call_id="s",
    rung_at=1_795_000_000.0,
    agent=VoiceLiveAgent(name="reception", model="gpt-realtime"),
    directory_generation="0" * 12,
    fallback_number=None,
    traceparent=None,
    audio_rate=24000,
)
RECORD = CallRecord(
    call_id=CALL_ID,
    state=Answered(),
    media_token_hash=token_hash(TOKEN),
    callback_token_hash="",
    descriptor=DESCRIPTOR,
    connection_id="connection-1",
)
UNBOUND = replace(RECORD, connection_id=None)


def test_what_arrives_as_acs_sends_it_is_let_in() -> None:
    path = {"call_id": CALL_ID, "token": TOKEN}
    knock = Knock.of(path, {CONNECTION_ID: "connection-1"})
    assert doors.shape(knock) is None
    assert doors.identity(Verified({}), "require") is None
    assert doors.admission(knock, RECORD) is None


def test_a_flood_of_handshakes_is_cut_to_the_rate_and_the_burst_comes_back() -> None:
    handshakes = Handshakes(now=100.0)
    assert sum(handshakes.take(100.0) for _ in range(10 * HANDSHAKE_BURST)) == HANDSHAKE_BURST
    assert sum(handshakes.take(101.0) for _ in range(10 * HANDSHAKE_BURST)) == HANDSHAKES_PER_S
    assert sum(handshakes.take(1e6) for _ in range(10 * HANDSHAKE_BURST)) == HANDSHAKE_BURST


def test_the_call_beyond_the_hard_limit_is_refused_and_says_how_many_there_are() -> None:
    assert doors.room(9, max_calls=10) is None
    refusal = doors.room(10, max_calls=10)
    assert refusal is not None
    assert (refusal.status, refusal.received) == (503, "10")


@pytest.mark.parametrize(
    ("knock", "status", "claim"),
    [
        (replace(KNOCK, call_id="../records"), 404, "call_id"),
        (replace(KNOCK, call_id=CALL_ID + "\n"), 404, "call_id"),
        (replace(KNOCK, token="short"), 403, "token"),
        (replace(KNOCK, origin="https://contoso.example"), 403, "origin"),
    ],
)
def test_a_request_that_cannot_be_acs_is_refused_by_its_looks(
    knock: Knock, status: int, claim: str
) -> None:
    refusal = doors.shape(knock)
    assert refusal is not None
    assert (refusal.status, refusal.claim) == (status, claim)


def test_a_bad_service_token_is_refused_with_claim_expected_and_received() -> None:
    refusal = doors.identity(Refused("aud", "ours", "theirs"), "require")
    assert refusal == doors.Refusal(401, "aud", "ours", "theirs")


def test_under_prefer_a_bad_service_token_is_let_pass() -> None:
    assert doors.identity(Refused("aud", "ours", "theirs"), "prefer") is None


@pytest.mark.parametrize(
    ("knock", "record", "status", "claim"),
    [
        (KNOCK, None, 404, "call_id"),
        (replace(KNOCK, token=derive_token("context", "media", "x")), RECORD, 403, "token"),
        (replace(KNOCK, token=derive_token("context", "callback", CALL_ID)), RECORD, 403, "token"),
        (replace(KNOCK, connection_id="connection-2"), RECORD, 403, CONNECTION_ID),
        (replace(KNOCK, connection_id=None), RECORD, 403, CONNECTION_ID),
        (replace(KNOCK, connection_id=None), UNBOUND, 403, CONNECTION_ID),
    ],
)
def test_a_socket_that_is_not_the_calls_own_is_refused(
    knock: Knock, record: CallRecord | None, status: int, claim: str
) -> None:
    refusal = doors.admission(knock, record)
    assert refusal is not None
    assert (refusal.status, refusal.claim) == (status, claim)


def test_a_refusal_never_quotes_a_token() -> None:
    other = derive_token("context", "media", "x")
    for refusal in (
        doors.shape(replace(KNOCK, token="s3cret")),
        doors.admission(replace(KNOCK, token=other), RECORD),
    ):
        assert not any(secret in repr(refusal) for secret in ("s3cret", other, TOKEN))


@pytest.mark.parametrize(
    "state",
    [Ringing(1), Answered(), Live(1, "w", "m"), Lost(0, EndReason.MEDIA_FAILED)],
)
def test_a_call_that_wants_media_is_let_in_even_before_the_answer_is_recorded(state: State) -> None:
    record = replace(UNBOUND, state=state)
    assert doors.admission(KNOCK, record) is None


@pytest.mark.parametrize(
    "state", [Closing(1, EndReason.MEDIA_FAILED), Ended(EndReason.CALLER_HUNG_UP)]
)
def test_a_call_that_is_closing_or_ended_gets_no_media_any_more(state: State) -> None:
    refusal = doors.admission(KNOCK, replace(RECORD, state=state))
    assert refusal is not None
    assert refusal.status == 409
