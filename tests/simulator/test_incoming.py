"""The IncomingCall event for every kind of caller and called."""

import base64
import json

import pytest

from simulator.acs_wire import raw_id_of
from simulator.incoming import incoming_call_context, incoming_call_data, server_call_id


@pytest.mark.parametrize(
    ("written", "raw_id", "kind"),
    [
        ("+15550001111", "4:+15550001111", "phoneNumber"),
        ("15550001111", "4:+15550001111", "phoneNumber"),
        ("anonymous", "4:anonymous", "phoneNumber"),
        ("8:acs:res_user", "8:acs:res_user", "communicationUser"),
        ("8:orgid:u", "8:orgid:u", "microsoftTeamsUser"),
        ("28:orgid:cc123456", "28:orgid:cc123456", "unknown"),
    ],
)
def test_every_party_has_a_kind_and_a_raw_id(written: str, raw_id: str, kind: str) -> None:
    data = incoming_call_data(raw_id_of(written), "4:+14255550123", "corr", "context")
    assert data["to"]["rawId"] == raw_id
    assert data["to"]["kind"] == kind
    assert "customContext" not in data


def test_an_anonymous_caller_has_no_usable_number() -> None:
    data = incoming_call_data("4:+15550001111", raw_id_of("anonymous"), "corr", "context")
    assert data["from"]["phoneNumber"]["isAnonymous"] is True


def test_the_context_is_opaque_long_and_looks_like_an_unsigned_jwt() -> None:
    context = incoming_call_context("one")
    assert context == incoming_call_context("one")
    assert context != incoming_call_context("two")
    assert 6_000 < len(context) < 10_000
    header, payload, signature = context.split(".")
    assert json.loads(base64.urlsafe_b64decode(header + "==")) == {"alg": "none", "typ": "JWT"}
    assert json.loads(base64.urlsafe_b64decode(payload + "=="))["cc"].startswith("H4sI")
    assert signature == ""


def test_headers_of_the_call_are_passed_on_as_its_custom_context() -> None:
    custom = {"sipHeaders": {"X-MS-Custom-a": "b"}}
    data = incoming_call_data(
        "4:+1", "4:+2", "corr", "x", display_name="Ada", custom_context=custom
    )
    assert data["customContext"] == custom
    assert data["callerDisplayName"] == "Ada"
    assert base64.b64decode(server_call_id("corr")).startswith(b"https://api.flightproxy.")
