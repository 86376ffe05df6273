import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.callbacks import CallEvent, parse_events

# As recorded by Microsoft's SDK tests (azure-sdk-for-python, call automation, 2026-03-12).
CONNECTED = {
    "id": "2f4cb098-0000-4000-8000-00155d012345",
    "source": "calling/callConnections/06004980-19f4-465a-b630-76c371713dff",
    "type": "Microsoft.Communication.CallConnected",
    "data": {
        "resultInformation": {"code": 200, "subCode": 0, "message": ""},
        "version": "2026-03-12",
        "callConnectionId": "0b004880-19f4-465a-b630-76c371713dff",
        "serverCallId": "aHR0cHM6Ly9hcGk=",
        "correlationId": "1b541d21-0000-4000-8000-00155d012345",
        "publicEventType": "Microsoft.Communication.CallConnected",
    },
    "time": "2026-09-15T11:36:07.9937574+00:00",
    "specversion": "1.0",
    "datacontenttype": "application/json",
    "subject": "calling/callConnections/0b004880-19f4-465a-b630-76c371713dff",
}
HEARD = CallEvent("CallConnected", "0b004880-19f4-465a-b630-76c371713dff", "200/0")


def parsed(document: Any) -> list[CallEvent] | None:
    return parse_events(json.dumps(document).encode())


def test_a_recorded_event_is_read_by_the_connection_id_of_its_data() -> None:
    assert parsed([CONNECTED]) == [HEARD]
    assert parsed(CONNECTED) == [HEARD]


def test_the_media_failure_keeps_its_code_for_the_log() -> None:
    failed = {
        "type": "Microsoft.Communication.MediaStreamingFailed",
        "data": {
            "callConnectionId": "0b004880-19f4-465a-b630-76c371713dff",
            "resultInformation": {"code": 400, "subCode": 8581, "message": "not operational"},
        },
    }
    events = parsed([failed, CONNECTED])
    assert events is not None
    assert [event.code for event in events] == ["400/8581", "200/0"]


@pytest.mark.parametrize("code", [None, "?", [], {"code": "x", "subCode": None}])
def test_an_event_without_a_result_is_an_event_all_the_same(code: object) -> None:
    one = CONNECTED | {"data": {"callConnectionId": "a-1", "resultInformation": code}}
    assert parsed([one]) == [CallEvent("CallConnected", "a-1", "")]


def test_a_malformed_event_does_not_take_the_others_with_it() -> None:
    assert parsed([None, {"type": "x"}, CONNECTED, {"type": 7, "data": {}}]) == [HEARD]


@pytest.mark.parametrize("document", [None, 1, "x", [1], [{}], [{"type": "a\nb", "data": {}}]])
def test_what_holds_no_event_at_all_is_none(document: object) -> None:
    assert parsed(document) is None


@given(st.binary(max_size=300))
def test_no_bytes_make_parsing_raise(body: bytes) -> None:
    parse_events(body)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["type", "data", "callConnectionId", "resultInformation", "code"]),
                inner,
            )
        ),
        max_leaves=9,
    )
)
def test_no_document_makes_parsing_raise(document: object) -> None:
    parsed(document)
    parsed([document, CONNECTED])
