import socket
import ssl
from pathlib import Path

import pytest
from aiohttp import web

from functions.key_fetch import KeyFetch
from simulator.serving import serve
from tests.virtual_time import run

ROUTES = {
    "/keys": web.Response(body=b'{"keys": []}'),
    "/error": web.Response(status=503),
    "/large": web.Response(body=b" " * 300_000),
}


def fetched(path: str) -> bytes:
    async def fetch() -> bytes:
        app = web.Application()

        async def answer(request: web.Request) -> web.Response:
            return ROUTES[request.path]

        app.router.add_get("/{path:.*}", answer)
        async with serve(app) as url:
            return await KeyFetch(None)(url + path)

    return run(fetch())


def test_the_published_keys_are_fetched_whole() -> None:
    assert fetched("/keys") == b'{"keys": []}'


def test_an_error_or_a_closed_port_is_an_oserror() -> None:
    with pytest.raises(OSError, match="503"):
        fetched("/error")
    with pytest.raises(OSError, match="127"):
        run(KeyFetch(None)(f"http://127.0.0.1:{closed_port()}/keys"))


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_an_oversized_key_set_is_refused() -> None:
    with pytest.raises(ValueError, match="oversized"):
        fetched("/large")


def test_an_authority_that_is_none_is_told_at_the_start(tmp_path: Path) -> None:
    bad = tmp_path / "ca.pem"
    bad.write_text("not a certificate")
    with pytest.raises(ssl.SSLError):
        KeyFetch(str(bad))
