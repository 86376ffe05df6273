"""What importing the app costs, in a fresh interpreter, and what a first invocation brings."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from functions.loading import Loading
from switchboard.settings import SettingsError
from tests.functions.deployment import ROOT

ENVIRON = {
    "ACS_ENDPOINT": "https://contoso.communication.azure.com",
    "ACS_RESOURCE_ID": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Communication"
    "/communicationServices/contoso",
    "ACS_IMMUTABLE_RESOURCE_ID": "9f1d2c1a-0000-4000-8000-00155d012345",
    "STORAGE_BLOB_ENDPOINT": "https://contoso.blob.core.windows.net",
    "STORAGE_QUEUE_ENDPOINT": "https://contoso.queue.core.windows.net",
    "CALLBACK_URL": "https://contoso.azurewebsites.net/api",
    "MEDIA_URL": "wss://worker.example",
}


def in_a_fresh_interpreter(program: str) -> Any:
    """Runs `program`, which sets `found`; gives that."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"{program}\nimport json; print(json.dumps(found))"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=15,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


LOADED = """
import sys, threading
def sdks():
    return sorted(
        name for name in sys.modules
        if name.split(".")[0] in ("azure", "aiohttp", "jwt", "cryptography", "phonenumbers", "msal")
        and name != "azure" and not name.startswith("azure.functions")
    )
"""


def test_importing_the_app_loads_no_sdk_and_starts_no_thread() -> None:
    program = f"{LOADED}\nimport function_app\nfound = [sdks(), len(threading.enumerate())]"
    assert in_a_fresh_interpreter(program) == [[], 1]


def test_in_a_running_loop_the_sdks_load_half_a_second_later_in_another_thread() -> None:
    program = f"""{LOADED}
import asyncio
async def main():
    loop = asyncio.get_running_loop()
    import function_app
    imported = loop.time()
    found = [sdks(), len(threading.enumerate())]
    begun = 0.0
    while "functions.callbacks" not in sys.modules and loop.time() - imported < 10:
        await asyncio.sleep(0.01)
        if "azure.core" not in sys.modules:
            begun = loop.time() - imported
    return found + [begun, "azure.storage.queue.aio" in sys.modules]
found = asyncio.run(main())
"""
    at_import, threads, begun, loaded = in_a_fresh_interpreter(program)
    assert (at_import, threads) == ([], 1)
    assert begun > 0.45
    assert loaded


def test_the_first_invocation_does_not_wait_for_the_timer() -> None:
    async def ask() -> float:
        loading = Loading(ENVIRON)
        loading.begin_soon()
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(loading.services()) for _ in range(5)]
        took = loop.time() - began
        assert len({id(task.result()) for task in asked}) == 1
        await loading.close()
        return took

    asyncio.run(ask())  # once, so that the second is about building, not importing
    assert asyncio.run(ask()) < 0.45


def test_each_event_loop_has_clients_of_its_own() -> None:
    loading = Loading(ENVIRON)

    async def ask() -> int:
        services = await loading.services()
        await loading.close()
        await loading.close()
        return id(services)

    assert asyncio.run(ask()) != 0
    assert asyncio.run(ask()) != 0


def test_a_faulty_environment_is_told_each_time_until_it_is_mended() -> None:
    environ = {name: value for name, value in ENVIRON.items() if name != "MEDIA_URL"}
    loading = Loading(environ)

    async def ask() -> None:
        with pytest.raises(SettingsError, match="MEDIA_URL: is missing"):
            await loading.services()
        environ["MEDIA_URL"] = ENVIRON["MEDIA_URL"]
        services = await loading.services()
        assert services.settings.media_url == "wss://worker.example"
        await loading.close()

    asyncio.run(ask())


def test_the_directory_is_read_while_loading(tmp_path: Path) -> None:
    agents = tmp_path / "agents.toml"
    agents.write_text((ROOT / "agents.toml").read_text())

    async def ask() -> None:
        loading = Loading(ENVIRON | {"AGENTS_FILE": str(agents)})
        services = await loading.services()
        agents.unlink()
        directory = services.directory.directory
        assert directory is not None
        assert "reception" in directory.agents
        await loading.close()

    asyncio.run(ask())
