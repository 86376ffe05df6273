from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.decide import Answer, Decision, Envelope, Ignore, Reject, decide, raw_id_of
from switchboard.directory import parse_directory

RESOURCE = (
    "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Communication"
    "/communicationServices/contoso"
)
NOW = 1_795_000_000.0
CONTEXT = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJjYyI6Ikg0c0kifQ."
TEAMS = "28:orgid:cc123456-5678-5678-1234-ccc123456789"
DIRECTORY = parse_directory(
    f"""
default_agent = "reception"
fallback_number = "+18005550199"

[agents.reception]
bridge = "voice_live"
model = "gpt-realtime"
instructions = "Be kind."

[agents.sales]
bridge = "voice_live"
model = "gpt-realtime"
instructions = "Sell."

[numbers]
"+18662315126" = "sales"
"{TEAMS}" = "sales"
""",
    source="agents.toml",
)


def phone(number: str) -> dict[str, Any]:
    return {"kind": "phoneNumber", "rawId": f"4:{number}", "phoneNumber": {"value": number}}


def data(**changed: Any) -> dict[str, Any]:
    values = {
        "to": phone("+18662315126"),
        "from": phone("+18447649276"),
        "serverCallId": "aHR0cHM6Ly9hcGk=",
        "callerDisplayName": "",
        "incomingCallContext": CONTEXT,
        "correlationId": "19e93701-0000-4000-8000-00155d012345",
    } | changed
    return {name: value for name, value in values.items() if value is not None}


def decided(
    what: object, *, unmapped: Any = "default", known: bool = True, **changed: Any
) -> Decision:
    envelope: dict[str, Any] = {
        "type": "Microsoft.Communication.IncomingCall",
        "source": RESOURCE,
        "time": NOW - 1,
        "data": what,
    }
    return decide(
        Envelope(**envelope | changed),
        DIRECTORY if known else None,
        acs_resource_id=RESOURCE,
        unmapped=unmapped,
        now=NOW,
    )


def answered(what: object, **changed: Any) -> Answer:
    decision = decided(what, **changed)
    assert isinstance(decision, Answer), decision
    return decision


def ignored(what: object, **changed: Any) -> str:
    decision = decided(what, **changed)
    assert isinstance(decision, Ignore), decision
    return decision.why


def test_a_call_to_a_mapped_number_is_answered_by_its_agent() -> None:
    answer = answered(data(callerDisplayName="Zoë"))
    assert answer.route.agent.name == "sales"
    assert answer.generation == DIRECTORY.generation
    assert (answer.call.called, answer.call.caller) == ("4:+18662315126", "4:+18447649276")
    assert answer.call.caller_name == "Zoë"
    assert answer.call.context == CONTEXT


def test_a_teams_phone_call_is_matched_by_its_raw_id() -> None:
    # Shape: Teams Phone extensibility quickstart, "Answer Teams calls".
    answer = answered(
        data(
            to={"kind": "unknown", "rawId": TEAMS},
            callerDisplayName="+12065551212",
            customContext={"voipHeaders": {"X-myCustomVoipHeaderName": "myValue"}},
        )
    )
    assert answer.route.agent.name == "sales"


def test_a_voip_caller_is_known_by_raw_id() -> None:
    user = "8:acs:9f1d2c1a-0000-4000-8000-00155d012345_0000001a-2b3c"
    caller = {"kind": "communicationUser", "communicationUser": {"id": user}}
    assert answered(data(**{"from": caller})).call.caller == user


@pytest.mark.parametrize(
    "caller",
    [
        None,
        "+1",
        {},
        {"kind": "phoneNumber", "rawId": "4:anonymous", "phoneNumber": {"value": "anonymous"}},
        {"rawId": "4:+18447649276", "phoneNumber": {"value": "+1", "isAnonymous": True}},
        {"kind": "phoneNumber", "rawId": "4:\n+1"},
        {"kind": "unknown", "rawId": "x" * 300},
    ],
)
def test_a_withheld_or_unusable_caller_is_anonymous_and_answered(caller: object) -> None:
    assert answered(data(**{"from": caller})).call.caller == "anonymous"


