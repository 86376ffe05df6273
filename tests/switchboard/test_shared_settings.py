from dataclasses import fields

import pytest

from switchboard.settings import SettingsError
from switchboard.shared_settings import BlobAccess, Shared
from tests.switchboard.test_settings import IN_AZURE, WITH_SIMULATORS, faults_of


def test_in_azure_four_values_are_enough_and_no_key_is_among_them() -> None:
    settings = Shared.from_env(IN_AZURE)
    assert settings.acs_endpoint == "https://contoso.communication.azure.com"
    assert settings.storage_queue_endpoint == "https://contoso.queue.core.windows.net"
    assert settings.credential == "managed_identity"
    assert settings.acs_issuer == "https://acscallautomation.communication.azure.com"
    assert settings.acs_jwks_url == "https://acscallautomation.communication.azure.com/calling/keys"


def test_with_simulators_keys_replace_the_credential() -> None:
    assert Shared.from_env(WITH_SIMULATORS).credential == "none"


def test_storage_must_be_named_one_way_or_the_other() -> None:
    named = {name: value for name, value in IN_AZURE.items() if not name.startswith("STORAGE")}
    assert faults_of(named).keys() == {"STORAGE_BLOB_ENDPOINT", "STORAGE_QUEUE_ENDPOINT"}
    assert Shared.from_env(named | {"STORAGE_CONNECTION_STRING": "AccountName=x"})


def test_no_credential_and_no_keys_is_a_contradiction() -> None:
    assert faults_of(IN_AZURE | {"CREDENTIAL": "none"}).keys() == {
        "ACS_ACCESS_KEY",
        "STORAGE_CONNECTION_STRING",
    }


def test_tokens_are_never_sent_over_plain_http() -> None:
    plain = {"ACS_ENDPOINT": "http://127.0.0.1:1", "STORAGE_BLOB_ENDPOINT": "http://127.0.0.1:2"}
    assert faults_of(IN_AZURE | plain).keys() == plain.keys()


def test_every_setting_is_documented() -> None:
    for one in fields(Shared):
        assert len(one.metadata["doc"]) > 20, one.name
        assert one.repr is not one.metadata["secret"]


def test_publishing_needs_the_blobs_of_a_storage_account_and_nothing_else() -> None:
    blobs = {"STORAGE_BLOB_ENDPOINT": IN_AZURE["STORAGE_BLOB_ENDPOINT"], "CREDENTIAL": "azure_cli"}
    assert BlobAccess.from_env(blobs).directory_container == "directory"
    with pytest.raises(SettingsError) as caught:
        BlobAccess.from_env({})
    assert [fault.name for fault in caught.value.faults] == ["STORAGE_BLOB_ENDPOINT"]
