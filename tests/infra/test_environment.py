"""Tests that each app's environment in Azure is the one that its settings read."""

from dataclasses import MISSING, fields
from typing import Any

import pytest

from functions.settings import Settings as FunctionsSettings
from media_worker.settings import Settings as WorkerSettings
from tests.infra.project import project, sources
from tests.infra.rehearsal import rehearse
from tests.test_docs import read

PLATFORM = ("AzureWebJobsStorage__", "APPLICATIONINSIGHTS_")
"""Read by the Functions host and by the exporter of telemetry too. With local sign-in off, the
connection string of Application Insights says where to send, not who may."""

PROJECT = project(sources())
Settings = type[FunctionsSettings] | type[WorkerSettings]


def environment(settings: Settings, **parameters: Any) -> dict[str, str]:
    """What the app's process would find in its environment."""
    given = {"environmentName": "prod", "location": "westeurope", "deployerId": "me"}
    deployed = rehearse(PROJECT, "main.bicep", **given, **parameters)
    if settings is FunctionsSettings:
        [one] = deployed.made("Microsoft.Web/sites/config")
        return dict(one.body["properties"])
    [one] = deployed.made("Microsoft.App/containerApps")
    [container] = one.body["properties"]["template"]["containers"]
    return {variable["name"]: variable["value"] for variable in container["env"]}


BOTH = pytest.mark.parametrize("settings", [FunctionsSettings, WorkerSettings])


@BOTH
def test_the_app_starts_with_what_the_deployment_sets(settings: Settings) -> None:
    found = settings.from_env(environment(settings))
    assert found.credential == "managed_identity"
    assert found.azure_client_id is not None


@BOTH
def test_nothing_is_set_that_nothing_reads(settings: Settings) -> None:
    known = {field.name.upper() for field in fields(settings)}
    ours = {name for name in environment(settings) if not name.startswith(PLATFORM)}
    assert ours <= known


@BOTH
def test_every_setting_that_must_be_set_is(settings: Settings) -> None:
    required = {field.name.upper() for field in fields(settings) if field.default is MISSING}
    assert required <= set(environment(settings))


@BOTH
def test_no_key_is_ever_set(settings: Settings) -> None:
    secret = {field.name.upper() for field in fields(settings) if field.metadata["secret"]}
    assert secret
    keys = {name for name in secret if not name.startswith(PLATFORM)}
    assert not keys & set(environment(settings))


@BOTH
def test_what_is_set_is_documented(settings: Settings) -> None:
    page = read("docs/configuration.md")
    ours = [name for name in environment(settings) if not name.startswith(PLATFORM)]
    assert [name for name in ours if f"| `{name}` |" not in page] == []


@BOTH
def test_a_value_is_always_a_text(settings: Settings) -> None:
    assert all(isinstance(value, str) for value in environment(settings).values())


def test_both_apps_sign_in_as_themselves() -> None:
    found = {
        s.from_env(environment(s)).azure_client_id for s in (FunctionsSettings, WorkerSettings)
    }
    assert len(found) == 2


def test_the_admin_can_set_any_other_setting() -> None:
    found = environment(WorkerSettings, workerSettings={"PLAYOUT_DELAY_MS": "120"})
    assert WorkerSettings.from_env(found).playout_delay_ms == 120


def test_a_replica_carries_twice_the_calls_it_is_meant_for() -> None:
    found = environment(WorkerSettings, callsPerReplica=30)
    assert WorkerSettings.from_env(found).max_calls == 60


def test_calls_have_almost_all_of_the_grace_period_to_end() -> None:
    assert WorkerSettings.from_env(environment(WorkerSettings)).drain_s == 590


def test_the_worker_knows_every_ai_resource() -> None:
    found = environment(WorkerSettings, aiLocations="swedencentral, eastus2")
    voice = found["VOICE_LIVE_ENDPOINT"].split(",")
    realtime = found["REALTIME_ENDPOINT"].split(",")
    assert len(voice) == len(realtime) == 2
    assert all(one.endswith("-1.services.ai.azure.com") for one in voice[:1])
    assert all(one.startswith("https://") and one.endswith(".openai.azure.com") for one in realtime)
    assert found["SPEECH_REGION"] == "swedencentral"
