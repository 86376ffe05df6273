"""The product's environment: how it finds the services, and how it signs in to them."""

from pathlib import Path

import pytest

from simulator.environment import Endpoints, worker_env_from
from simulator.processes import SystemFailed
from tests.simulator.endpoints import ENDPOINTS

OVER_TLS = Endpoints.from_json(
    {
        **ENDPOINTS.to_json(),
        "access_key": None,
        "connection_string": None,
        "ca_file": "/x/ca.pem",
        "realtime_key": None,
        "speech_key": None,
    }
)


def _functions_env(endpoints: Endpoints) -> dict[str, str]:
    return endpoints.functions_env(
        callback_url="http://f/api", media_url="ws://m", agents_file=Path("a.toml"), rate=16000
    )


def test_with_keys_the_functions_app_gets_keys_and_with_https_an_identity() -> None:
    keys = _functions_env(ENDPOINTS)
    assert (keys["CREDENTIAL"], keys["ACS_ACCESS_KEY"]) == ("none", "a2V5")
    tokens = _functions_env(OVER_TLS)
    assert tokens["CREDENTIAL"] == "managed_identity"
    assert tokens["IDENTITY_ENDPOINT"] == "http://127.0.0.1:4/msi/token"
    assert tokens["TLS_CA_FILE"] == "/x/ca.pem"
    assert tokens["AUDIO_RATE"] == "16000"
    assert not {"ACS_ACCESS_KEY", "STORAGE_CONNECTION_STRING"} & tokens.keys()


def test_the_worker_signs_in_to_voice_live_by_its_identity_in_any_case() -> None:
    for endpoints, has_key in ((ENDPOINTS, True), (OVER_TLS, False)):
        env = endpoints.worker_env(port=8080)
        assert env["CREDENTIAL"] == "managed_identity"
        assert env["IDENTITY_HEADER"] == "h"
        assert "VOICE_LIVE_KEY" not in env
        assert ("ACS_ACCESS_KEY" in env) == has_key


def test_the_worker_is_told_of_the_same_directory_as_the_functions_app() -> None:
    told = ENDPOINTS.worker_env(port=8080, agents_file=Path("a.toml"))
    assert told["AGENTS_FILE"] == _functions_env(ENDPOINTS)["AGENTS_FILE"]
    assert "AGENTS_FILE" not in ENDPOINTS.worker_env(port=8080)


def test_realtime_and_speech_are_opened_by_keys_and_with_https_by_the_identity() -> None:
    keys = ENDPOINTS.worker_env(port=8080)
    assert (keys["REALTIME_ENDPOINT"], keys["REALTIME_KEY"]) == ("http://127.0.0.1:6", "r")
    assert (keys["SPEECH_KEY"], keys["SPEECH_AUTH"]) == ("s", "key")
    assert keys["SPEECH_STREAM_ENDPOINT"] == "ws://127.0.0.1:7/cognitiveservices/websocket/v2"
    tokens = OVER_TLS.worker_env(port=8080)
    assert tokens["SPEECH_RESOURCE_ID"] == "/subscriptions/x/speech"
    assert not {"REALTIME_KEY", "SPEECH_KEY", "SPEECH_AUTH"} & tokens.keys()


def test_what_is_set_outside_stands_but_for_what_must_not_be_changed() -> None:
    environ = {
        "PORT": "80",
        "PATH": "/bin",
        "LOG_LEVEL": "DEBUG",
        "CREDENTIAL": "azure_cli",
        "VOICE_LIVE_KEY": "of another service",
    }
    env = worker_env_from(environ, ENDPOINTS.worker_env(port=8080))
    assert (env["PORT"], env["PATH"], env["LOG_LEVEL"]) == ("8080", "/bin", "DEBUG")
    assert env["CREDENTIAL"] == "managed_identity"
    assert "VOICE_LIVE_KEY" not in env


