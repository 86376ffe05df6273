"""The messages between a Functions host and the runtime library."""

import pytest

from simulator.functions_messages import PROTOS, RpcHttp, TypedData, request


def test_a_field_that_was_not_given_is_none() -> None:
    http = RpcHttp(method="GET")
    assert (http.method, http.url) == ("GET", None)


def test_a_field_that_the_protocol_lacks_is_an_error() -> None:
    with pytest.raises(TypeError, match="RpcHttp has no field colour"):
        RpcHttp(colour="red")
    with pytest.raises(AttributeError, match="RpcHttp has no field colour"):
        _ = RpcHttp().colour


def test_the_field_that_is_set_can_be_asked_for() -> None:
    assert TypedData(json="{}").WhichOneof("data") == "json"
    assert TypedData().WhichOneof("data") is None


def test_a_request_carries_the_classes_for_its_answer() -> None:
    made = request(capabilities={})
    assert made.request.capabilities == {}
    assert made.properties["protos"] is PROTOS
    assert PROTOS.StatusResult.Success == 1
