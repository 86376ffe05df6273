"""The real SDK against a small stand-in for the service: one behaviour at a time."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from switchboard.acs_calls import Accepted, CallAutomation, Refused
from switchboard.moves import AcsView
from switchboard.operations import Acted
from tests.switchboard.acs_stand import (
    CALL,
    CONNECTION,
    DONE,
    DROP,
    HANG,
    OK,
    REQUEST,
    THROTTLED,
    Stand,
    answer,
    refusal,
    using,
)


def test_the_answer_asks_for_everything_the_bridge_needs() -> None:
    stand, verdict = answer(OK)
    assert verdict == Accepted(CONNECTION)
    assert stand.requests[0][:2] == ("POST", "/calling/callConnections:answer")
    assert stand.bodies()[0] == {
        "incomingCallContext": REQUEST.context,
        "callbackUri": REQUEST.callback_url,
        "callIntelligenceOptions": {"cognitiveServicesEndpoint": "https://ai.test"},
        "mediaStreamingOptions": {
            "transportType": "websocket",
            "transportUrl": REQUEST.media_url,
            "contentType": "audio",
            "audioChannelType": "mixed",
            "audioFormat": "pcm24KMono",
            "startMediaStreaming": True,
            "enableBidirectional": True,
            "enableDtmfTones": True,
        },
    }


def test_a_rate_of_16_khz_is_asked_for_by_its_name() -> None:
    stand = Stand(OK)
    slow = replace(REQUEST, audio_rate=16000, cognitive_services_endpoint=None)
    using(stand, lambda calls: calls.answer(slow))
    body = stand.bodies()[0]
    assert body["mediaStreamingOptions"]["audioFormat"] == "pcm16KMono"
    assert "callIntelligenceOptions" not in body


def test_every_attempt_by_any_process_is_the_same_request_to_the_byte() -> None:
    first, _ = answer(THROTTLED, (500, {}, {}), DROP, OK)
    second, _ = answer(OK)
    whole = first.requests + second.requests
    assert len(whole) == 5
    assert len({body for _, _, _, body in whole}) == 1
    for name, value in (
        ("Repeatability-Request-ID", REQUEST.repeatability_id),
        ("Repeatability-First-Sent", "Wed, 18 Nov 2026 11:06:40 GMT"),
    ):
        assert {headers[name] for _, _, headers, _ in whole} == {value}


@pytest.mark.parametrize(
    ("status", "code", "proof", "gone"),
    [
        (400, "8523", True, False),
        (401, "Denied", True, False),
        (403, "7504", True, False),
        (404, "8522", False, True),
        (400, "8501", False, True),
        (400, "8528", False, True),
        (409, "8519", False, True),
        (400, "8585", False, True),
        (400, "8567", False, False),
        (405, "8520", False, False),
    ],
)
def test_a_refusal_is_told_apart_by_what_it_proves(
    status: int, code: str, proof: bool, gone: bool
) -> None:
    stand, verdict = answer(refusal(status, code), OK)
    assert verdict == Refused(status, code, proof=proof, gone=gone)
    assert len(stand.requests) == 1


def test_a_refusal_after_a_lost_reply_proves_nothing() -> None:
    _, verdict = answer(DROP, refusal(403, "7504"))
    assert verdict == Refused(403, "7504", proof=False, gone=False)
    _, verdict = answer((500, {}, {}), refusal(400, "8523"))
    assert verdict == Refused(400, "8523", proof=False, gone=False)
    _, verdict = answer(THROTTLED, refusal(400, "8523"))
    assert verdict == Refused(400, "8523", proof=True, gone=False)


@pytest.mark.parametrize("body", [{}, {"error": "no"}, [], None])
def test_a_refusal_without_the_documented_body_is_still_a_refusal(body: Any) -> None:
    _, verdict = answer((400, body, {}))
    assert verdict == Refused(400, "", proof=False, gone=False)


def test_a_rejected_caller_hears_the_busy_tone() -> None:
    stand = Stand((204, None, {}))
    acted = using(stand, lambda calls: calls.reject("CONTEXT", REQUEST.repeatability_id, 0.0))
    assert acted is Acted.DONE
    assert stand.requests[0][1] == "/calling/callConnections:reject"
    assert stand.bodies() == [{"incomingCallContext": "CONTEXT", "callRejectReason": "busy"}]


@pytest.mark.parametrize(
    ("reply", "view"),
    [
        (refusal(404, "8522"), AcsView.GONE),
        (refusal(400, "8528"), AcsView.GONE),
        (refusal(401, ""), AcsView.UNKNOWN),
        ((200, CALL | {"callConnectionState": "disconnecting"}, {}), AcsView.GONE),
        ((200, CALL | {"callConnectionState": "disconnected"}, {}), AcsView.GONE),
        ((200, CALL | {"callConnectionState": "transferring"}, {}), AcsView.TRANSFERRING),
        ((200, CALL | {"callConnectionState": "transferAccepted"}, {}), AcsView.TRANSFERRING),
        ((200, CALL | {"callConnectionState": "connected"}, {}), AcsView.UNKNOWN),
        ((200, CALL | {"callConnectionState": "asleep"}, {}), AcsView.UNKNOWN),
        (OK, AcsView.UNKNOWN),
        (HANG, AcsView.UNKNOWN),
    ],
)
def test_the_state_of_a_call_is_seen_as_the_service_tells_it(reply: Any, view: AcsView) -> None:
    assert using(Stand(reply), lambda calls: calls.view(CONNECTION)) is view


@pytest.mark.parametrize("call_state", ["connecting", "connected"])
@pytest.mark.parametrize(
    ("state", "view"),
    [
        ("active", AcsView.STREAMING),
        ("inactive", AcsView.SILENT),
        ("disabled", AcsView.SILENT),
        (None, AcsView.UNKNOWN),
    ],
)
def test_a_connected_call_is_seen_by_its_media_subscription(
    call_state: str, state: str | None, view: AcsView
) -> None:
    subscription = {"id": "s", "state": state, "subscribedContentTypes": ["audio"]}
    call = CALL | {"callConnectionState": call_state, "mediaStreamingSubscription": subscription}
    assert using(Stand((200, call, {})), lambda calls: calls.view(CONNECTION)) is view


OPERATIONS: dict[str, tuple[Callable[[CallAutomation], Awaitable[Acted]], int]] = {
    "restart": (lambda calls: calls.restart(CONNECTION), 202),
    "stop_and_start": (lambda calls: calls.stop_and_start(CONNECTION), 202),
    "apologise": (lambda calls: calls.apologise(CONNECTION, "Sorry."), 202),
    "transfer": (lambda calls: calls.transfer(CONNECTION, "+18005550199"), 202),
    "hang_up": (lambda calls: calls.hang_up(CONNECTION), 204),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_says_what_became_of_it(operation: str) -> None:
    act, done = OPERATIONS[operation]
    assert using(Stand((done, {}, {})), act) is Acted.DONE
    assert using(Stand(refusal(404, "8522")), act) is Acted.GONE
    assert using(Stand(refusal(400, "8528")), act) is Acted.GONE
    assert using(Stand(refusal(400, "8501")), act) is Acted.REFUSED
    assert using(Stand(refusal(409, "8519")), act) is Acted.REFUSED
    assert using(Stand((500, {}, {})), act) is Acted.FAILED
    assert using(Stand(HANG), act) is Acted.FAILED


@pytest.mark.parametrize("operation", ["restart", "apologise", "transfer", "hang_up"])
def test_a_throttled_operation_is_tried_again(operation: str) -> None:
    act, done = OPERATIONS[operation]
    stand = Stand(THROTTLED, (done, {}, {}))
    assert using(stand, act) is Acted.DONE
    assert len(stand.requests) == 2


def test_an_apology_whose_reply_was_lost_is_not_said_twice() -> None:
    stand = Stand(DROP, DONE)
    assert using(stand, OPERATIONS["apologise"][0]) is Acted.FAILED
    assert len(stand.requests) == 1


def test_the_apology_is_spoken_to_everyone_over_anything_that_plays() -> None:
    stand = Stand(DONE)
    using(stand, OPERATIONS["apologise"][0])
    body = stand.bodies()[0]
    assert body["playSources"][0]["text"]["text"] == "Sorry."
    assert body["playTo"] == []
    assert body["interruptCallMediaOperation"] is True


@pytest.mark.parametrize("operation", ["transfer", "hang_up"])
def test_attempts_at_one_transfer_or_hang_up_are_one_to_the_service(operation: str) -> None:
    act, done = OPERATIONS[operation]
    stand = Stand(DROP, (done, {}, {}))
    assert using(stand, act) is Acted.DONE
    ids = {headers["Repeatability-Request-ID"] for _, _, headers, _ in stand.requests}
    assert (len(stand.requests), len(ids)) == (2, 1)


def test_hanging_up_ends_the_call_for_everyone() -> None:
    stand = Stand((204, {}, {}))
    using(stand, OPERATIONS["hang_up"][0])
    assert stand.requests[0][1] == f"/calling/callConnections/{CONNECTION}:terminate"


def test_streaming_that_is_not_on_is_started_all_the_same() -> None:
    stand = Stand(refusal(400, "8501"), DONE)
    assert using(stand, OPERATIONS["stop_and_start"][0]) is Acted.DONE
    assert [path.rsplit(":", 1)[1] for _, path, _, _ in stand.requests] == [
        "stopMediaStreaming",
        "startMediaStreaming",
    ]
