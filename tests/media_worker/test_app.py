import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiohttp import web

from media_worker.app import serving
from media_worker.settings import Settings
from simulator.acs import Acs
from simulator.identity import Identity
from simulator.keys import process_key
from simulator.serving import serve
from simulator.storage import Storage
from simulator.tls import make_certificate
from simulator.voice_live import VoiceLive
from tests.media_worker.stage import HANGS_UP, environment, stage
from tests.virtual_time import run


def test_it_listens_says_where_and_is_alive_and_ready() -> None:
    async def scenario() -> None:
        async with stage() as here:
            for path in ("/healthz", "/readyz"):
                async with here.http.get(here.worker.url + path) as reply:
                    assert reply.status == 200, path

    run(scenario())


def test_nothing_is_left_behind_when_it_stops() -> None:
    async def scenario() -> None:
        before = asyncio.all_tasks()
        async with stage() as here:
            call = await here.ring(HANGS_UP)
            await call.simulated.ended()
        await asyncio.sleep(1)
        assert asyncio.all_tasks() == before

    run(scenario())


def test_the_key_set_is_there_before_the_first_call_and_outlives_its_server() -> None:
    async def scenario() -> None:
        asked: list[float] = []

        async def publish(_: web.Request) -> web.Response:
            asked.append(asyncio.get_running_loop().time())
            return web.json_response(process_key().jwks())

        app = web.Application()
        app.router.add_get("/keys", publish)
        async with AsyncExitStack() as keys:
            url = await keys.enter_async_context(serve(app))
            async with stage(ACS_JWKS_URL=f"{url}/keys") as here:
                await asyncio.sleep(1)
                assert len(asked) == 1
                await keys.aclose()
                call = await here.ring(HANGS_UP)
                assert (await call.simulated.ended()).as_scripted

    run(scenario())


def test_it_works_without_any_key_by_managed_identity_over_tls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        certificate = make_certificate(tmp_path)
        async with Identity() as identity:
            for name, value in identity.env().items():
                monkeypatch.setenv(name, value)
            storage = Storage(
                queues=["sessions"],
                containers=["records"],
                accept="tokens",
                ssl_context=certificate.server_context(),
            )

            async def publish(_: str, __: object) -> None:
                pass

            async with (
                storage,
                Acs(publish, tls=certificate.server_context()) as acs,
                VoiceLive() as voice,
            ):
                env = environment(storage, acs, voice)
                for name in ("ACS_ACCESS_KEY", "STORAGE_CONNECTION_STRING", "VOICE_LIVE_KEY"):
                    del env[name]
                env |= {
                    "CREDENTIAL": "managed_identity",
                    "STORAGE_BLOB_ENDPOINT": storage.blob_endpoint,
                    "STORAGE_QUEUE_ENDPOINT": storage.queue_endpoint,
                    "TLS_CA_FILE": str(certificate.ca_file),
                }
                async with serving(Settings.from_env(env)):
                    await asyncio.sleep(20)
                assert storage.counts["GetMessages"] > 2
                assert identity.issued["https://ai.azure.com"] == 1
                assert identity.issued["https://storage.azure.com"] >= 1

    run(scenario())
