from media_worker.bridges.endpoints import Endpoints
from media_worker.limits import ENDPOINT_WINDOW_S

A, B, C = "https://a.example", "https://b.example", "https://c.example"


def test_calls_are_spread_over_the_resources() -> None:
    endpoints = Endpoints([A, B, C])
    got = []
    for second in range(9):
        url = endpoints.best(float(second))
        assert url is not None
        endpoints.connected(url, float(second))
        got.append(url)
    assert sorted(got) == [A] * 3 + [B] * 3 + [C] * 3


def test_a_connection_counts_for_a_minute() -> None:
    endpoints = Endpoints([A, B])
    endpoints.connected(A, 0.0)
    assert endpoints.best(ENDPOINT_WINDOW_S - 1) == B
    assert endpoints.best(ENDPOINT_WINDOW_S) == A


def test_a_resource_out_of_quota_is_passed_over_for_a_while_if_there_is_another() -> None:
    endpoints = Endpoints([A, B])
    endpoints.connected(B, 0.0)
    endpoints.shun(A, 0.0, for_s=20.0)
    assert endpoints.best(19.0) == B
    assert endpoints.best(21.0) == A
    endpoints.shun(A, 21.0, for_s=20.0)
    endpoints.shun(B, 21.0, for_s=20.0)
    assert endpoints.best(22.0) == A  # better than nothing


def test_what_was_tried_is_not_tried_again_at_once() -> None:
    endpoints = Endpoints([A, B])
    assert endpoints.best(0.0, {A}) == B
    assert endpoints.best(0.0, {A, B}) is None
    assert endpoints.urls == (A, B)