@pytest.mark.parametrize(
    ("identifier", "raw_id"),
    [
        ({"rawId": "4:+1555"}, "4:+1555"),
        ({"phoneNumber": {"value": "+15550100001"}}, "4:+15550100001"),
        (
            {"kind": "phoneNumber", "rawId": "", "phoneNumber": {"value": "15550100001"}},
            "4:15550100001",
        ),
        ({"communicationUser": {"id": "8:acs:a_b"}}, "8:acs:a_b"),
        ({"phoneNumber": {"value": "+1555\r\nX: y"}}, None),
        ({"phoneNumber": "+1555"}, None),
        ({"rawId": "4:+1555 0100"}, None),
        ({"rawId": 5, "communicationUser": {"id": ""}}, None),
        ([], None),
    ],
)
def test_an_identifier_gives_its_raw_id_or_none(identifier: object, raw_id: str | None) -> None:
    assert raw_id_of(identifier) == raw_id


def test_an_unmapped_number_gets_the_default_agent_or_the_busy_tone_as_set() -> None:
    unmapped = data(to=phone("+18662310000"))
    assert answered(unmapped).route.agent.name == "reception"
    rejected = decided(unmapped, unmapped="reject")
    assert isinstance(rejected, Reject)
    assert rejected.why == "no agent for the number"
    assert answered(data(), unmapped="reject").route.agent.name == "sales"


@pytest.mark.parametrize("raw_id", ["28:orgid:other", "8:acs:someone_else", "8:orgid:user"])
def test_another_identity_may_be_another_applications_and_is_left_alone(raw_id: str) -> None:
    assert "another application" in ignored(data(to={"kind": "unknown", "rawId": raw_id}))


def test_only_our_own_resource_is_believed_in_any_writing_of_its_id() -> None:
    assert ignored(data(), source=RESOURCE + "2") == "raised by another resource"
    assert ignored(data(), source="") == "raised by another resource"
    assert answered(data(), source=RESOURCE.lower() + "/")


@pytest.mark.parametrize(
    "kind",
    ["Microsoft.Communication.CallEnded", "Microsoft.EventGrid.SubscriptionDeletedEvent", ""],
)
def test_other_events_are_ignored(kind: str) -> None:
    assert ignored(data(), type=kind) == "not an incoming call"


def test_a_call_that_has_rung_for_25_seconds_is_not_answered_any_more() -> None:
    assert answered(data(), time=NOW - 25)
    assert ignored(data(), time=NOW - 25.1).startswith("too old")


def test_a_clock_ahead_of_ours_makes_no_call_too_old() -> None:
    assert answered(data(), time=NOW + 90)


def test_without_a_directory_the_phone_rings_on() -> None:
    assert ignored(data(), known=False) == "there is no usable directory"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"to": None}, "malformed: to"),
        ({"to": {"rawId": "4:+1 555"}}, "malformed: to"),
        ({"incomingCallContext": None}, "malformed: incomingCallContext"),
        ({"incomingCallContext": ""}, "malformed: incomingCallContext"),
        ({"incomingCallContext": "a\nb"}, "malformed: incomingCallContext"),
        ({"incomingCallContext": "a" * 40_000}, "malformed: incomingCallContext"),
        ({"incomingCallContext": {"a": 1}}, "malformed: incomingCallContext"),
    ],
)
def test_an_event_without_what_an_answer_needs_is_ignored(
    changed: dict[str, Any], why: str
) -> None:
    assert ignored(data(**changed)) == why


def test_an_event_without_time_or_data_is_ignored() -> None:
    assert ignored(data(), time=None) == "malformed: no time"
    assert ignored(None) == "malformed: data"


def test_missing_and_surprising_ids_do_not_stop_an_answer() -> None:
    call = answered(
        data(correlationId=None, serverCallId=7, callerDisplayName=["x"], customContext=0)
    ).call
    assert (call.correlation_id, call.server_call_id, call.caller_name) == ("", "", "")


def test_a_display_name_is_made_printable_and_short() -> None:
    call = answered(data(callerDisplayName=" Mal\x00lo\u202ery\n" + "x" * 500)).call
    assert call.caller_name.startswith("Mallory")
    assert len(call.caller_name) <= 128


def test_two_deliveries_are_one_call_and_a_passed_on_call_is_another() -> None:
    first = answered(data()).call.call_id
    assert answered(data(callerDisplayName="later")).call.call_id == first
    passed_on = answered(data(to={"kind": "unknown", "rawId": TEAMS})).call.call_id
    assert passed_on != first


def test_the_capability_to_answer_is_never_shown() -> None:
    assert CONTEXT not in repr(answered(data()))


JUNK = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@given(
    JUNK, st.sampled_from(["to", "from", "incomingCallContext", "correlationId", "serverCallId"])
)
def test_no_junk_in_any_field_makes_the_decision_raise(junk: object, name: str) -> None:
    decided(data(**{name: junk}))
    decided(junk)
