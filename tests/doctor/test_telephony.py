from collections.abc import Mapping
from pathlib import Path

import pytest
from aiohttp import web

from simulator.acs_switches import Fault, Refusal
from simulator.serving import serve
from tests.doctor.stage import NOBODY, ward
from tests.virtual_time import run


@pytest.mark.parametrize("status", [401, 403])
def test_a_missing_role_on_communication_services_is_named(status: int, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ward(tmp_path, access="tokens") as here:
            refusal = Fault("get", Refusal(status, "7504"), times=100)
            here.world.acs.switches.faults.append(refusal)
            found = await here.examined()
            assert found.red == ["acs.permission"]
            assert "the role Communication and Email Service Owner" in found.mend("acs.permission")
            here.world.acs.switches.faults.clear()  # the role is given
            assert (await here.examined()).red == []

    run(scenario())


def test_a_wrong_access_key_is_told_as_that(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ward(tmp_path) as here:
            found = await here.examined(ACS_ACCESS_KEY="d3Jvbmc=")
            assert found.red == ["acs.permission"]
            assert "Check ACS_ACCESS_KEY" in found.mend("acs.permission")

    run(scenario())


def test_an_answer_that_says_neither_yes_nor_no_is_not_called_good(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ward(tmp_path) as here:
            here.world.acs.switches.faults.append(Fault("get", Refusal(400, "8523"), times=100))
            found = await here.examined()
            assert found.red == []
            assert "acs.permission" in found.open

    run(scenario())


def test_keys_that_cannot_be_had_are_red(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ward(tmp_path) as here:
            found = await here.examined(ACS_JWKS_URL=f"http://{NOBODY}/calling/keys")
            assert found.red == ["acs.keys", "acs.issuer"]
            assert "Check ACS_JWKS_URL" in found.mend("acs.keys")

    run(scenario())


@pytest.mark.parametrize("document", [{"keys": []}, {"keys": [{"kty": "EC", "kid": "1"}]}, []])
def test_a_document_without_a_usable_key_is_red(document: object, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ward(tmp_path) as here:
            async with serve(_publisher({"/calling/keys": document})) as url:
                found = await here.examined(ACS_JWKS_URL=f"{url}/calling/keys")
            assert found.detail("acs.keys") == "there is no RSA key in what is published there"

    run(scenario())


def test_another_issuer_than_the_published_one_is_red_and_its_mend_makes_it_green(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        async with ward(tmp_path) as here:
            found = await here.examined(ACS_ISSUER="https://acs.example")
            assert found.red == ["acs.issuer"]
            told = found.detail("acs.issuer").removeprefix("it is '").removesuffix("'")
            assert "Set ACS_ISSUER to exactly this" in found.mend("acs.issuer")
            assert (await here.examined(ACS_ISSUER=told)).red == []

    run(scenario())


def _publisher(documents: Mapping[str, object]) -> web.Application:
    async def publish(request: web.Request) -> web.Response:
        return web.json_response(documents[request.path])

    app = web.Application()
    for path in documents:
        app.router.add_get(path, publish)
    return app
