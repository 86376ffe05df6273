from pathlib import Path

from doctor.patient import Asked, Unread, own_settings
from doctor.verdicts import NotChecked
from functions.settings import Settings as FunctionsSettings
from switchboard.directory import Directory, DirectoryError
from tests.doctor.stage import IN_AZURE, patient
from tests.virtual_time import run


def test_an_empty_environment_is_examined_all_the_same() -> None:
    async def scenario() -> None:
        async with patient({}) as one:
            assert {"ACS_ENDPOINT", "MEDIA_URL", "VOICE_LIVE_ENDPOINT"} <= one.faults.keys()
            assert one.rate == 24000
            lacking = one.lacks(["STORAGE_BLOB_ENDPOINT"])
            assert lacking == NotChecked("STORAGE_BLOB_ENDPOINT is not set")

    run(scenario())


def test_a_malformed_setting_takes_only_its_own_checks_away() -> None:
    async def scenario() -> None:
        async with patient({**IN_AZURE, "MEDIA_URL": "http://elsewhere"}) as one:
            assert one.lacks(["MEDIA_URL"]) == NotChecked("MEDIA_URL is malformed")
            assert one.lacks(["ACS_ENDPOINT"]) is None

    run(scenario())


def test_the_directory_is_that_of_the_settings_or_the_one_that_is_named(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with patient({**IN_AZURE, "AGENTS_FILE": "agents.toml"}) as one:
            assert isinstance(one.directory, Directory)
        broken = tmp_path / "broken.toml"
        broken.write_text("agents = 1")
        async with patient(asked=Asked(file=str(broken))) as one:
            assert isinstance(one.directory, DirectoryError)
        async with patient(asked=Asked(file=str(tmp_path / "none.toml"))) as one:
            assert one.directory == Unread("none.toml", "No such file or directory")

    run(scenario())


def test_each_deployable_has_settings_of_its_own() -> None:
    assert "MEDIA_URL" in own_settings(FunctionsSettings)
    assert "ACS_ENDPOINT" not in own_settings(FunctionsSettings)
