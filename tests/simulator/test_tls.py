"""https with an own authority."""

import ssl
import stat
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from simulator.serving import serve
from simulator.tls import make_certificate
from tests.virtual_time import run


async def _hello(_: web.Request) -> web.Response:
    return web.Response(text="hello")


async def _visit(server: ssl.SSLContext, client: ssl.SSLContext) -> str:
    app = web.Application()
    app.router.add_get("/", _hello)
    async with serve(app, ssl_context=server) as base, aiohttp.ClientSession() as http:
        assert base.startswith("https://127.0.0.1:")
        async with http.get(f"{base}/", ssl=client) as reply:
            return await reply.text()


def test_a_client_that_trusts_the_authority_is_served(tmp_path: Path) -> None:
    made = make_certificate(tmp_path)
    assert run(_visit(made.server_context(), made.client_context())) == "hello"


def test_the_strict_rules_of_python_3_13_are_met(tmp_path: Path) -> None:
    made = make_certificate(tmp_path)
    strict = made.client_context()
    strict.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    assert run(_visit(made.server_context(), strict)) == "hello"


def test_a_client_that_knows_only_public_authorities_refuses(tmp_path: Path) -> None:
    made = make_certificate(tmp_path)
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        run(_visit(made.server_context(), ssl.create_default_context()))


def test_only_the_owner_can_read_the_key(tmp_path: Path) -> None:
    made = make_certificate(tmp_path / "new")
    assert stat.S_IMODE(made.key_file.stat().st_mode) == 0o600
