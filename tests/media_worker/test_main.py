import asyncio
import json
import os
import platform
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.media_worker.stage import STAYS, Answered, Stage, environment, stage


@asynccontextmanager
async def process(environ: dict[str, str]) -> AsyncIterator[Process]:
    """`python -m media_worker` with this environment; killed if the block leaves it running."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "media_worker", env=inherited | environ, stdout=PIPE, stderr=PIPE
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


async def logged(worker: Process, event: str) -> dict[str, Any]:
    """Reads log lines until this event."""
    assert worker.stdout is not None
    async with asyncio.timeout(15):
        while line := await worker.stdout.readline():
            fields: dict[str, Any] = json.loads(line)
            if fields["event"] == event:
                return fields
    raise AssertionError(f"the worker ended without {event}")


@asynccontextmanager
async def on_a_call() -> AsyncIterator[tuple[Stage, Process, Answered, str]]:
    """A worker process that carries one call."""
    async with (
        stage() as here,
        process(environment(here.storage, here.acs, here.voice)) as worker,
    ):
        port = (await logged(worker, "listening"))["port"]
        call = await here.ring(STAYS, media_url=f"ws://127.0.0.1:{port}")
        await logged(worker, "call_taken")
        await here.until(lambda: len(here.voice.sessions) == 1)
        yield here, worker, call, f"http://127.0.0.1:{port}"


def test_after_sigterm_a_call_keeps_exchanging_frames_and_the_process_then_exits_with_0() -> None:
    async def scenario() -> None:
        async with on_a_call() as (here, worker, call, url):
            session = here.voice.sessions[0]
            await here.until(lambda: session.received_bytes > 0)
            worker.send_signal(signal.SIGTERM)
            await logged(worker, "draining")
            async with here.http.get(f"{url}/readyz") as reply:
                assert reply.status == 503
            before = session.received_bytes
            await asyncio.sleep(1.5)
            assert session.received_bytes - before > 48_000
            assert worker.returncode is None
            await call.simulated.hang_up()
            ended = await logged(worker, "call_ended")
            assert (ended["call_id"], ended["reason"]) == (call.call_id, "caller_hung_up")
            async with asyncio.timeout(5):
                assert await worker.wait() == 0

    asyncio.run(scenario())


def test_ctrl_c_ends_the_process_without_waiting_for_its_calls() -> None:
    async def scenario() -> None:
        async with on_a_call() as (_, worker, _, _):
            worker.send_signal(signal.SIGINT)
            async with asyncio.timeout(8):
                assert await worker.wait() == 0

    asyncio.run(scenario())


def test_a_bad_environment_is_explained_at_once_and_exits_with_2() -> None:
    async def scenario() -> None:
        async with process({"PORT": "eighty", "MEDIA_AUTH": "off"}) as worker:
            _, said = await worker.communicate()
            assert worker.returncode == 2
            for name in ("PORT", "MEDIA_AUTH", "ACS_ENDPOINT", "VOICE_LIVE_ENDPOINT"):
                assert f"{name}: " in said.decode()
            assert "Traceback" not in said.decode()

    asyncio.run(scenario())


def test_a_port_that_is_taken_is_named_and_the_process_exits_with_1() -> None:
    async def scenario() -> None:
        async with stage() as here:
            taken = here.worker.url.rpartition(":")[2]
            environ = environment(here.storage, here.acs, here.voice) | {"PORT": taken}
            async with process(environ) as worker:
                _, said = await worker.communicate()
            assert worker.returncode == 1
            assert f"PORT {taken}" in said.decode()
            assert "Traceback" not in said.decode()

    asyncio.run(scenario())


MANY_THREADS = """
import ctypes, threading
from media_worker.__main__ import limit_arenas

limit_arenas()
libc = ctypes.CDLL(None)
all_there = threading.Barrier(33)

def run():
    libc.malloc(1000)
    all_there.wait()

threads = [threading.Thread(target=run) for _ in range(32)]
for thread in threads:
    thread.start()
all_there.wait()
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
libc.fflush(None)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has heaps to count")
def test_hundreds_of_native_threads_do_not_make_a_heap_each() -> None:
    told = subprocess.run(
        [sys.executable, "-c", MANY_THREADS], stdout=subprocess.PIPE, text=True, check=True
    )
    assert 1 <= told.stdout.count("<heap nr=") <= 2
