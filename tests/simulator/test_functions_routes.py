"""Route templates of HTTP functions."""

import pytest

from simulator.functions_app import AppLoadError, Function
from simulator.functions_routes import Route

GUID = "2b6f1c1a-1111-4222-8333-444455556666"


def _route(template: str | None, *, methods: tuple[str, ...] = (), prefix: str = "api") -> Route:
    trigger = {"type": "httpTrigger", "name": "req", "route": template, "methods": methods}
    return Route.of(Function("hello", "1", (trigger,)), prefix)


def _params(template: str, path: str) -> dict[str, str | None] | None:
    found = _route(template).pattern.fullmatch(path)
    return found.groupdict() if found else None


@pytest.mark.parametrize(
    ("template", "path", "params"),
    [
        ("calls/{call_id}/{token}", "/api/calls/a/b", {"call_id": "a", "token": "b"}),
        ("calls/{call_id}/{token}", "/API/Calls/A/b/", {"call_id": "A", "token": "b"}),
        ("calls/{call_id}/{token}", "/api/calls/a", None),
        ("calls/{call_id}/{token}", "/api/calls/a/b/c", None),
        ("calls/{call_id}/{token}", "/calls/a/b", None),
        ("a.b", "/api/axb", None),
        ("items/{id:int}", "/api/items/-7", {"id": "-7"}),
        ("items/{id:int}", "/api/items/x", None),
        ("items/{id:guid}", f"/api/items/{GUID}", {"id": GUID}),
        ("items/{id?}", "/api/items", {"id": None}),
        ("items/{id?}", "/api/items/7", {"id": "7"}),
        ("files/{*path}", "/api/files/a/b/c", {"path": "a/b/c"}),
        ("files/{*path}", "/api/files", {"path": None}),
    ],
)
def test_a_template_matches_as_asp_net_does(
    template: str, path: str, params: dict[str, str | None] | None
) -> None:
    assert _params(template, path) == params


def test_without_a_route_the_functions_name_is_its_address() -> None:
    assert _route(None).pattern.fullmatch("/api/hello")
    assert _route(None, prefix="").pattern.fullmatch("/hello")


def test_a_constraint_that_is_not_known_is_an_error_not_a_guess() -> None:
    with pytest.raises(AppLoadError, match="constraint range"):
        _route("items/{id:range}")
    with pytest.raises(AppLoadError, match="route segment"):
        _route("items/v{id}")


def test_methods_are_compared_in_capitals() -> None:
    assert _route("a", methods=("post",)).methods == {"POST"}
    assert _route("a").methods == frozenset()