@pytest.mark.parametrize(
    ("given", "credential"),
    [
        ({"VOICE_LIVE_KEY": "k"}, "none"),
        ({"CREDENTIAL": "azure_cli"}, "azure_cli"),
    ],
)
def test_a_real_voice_live_takes_a_key_or_a_credential_from_outside(
    given: dict[str, str], credential: str
) -> None:
    environ = {"VOICE_LIVE_ENDPOINT": "https://real", **given}
    env = worker_env_from(environ, ENDPOINTS.worker_env(port=8080))
    assert env["VOICE_LIVE_ENDPOINT"] == "https://real"
    assert env["CREDENTIAL"] == credential
    assert env.get("VOICE_LIVE_KEY") == given.get("VOICE_LIVE_KEY")


def test_a_real_voice_live_without_a_way_to_sign_in_is_told_with_the_mend() -> None:
    environ = {"VOICE_LIVE_ENDPOINT": "https://real"}
    with pytest.raises(SystemFailed, match=r"VOICE_LIVE_KEY=\.\.\. or CREDENTIAL=azure_cli"):
        worker_env_from(environ, ENDPOINTS.worker_env(port=8080))
    with pytest.raises(SystemFailed, match="--tls"):
        worker_env_from({**environ, "VOICE_LIVE_KEY": "k"}, OVER_TLS.worker_env(port=8080))


def test_a_real_realtime_and_a_real_speech_stand_with_what_belongs_to_them() -> None:
    environ = {
        "REALTIME_ENDPOINT": "https://model",
        "REALTIME_KEY": "m",
        "SPEECH_ENDPOINT": "https://voices",
        "SPEECH_AUTH": "key",
        "SPEECH_KEY": "v",
    }
    env = worker_env_from(environ, ENDPOINTS.worker_env(port=8080))
    assert environ.items() <= env.items()
    assert "SPEECH_STREAM_ENDPOINT" not in env, "of the simulated one"
    assert env["CREDENTIAL"] == "managed_identity"


def test_keys_of_other_services_do_not_reach_the_simulated_ones() -> None:
    environ = {"REALTIME_KEY": "m", "SPEECH_KEY": "v", "SPEECH_AUTH": "credential"}
    real_voice_live = {"VOICE_LIVE_ENDPOINT": "https://real", "CREDENTIAL": "azure_cli"}
    for more in ({}, real_voice_live):
        env = worker_env_from({**environ, **more}, ENDPOINTS.worker_env(port=8080))
        assert (env["REALTIME_KEY"], env["SPEECH_KEY"], env["SPEECH_AUTH"]) == ("r", "s", "key")


def test_a_credential_from_outside_opens_all_real_services() -> None:
    environ = {
        "VOICE_LIVE_ENDPOINT": "https://real",
        "CREDENTIAL": "azure_cli",
        "REALTIME_ENDPOINT": "https://model",
        "SPEECH_ENDPOINT": "https://voices",
    }
    env = worker_env_from(environ, ENDPOINTS.worker_env(port=8080))
    assert environ.items() <= env.items()
    assert not {"REALTIME_KEY", "SPEECH_KEY", "SPEECH_AUTH", "SPEECH_RESOURCE_ID"} & env.keys()


@pytest.mark.parametrize(
    ("environ", "mend"),
    [
        ({"REALTIME_ENDPOINT": "https://model"}, "set REALTIME_KEY="),
        ({"SPEECH_ENDPOINT": "https://voices"}, "set SPEECH_AUTH=key and SPEECH_KEY="),
        ({"SPEECH_ENDPOINT": "https://voices", "SPEECH_KEY": "v"}, "set SPEECH_AUTH=key"),
    ],
)
def test_a_real_service_that_the_simulated_identity_cannot_open_is_told_with_the_mend(
    environ: dict[str, str], mend: str
) -> None:
    with pytest.raises(SystemFailed, match=mend):
        worker_env_from(environ, ENDPOINTS.worker_env(port=8080))
