from dataclasses import fields

import pytest

from functions.settings import Settings
from switchboard.settings import SettingsError
from tests.functions.test_loading import ENVIRON


def test_the_defaults_are_the_real_azure() -> None:
    settings = Settings.from_env(ENVIRON)
    assert (settings.audio_rate, settings.unmapped) == (24000, "default")
    assert settings.agents_file == "agents.toml"
    assert settings.cognitive_services_endpoint is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ACS_RESOURCE_ID", "contoso"),
        ("ACS_RESOURCE_ID", ENVIRON["ACS_RESOURCE_ID"] + "/extra"),
        ("CALLBACK_URL", "http://contoso.example/api"),
        ("MEDIA_URL", "https://worker.example"),
        ("AUDIO_RATE", "8000"),
        ("UNMAPPED", "ignore"),
    ],
)
def test_a_value_that_cannot_work_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(ENVIRON | {name: value})
    assert [fault.name for fault in caught.value.faults] == [name]


def test_every_setting_is_documented() -> None:
    assert all(len(one.metadata["doc"]) > 20 for one in fields(Settings))
