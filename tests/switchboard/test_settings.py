from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from switchboard.settings import (
    Environment,
    SettingsError,
    choice,
    number,
    number_choice,
    setting,
    url,
)
from switchboard.shared_settings import Shared

IN_AZURE = {
    "ACS_ENDPOINT": "https://contoso.communication.azure.com/",
    "ACS_IMMUTABLE_RESOURCE_ID": "9f1d2c1a-0000-4000-8000-00155D012345",
    "STORAGE_BLOB_ENDPOINT": "https://contoso.blob.core.windows.net",
    "STORAGE_QUEUE_ENDPOINT": "https://contoso.queue.core.windows.net/",
}
WITH_SIMULATORS = {
    "ACS_ENDPOINT": "http://127.0.0.1:8081",
    "ACS_ACCESS_KEY": "c2VjcmV0LWtleQ==",
    "ACS_IMMUTABLE_RESOURCE_ID": "9f1d2c1a-0000-4000-8000-00155d012345",
    "STORAGE_CONNECTION_STRING": "AccountName=devstoreaccount1;AccountKey=c2VjcmV0",
    "CREDENTIAL": "none",
}


def faults_of(environ: dict[str, str]) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        Shared.from_env(environ)
    return {fault.name: str(fault) for fault in caught.value.faults}


def test_everything_missing_is_told_at_once() -> None:
    assert faults_of({}).keys() == {"ACS_ENDPOINT", "ACS_IMMUTABLE_RESOURCE_ID"}
    assert faults_of({"ACS_ENDPOINT": "  "}).keys() == faults_of({}).keys()


def test_each_malformed_value_is_told_with_what_was_expected_but_not_with_itself() -> None:
    broken = {
        "ACS_ENDPOINT": "ftp://who.knows",
        "ACS_IMMUTABLE_RESOURCE_ID": "contoso",
        "SESSIONS_QUEUE": "Sessions!",
        "CREDENTIAL": "password",
        "TLS_CA_FILE": "/nowhere/ca.pem",
        "ACS_JWKS_URL": "http://keys.example/keys",
        "LOG_LEVEL": "loud",
    }
    faults = faults_of(IN_AZURE | broken)
    assert faults.keys() == broken.keys()
    assert "managed_identity, default, azure_cli, none" in faults["CREDENTIAL"]
    assert "a GUID" in faults["ACS_IMMUTABLE_RESOURCE_ID"]
    for name, value in broken.items():
        assert value not in faults[name]


def test_secrets_stay_out_of_sight() -> None:
    settings = Shared.from_env(WITH_SIMULATORS)
    assert "c2VjcmV0" not in repr(settings)
    assert settings.acs_access_key == "c2VjcmV0LWtleQ=="


def test_an_extra_authority_is_a_file_that_exists(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text("-----BEGIN CERTIFICATE-----")
    assert Shared.from_env(IN_AZURE | {"TLS_CA_FILE": str(ca)}).tls_ca_file == str(ca)


@pytest.mark.parametrize(
    ("parse", "good", "value"),
    [
        (choice("require", "prefer"), "Prefer", "prefer"),
        (number(1, 600), "590", 590),
        (number_choice(16000, 24000), "16000", 16000),
        (url("wss"), "wss://worker.example/", "wss://worker.example"),
        (url("wss"), "ws://127.0.0.1:8080", "ws://127.0.0.1:8080"),
        (url("https"), "http://localhost:7071/api", "http://localhost:7071/api"),
        (url("https"), "http://[::1]:7071", "http://[::1]:7071"),
    ],
)
def test_a_well_formed_value_is_taken(parse: Any, good: str, value: object) -> None:
    assert parse(good) == value


@pytest.mark.parametrize(
    ("parse", "bad"),
    [
        (choice("require", "prefer"), "off"),
        (number(1, 600), "601"),
        (number(1, 600), "-1"),
        (number(1, 600), "1e2"),
        (number(1, 600), "٣"),
        (number_choice(16000, 24000), "8000"),
        (url("wss"), "https://worker.example"),
        (url("wss"), "ws://worker.example"),
        (url("https"), "https://"),
        (url("https"), "https://x.example?code=1"),
        (url("https"), "https://user:pass@x.example"),
        (url("https"), "https://x.example:port"),
        (url("https"), "https://[::1"),
    ],
)
def test_a_malformed_value_is_refused(parse: Any, bad: str) -> None:
    with pytest.raises(ValueError):
        parse(bad)


def test_a_deployable_adds_its_own_settings_to_the_shared_ones() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Settings(Shared):
        drain_s: int = setting("How long to drain, seconds.", number(1, 600), default=590)

    assert issubclass(Settings, Environment)
    assert Settings.from_env(IN_AZURE | {"DRAIN_S": "30"}).drain_s == 30


def test_whoever_examines_an_environment_gets_what_is_good_of_it_beside_its_faults() -> None:
    settings, faults = Shared.with_faults(IN_AZURE | {"ACS_JWKS_URL": "ftp://keys"})
    assert settings.acs_endpoint == "https://contoso.communication.azure.com"
    assert vars(settings)["acs_jwks_url"] is None, "what is at fault is not to be used"
    assert [fault.name for fault in faults] == ["ACS_JWKS_URL"]
    assert Shared.with_faults(IN_AZURE)[1] == ()
