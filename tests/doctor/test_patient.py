from doctor.patient import own_settings
from doctor.verdicts import NotChecked
from functions.settings import Settings as FunctionsSettings
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


def test_each_deployable_has_settings_of_its_own() -> None:
    assert "MEDIA_URL" in own_settings(FunctionsSettings)
    assert "ACS_ENDPOINT" not in own_settings(FunctionsSettings)
