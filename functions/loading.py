"""Makes what the functions work with, once per event loop and off the loop.

Indexing the app must be quick and must not cost what a call costs, so nothing here imports an SDK
before the app has been up for half a second or a first invocation asks.
"""

import asyncio
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functions.limits import WARM_UP_AFTER_S
from functions.log import log
from functions.settings import Settings

if TYPE_CHECKING:
    from switchboard.acs_calls import CallAutomation
    from switchboard.acs_jwt import AcsTokens
    from switchboard.ledger import Ledger
    from switchboard.live_directory import LiveDirectory, News


@dataclass(frozen=True)
class Services:
    """What answering a call, and hearing of one, needs."""

    settings: Settings
    directory: "LiveDirectory"
    ledger: "Ledger"
    calls: "CallAutomation"
    tokens: "AcsTokens"
    clients: tuple[Any, ...]
    """The SDK clients and credentials behind the above, to be closed."""


class Loading:
    """Gives `Services` to whoever asks first, and the same ones to all others."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """`environ` is read when first needed, not before: the host may still be filling it."""
        self._environ = environ
        self._loop: asyncio.AbstractEventLoop | None = None
        self._one_at_a_time = asyncio.Lock()
        self._services: Services | None = None

    def begin_soon(self) -> None:
        """Starts loading the SDKs in half a second, if a loop runs; else the first call does."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        loop.call_later(WARM_UP_AFTER_S, loop.run_in_executor, None, _import_everything)

    async def services(self) -> Services:
        """The services of the running loop.

        Raises `SettingsError` while the environment is incomplete.
        """
        loop = asyncio.get_running_loop()
        if self._loop is not loop:  # clients belong to the loop that they were first used on
            self._loop, self._one_at_a_time, self._services = loop, asyncio.Lock(), None
        async with self._one_at_a_time:
            if self._services is None:
                settings = Settings.from_env(self._environ)
                self._services = await asyncio.to_thread(_build, settings, loop)
            return self._services

    async def close(self) -> None:
        """Closes the clients of the running loop, if it has any."""
        if self._loop is not asyncio.get_running_loop() or self._services is None:
            return
        clients, self._services = self._services.clients, None
        for client in clients:
            await client.close()


def _import_everything() -> None:
    """What `_build` and the functions' bodies import: the SDKs, and the modules that use them."""
    from azure.identity import aio as identity
    from azure.storage.blob import aio as blobs
    from azure.storage.queue import aio as queues

    from functions import answering, callbacks
    from switchboard import live_directory

    assert all((identity, blobs, queues, answering, callbacks, live_directory))


def _build(settings: Settings, loop: asyncio.AbstractEventLoop) -> Services:
    """Runs in a thread: azure-core asks the system for its processor's name while it builds."""
    _import_everything()
    from functions.key_fetch import KeyFetch
    from switchboard import azure_clients, storage
    from switchboard.acs_calls import CallAutomation
    from switchboard.acs_jwt import AcsTokens, KeySet
    from switchboard.generations import Generations
    from switchboard.ledger import Ledger
    from switchboard.live_directory import LiveDirectory

    credential = azure_clients.token_credential(settings)
    acs = azure_clients.acs_client(settings, credential)
    records = azure_clients.records_container(settings, credential)
    queue = azure_clients.sessions_queue(settings, credential)
    keys = KeySet(settings.acs_jwks_url, KeyFetch(settings.tls_ca_file), loop.time)
    messages = storage.SessionQueue(queue, records)
    published = azure_clients.directory_container(settings, credential)
    file = Path(settings.agents_file)
    directory = LiveDirectory(file, Generations(published), loop.time, _report)
    directory.read_file()
    logging.getLogger("switchboard").setLevel(settings.log_level)
    logging.getLogger("azure").setLevel(logging.WARNING)  # else each request is logged twice
    return Services(
        settings=settings,
        directory=directory,
        ledger=Ledger(storage.RecordBlobs(records), messages, by=secrets.token_hex(8)),
        calls=CallAutomation(acs),
        tokens=AcsTokens(keys, settings.acs_issuer, settings.acs_immutable_resource_id),
        clients=(acs, records, queue, published, *([credential] if credential is not None else [])),
    )


def _report(news: "News") -> None:
    """What the directory has to tell, as a line of the log."""
    good = news.event == "directory_read"
    log(
        news.event,
        logging.INFO if good else logging.ERROR,
        source=news.source,
        what=news.what,
        line=news.line,
        agents=news.agents if good else None,
        **{"generation" if good else "kept": news.generation},
    )
