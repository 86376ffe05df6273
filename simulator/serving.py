"""Runs one aiohttp application on the loopback interface for as long as a `with` block lasts."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

HOST = "127.0.0.1"
"""Always the address, never a name: a name would go through a resolver thread."""

SHUTDOWN_S = 0.5
"""How long open requests may go on after the block ends; then they are cancelled. Simulators hold
WebSockets and delayed replies that would otherwise keep a finished run waiting (aiohttp: 60 s)."""


@asynccontextmanager
async def serve(
    app: web.Application, *, port: int = 0, ssl_context: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """Serves `app` on `port` of 127.0.0.1 (0: any free one); yields the base URL, without a slash.

    With `ssl_context` the URL is https. Works on any event loop, virtual time too. Raises OSError
    if the port is taken.
    """
    runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    try:
        site = web.TCPSite(runner, HOST, port, ssl_context=ssl_context, reuse_address=True)
        await site.start()
        bound = runner.addresses[0][1]
        yield f"{'https' if ssl_context else 'http'}://{HOST}:{bound}"
    finally:
        await runner.cleanup()
