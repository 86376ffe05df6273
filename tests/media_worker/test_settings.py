import pytest

from media_worker.settings import Settings
from switchboard.settings import SettingsError

IN_AZURE = {
    "ACS_ENDPOINT": "https://contoso.communication.azure.com",
    "ACS_IMMUTABLE_RESOURCE_ID": "2d1f0000-0000-4000-8000-000000000001",
    "STORAGE_BLOB_ENDPOINT": "https://contoso.blob.core.windows.net",
    "STORAGE_QUEUE_ENDPOINT": "https://contoso.queue.core.windows.net",
    "VOICE_LIVE_ENDPOINT": "https://contoso.services.ai.azure.com",
}


def test_in_azure_five_names_of_resources_are_enough() -> None:
    settings = Settings.from_env(IN_AZURE)
    assert settings.media_auth == "require"
    assert settings.credential == "managed_identity"
    assert settings.voice_live_scope == "https://ai.azure.com/.default"
    assert (settings.host, settings.port) == ("0.0.0.0", 8080)


def test_several_resources_may_share_the_calls() -> None:
    several = "https://one.services.ai.azure.com, https://two.services.ai.azure.com"
    settings = Settings.from_env(IN_AZURE | {"VOICE_LIVE_ENDPOINT": several})
    assert settings.voice_live_endpoint == tuple(several.split(", "))
    for wrong in ("https://one.example, two.example", ","):
        with pytest.raises(SettingsError, match="VOICE_LIVE_ENDPOINT"):
            Settings.from_env(IN_AZURE | {"VOICE_LIVE_ENDPOINT": wrong})


def test_all_that_is_wrong_is_said_at_once() -> None:
    wrong = IN_AZURE | {"MEDIA_AUTH": "off", "PORT": "eighty", "MAX_CALLS": "0"}
    del wrong["VOICE_LIVE_ENDPOINT"]
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(wrong)
    names = {fault.name for fault in caught.value.faults}
    assert names == {"MEDIA_AUTH", "PORT", "MAX_CALLS", "VOICE_LIVE_ENDPOINT"}


def test_without_a_credential_voice_live_needs_its_key() -> None:
    with pytest.raises(SettingsError, match="VOICE_LIVE_KEY"):
        Settings.from_env(
            IN_AZURE
            | {
                "CREDENTIAL": "none",
                "ACS_ACCESS_KEY": "a2V5",
                "STORAGE_CONNECTION_STRING": "UseDevelopmentStorage=true",
            }
        )


def test_keys_are_not_shown_when_settings_are_printed() -> None:
    settings = Settings.from_env(IN_AZURE | {"VOICE_LIVE_KEY": "s3cret"})
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"SPEECH_AUTH": "key", "SPEECH_KEY": "k"}, "SPEECH_REGION"),
        ({"SPEECH_REGION": "westeurope"}, "SPEECH_RESOURCE_ID"),
        ({"SPEECH_REGION": "westeurope", "SPEECH_AUTH": "key"}, "SPEECH_KEY"),
        ({"SPEECH_REGION": "west europe"}, "SPEECH_REGION"),
        ({"SPEECH_REGION": "westeurope", "SPEECH_ENDPOINT": "ws://elsewhere"}, "SPEECH_ENDPOINT"),
    ],
)
def test_half_of_a_second_bridge_is_told_with_what_is_missing(
    more: dict[str, str], fault: str
) -> None:
    half = {"REALTIME_ENDPOINT": "https://ours.openai.azure.com", **more}
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(IN_AZURE | half)
    assert [one.name for one in caught.value.faults] == [fault]


@pytest.mark.parametrize(
    "endpoint", ["https://ours.cognitiveservices.azure.com", "wss://host/path", "ws://127.0.0.1:9"]
)
def test_the_speech_endpoint_may_be_written_both_ways(endpoint: str) -> None:
    assert Settings.from_env(IN_AZURE | {"SPEECH_ENDPOINT": endpoint}).speech_endpoint == endpoint
