"""What the two storage services share on the wire."""

from xml.etree import ElementTree as ET

import pytest

from simulator.storage_wire import (
    Request,
    StorageError,
    check_resource_name,
    http_date,
    metadata_headers,
    metadata_of,
    number,
)


def _request(**query: str) -> Request:
    headers = {"x-ms-meta-owner": "calls", "x-ms-date": "now"}
    return Request("GET", "/devstoreaccount1/q", ("q",), query, headers)


def test_dates_are_rfc_1123_up_to_the_services_for_ever() -> None:
    assert http_date(1_795_000_000) == "Wed, 18 Nov 2026 11:06:40 GMT"
    assert http_date(253_402_300_799) == "Fri, 31 Dec 9999 23:59:59 GMT"


def test_an_error_body_always_has_a_message() -> None:
    reply = StorageError(412, "ConditionNotMet", "Not <met>.", Extra=1).reply()
    assert reply.headers["x-ms-error-code"] == "ConditionNotMet"
    body = {node.tag: node.text for node in ET.fromstring(reply.body)}
    assert body == {"Code": "ConditionNotMet", "Message": "Not <met>.", "Extra": "1"}


@pytest.mark.parametrize("name", ["abc", "a-b", "0a9", "a" * 63])
def test_a_good_name_passes(name: str) -> None:
    check_resource_name(name)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("ab", "OutOfRangeInput"),
        ("a" * 64, "OutOfRangeInput"),
        ("Abc", "InvalidResourceName"),
        ("a--b", "InvalidResourceName"),
        ("-ab", "InvalidResourceName"),
        ("ab-", "InvalidResourceName"),
        ("a_b", "InvalidResourceName"),
    ],
)
def test_a_bad_name_is_refused_with_its_code(name: str, code: str) -> None:
    with pytest.raises(StorageError) as refused:
        check_resource_name(name)
    assert (refused.value.status, refused.value.code) == (400, code)


def test_a_number_outside_its_range_is_refused_with_the_range() -> None:
    def read(text: str) -> int:
        return number(_request(ttl=text), "ttl", default=7, low=1, high=9, but=(-1,))

    assert (read("1"), read("9"), read("-1")) == (1, 9, -1)
    assert number(_request(), "ttl", default=7, low=1, high=9) == 7
    for text, code in [
        ("0", "OutOfRangeQueryParameterValue"),
        ("10", "OutOfRangeQueryParameterValue"),
        ("x", "InvalidQueryParameterValue"),
    ]:
        with pytest.raises(StorageError) as refused:
            read(text)
        assert refused.value.code == code
        assert refused.value.details["QueryParameterName"] == "ttl"


def test_metadata_is_a_header_each() -> None:
    assert metadata_of(_request()) == {"owner": "calls"}
    assert metadata_headers({"owner": "calls"}) == {"x-ms-meta-owner": "calls"}
