from pathlib import Path

import pytest

from simulator.identity import SYSTEM_ASSIGNED
from tests.doctor.stage import IN_AZURE, NOWHERE, examination, ward
from tests.virtual_time import run


def test_a_token_for_each_peer_is_told_by_the_client_id_alone(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ward(tmp_path, access="tokens") as here:
            found = await here.examined()
            ids = [id_ for id_ in found.green if id_.startswith("identity")]
            scopes = ("storage", "acs", "voice_live", "realtime", "speech")
            assert ids == [f"identity.{scope}" for scope in scopes]
            expected = f"of client id {SYSTEM_ASSIGNED}, valid for 1440 minutes"
            assert found.detail("identity.storage") == expected

    run(scenario())


def test_without_an_identity_only_its_own_lines_are_red(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ward(tmp_path, access="tokens") as here:
            assert (await here.examined()).red == []  # from now on the worker has its tokens
            here.world.identity.switches.fail_status = 400
            here.world.identity.switches.fail_next = 1_000
            found = await here.examined()
            scopes = ("storage", "acs", "voice_live", "realtime", "speech")
            assert found.red == [f"identity.{scope}" for scope in scopes]
            assert "Assign a managed identity to this app" in found.mend("identity.acs")
            assert {"queue.read", "acs.permission", "voice_live.reception"} <= set(found.open)
            assert found.detail("queue.read") == "no token: see identity.storage"
            assert {"acs.keys", "worker.door", "functions.callback"} <= set(found.green)
            here.world.identity.switches.fail_next = 0
            assert (await here.examined()).red == []

    run(scenario())


def test_an_expired_token_is_red_although_one_was_issued(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ward(tmp_path) as here:
            here.world.identity.switches.lifetime_s = -10
            found = await here.examined()
            assert found.red == ["identity.voice_live"]
            assert "it has expired" in found.detail("identity.voice_live")
            assert found.detail("voice_live.reception") == "no token: see identity.voice_live"

    run(scenario())


def test_settings_are_told_by_deployable_with_their_mends() -> None:
    async def scenario() -> None:
        found = await examination(NOWHERE | {"MEDIA_URL": "http://x", "VOICE_LIVE_ENDPOINT": "no"})
        assert found.red[:3] == ["settings.shared", "settings.functions", "settings.worker"]
        assert found.detail("settings.worker") == "VOICE_LIVE_ENDPOINT is malformed"
        assert "ACS_ENDPOINT: set it to: Endpoint of" in found.mend("settings.shared")
        assert "MEDIA_URL: expected a URL that starts with wss://" in found.mend(
            "settings.functions"
        )
        assert found.detail("worker.reachable") == "MEDIA_URL is malformed"

    run(scenario())


@pytest.mark.parametrize(("part", "setting"), [("functions", "MEDIA_URL"), ("worker", "PORT")])
def test_settings_of_a_part_that_is_elsewhere_are_not_checked_rather_than_red(
    part: str, setting: str
) -> None:
    async def scenario() -> None:
        env = NOWHERE | {"MEDIA_URL": "", "ACS_ENDPOINT": ""}
        found = await examination(env)
        assert f"settings.{part}" in found.open
        given = await examination(env | {setting: "?"})
        assert f"settings.{part}" in given.red

    run(scenario())


def test_no_value_of_a_setting_is_ever_shown() -> None:
    async def scenario() -> None:
        secret = "c2VjcmV0LXNlY3JldA"
        env = dict(IN_AZURE) | {"CREDENTIAL": secret, "MEDIA_URL": secret, "PORT": secret}
        env |= dict.fromkeys(("ACS_ENDPOINT", "STORAGE_BLOB_ENDPOINT"), "")
        env |= {"STORAGE_QUEUE_ENDPOINT": "", "VOICE_LIVE_ENDPOINT": "", "ACS_JWKS_URL": secret}
        found = await examination(env)
        assert found.red
        assert all(secret not in str(found.told(id_)) for id_ in found.all)

    run(scenario())
