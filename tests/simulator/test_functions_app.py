"""Loading a function app with Microsoft's runtime, and running its functions."""

import json
import os
import textwrap
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from simulator.functions_app import AppLoadError, InvocationFailed, load, unload
from simulator.functions_host import FunctionsHost
from simulator.functions_messages import TypedData
from tests.virtual_time import run

APP = """
    import os
    import azure.functions as func

    SETTING = os.environ.get("SHOP_SETTING", "unset")
    app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

    @app.route(route="setting")
    async def setting(req: func.HttpRequest) -> str:
        return SETTING

    @app.event_grid_trigger(arg_name="event")
    async def ring(event: func.EventGridEvent) -> None:
        raise ValueError(event.subject)
"""


@pytest.fixture(autouse=True, scope="module")
def _leave_no_app() -> Iterator[None]:
    yield
    unload()


def _write(directory: Path, source: str) -> Path:
    (directory / "function_app.py").write_text(textwrap.dedent(source))
    return directory


async def _setting(host: FunctionsHost) -> str:
    async with aiohttp.ClientSession() as http, http.get(f"{host.url}/api/setting") as reply:
        return await reply.text()


def test_hosts_share_one_app(tmp_path: Path) -> None:
    async def share() -> bool:
        async with FunctionsHost(_write(tmp_path, APP)) as one, FunctionsHost(tmp_path) as other:
            return one.app is other.app

    assert run(share())


def test_settings_are_read_again_only_on_request_and_put_back_after(tmp_path: Path) -> None:
    async def read() -> list[str]:
        _write(tmp_path, APP)
        found = []
        for value, anew in [("1", ("function_app",)), ("2", ()), ("3", ("function_app",))]:
            async with FunctionsHost(tmp_path, env={"SHOP_SETTING": value}, anew=anew) as host:
                found.append(await _setting(host))
        return found

    assert run(read()) == ["1", "1", "3"]
    assert "SHOP_SETTING" not in os.environ


def test_a_helper_package_is_imported_again_when_named(tmp_path: Path) -> None:
    async def read() -> list[str]:
        package = tmp_path / "shop_rooms"
        package.mkdir()
        (package / "__init__.py").write_text("import os\nNAME = os.environ['SHOP_SETTING']\n")
        _write(tmp_path, APP.replace("SETTING = os", "from shop_rooms import NAME as SETTING; os"))
        found = []
        for value in ("1", "2"):
            env = {"SHOP_SETTING": value}
            async with FunctionsHost(tmp_path, env=env, anew=("shop_rooms",)) as host:
                found.append(await _setting(host))
        return found

    assert run(read()) == ["1", "2"]


def test_another_app_replaces_the_one_that_was_loaded(tmp_path: Path) -> None:
    async def both() -> list[set[str]]:
        (tmp_path / "one").mkdir()
        (tmp_path / "two").mkdir()
        one = await load(_write(tmp_path / "one", APP))
        two = await load(_write(tmp_path / "two", APP.replace("def ring", "def rings")))
        return [set(one.functions), set(two.functions)]

    assert run(both()) == [{"setting", "ring"}, {"setting", "rings"}]


def test_the_route_prefix_comes_from_host_json(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text(
        json.dumps({"version": "2.0", "extensions": {"http": {"routePrefix": "v1/api"}}})
    )
    assert run(load(_write(tmp_path, APP))).route_prefix == "v1/api"


def test_a_failed_invocation_carries_the_functions_own_traceback(tmp_path: Path) -> None:
    async def invoke() -> None:
        app = await load(_write(tmp_path, APP))
        event = TypedData(json=json.dumps({"subject": "on purpose"}))
        await app.invoke("ring", event, traceparent=None)

    with pytest.raises(InvocationFailed, match=r"ValueError: on purpose[\s\S]*function_app.py"):
        run(invoke())


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import not_there", "No module named 'not_there'"),
        ("x = 1", "Could not find top level function app instances"),
        ("import azure.functions as f\na = f.FunctionApp()\nb = f.FunctionApp()", "More than one"),
        (APP.replace("req:", "request:"), "parameters are declared in Python"),
        (None, "is missing"),
    ],
)
def test_an_app_that_cannot_be_loaded_says_why(
    tmp_path: Path, source: str | None, reason: str
) -> None:
    if source is not None:
        _write(tmp_path, source)
    with pytest.raises(AppLoadError, match=reason):
        run(load(tmp_path))
