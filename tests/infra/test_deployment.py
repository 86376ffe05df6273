"""Tests of what a deployment would make, for the choices that an admin has."""

import json
import re
from typing import Any

import pytest

from switchboard.end_reason import EndReason
from tests.infra.made import SUBSCRIPTION, Made
from tests.infra.project import DIRECTORY, project, sources
from tests.infra.rehearsal import Rehearsal, rehearse
from tests.infra.rules import ROLES
from tests.infra.syntax import Param

PROJECT = project(sources())
MINE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/mine/providers"
ACS = f"{MINE}/Microsoft.Communication/communicationServices/phones"
AI = f"{MINE}/Microsoft.CognitiveServices/accounts/brains"


def deployed(**parameters: Any) -> Rehearsal:
    """The whole, with the least that must be given."""
    given = {"environmentName": "prod", "location": "westeurope", "deployerId": "me"}
    return rehearse(PROJECT, "main.bicep", **(given | parameters))


def only(made: list[Made]) -> dict[str, Any]:
    """The properties of the only one."""
    [one] = made
    properties: dict[str, Any] = one.body["properties"]
    return properties


def worker(**parameters: Any) -> dict[str, Any]:
    """The properties of the container app."""
    return only(deployed(**parameters).made("Microsoft.App/containerApps"))


def grants(whole: Rehearsal) -> set[tuple[str, str, str]]:
    """Who has which role on what, by their short names."""
    names = {guid: name for name, guid in ROLES.items()}
    found = set()
    for one in whole.made("Microsoft.Authorization/roleAssignments"):
        assert one.scope is not None
        properties = one.body["properties"]
        who = re.sub(r"principal of |id-|-[0-9a-f]{13}", "", properties["principalId"])
        on = re.sub(r"-?[0-9a-f]{13}", "", one.scope.id.rpartition("/")[2])
        found.add((who, names[properties["roleDefinitionId"].rpartition("/")[2]], on))
    return found


def test_nobody_may_more_than_this() -> None:
    assert grants(deployed()) == {
        ("functions", "StorageBlobDataOwner", "st"),
        ("functions", "StorageQueueDataMessageSender", "sessions"),
        ("functions", "StorageQueueDataMessageProcessor", "sessions"),
        ("functions", "CommunicationAndEmailServiceOwner", "acs"),
        ("functions", "MonitoringMetricsPublisher", "appi"),
        ("worker", "StorageQueueDataContributor", "sessions"),
        ("worker", "StorageBlobDataContributor", "records"),
        ("worker", "StorageBlobDataReader", "directory"),
        ("worker", "CommunicationAndEmailServiceOwner", "acs"),
        ("worker", "CognitiveServicesUser", "ai-1"),
        ("worker", "AzureAIUser", "ai-1"),
        ("worker", "AcrPull", "cr"),
        ("worker", "MonitoringMetricsPublisher", "appi"),
        ("acs", "CognitiveServicesUser", "ai-1"),
        ("the topic", "StorageBlobDataContributor", "dead-letters"),
        ("me", "StorageBlobDataContributor", "directory"),
    }


def test_no_two_role_assignments_share_a_name() -> None:
    ids = [one.id for one in deployed().made("Microsoft.Authorization/roleAssignments")]
    assert len(ids) == len(set(ids)) == 16


def test_every_role_has_its_reason_where_the_portal_shows_it() -> None:
    made = deployed().made("Microsoft.Authorization/roleAssignments")
    assert all(one.body["properties"]["description"].endswith(".") for one in made)


def test_a_pipeline_may_publish_the_agents_too() -> None:
    made = deployed(deployerType="ServicePrincipal").made("Microsoft.Authorization/roleAssignments")
    kinds = {one.body["properties"]["principalType"] for one in made}
    assert kinds == {"ServicePrincipal"}


# --- brought resources ----------------------------------------------------------------------------


def test_a_brought_acs_resource_is_used_and_not_made() -> None:
    whole = deployed(acsResourceId=ACS)
    assert whole.made("Microsoft.Communication/communicationServices") == []
    assert only(whole.made("Microsoft.EventGrid/systemTopics"))["source"] == ACS
    settings = only(whole.made("Microsoft.Web/sites/config"))
    assert settings["ACS_RESOURCE_ID"] == ACS
    assert ("worker", "CommunicationAndEmailServiceOwner", "phones") in grants(whole)


def test_roles_on_what_was_brought_are_granted_in_its_own_group() -> None:
    whole = deployed(acsResourceId=ACS, aiResourceId=AI)
    made = whole.made("Microsoft.Authorization/roleAssignments")
    groups = {one.scope.id: one.group.name for one in made if one.scope is not None}
    assert groups[ACS] == groups[AI] == "mine"


def test_a_brought_ai_account_gets_no_models_and_is_not_made() -> None:
    whole = deployed(aiResourceId=AI)
    assert whole.made("Microsoft.CognitiveServices/accounts") == []
    assert whole.made("Microsoft.CognitiveServices/accounts/deployments") == []
    [container] = only(whole.made("Microsoft.App/containerApps"))["template"]["containers"]
    settings = {one["name"]: one["value"] for one in container["env"]}
    assert settings["VOICE_LIVE_ENDPOINT"] == "https://brought.services.ai.azure.com"
    assert settings["SPEECH_RESOURCE_ID"] == AI


def test_each_ai_region_gets_a_resource_with_every_model() -> None:
    whole = deployed(aiLocations="swedencentral,eastus2")
    accounts = whole.made("Microsoft.CognitiveServices/accounts")
    assert [one.body["location"] for one in accounts] == ["swedencentral", "eastus2"]
    models = whole.made("Microsoft.CognitiveServices/accounts/deployments")
    assert [one.name for one in models] == ["gpt-realtime-2.1", "gpt-realtime-2.1-mini"] * 2
    assert ("worker", "CognitiveServicesUser", "ai-2") in grants(whole)


def test_only_the_ai_resource_that_speaks_for_acs_lets_it_in() -> None:
    granted = grants(deployed(aiLocations="swedencentral,eastus2"))
    assert ("acs", "CognitiveServicesUser", "ai-1") in granted
    assert ("acs", "CognitiveServicesUser", "ai-2") not in granted


# --- the worker -----------------------------------------------------------------------------------


def test_the_first_provision_runs_a_placeholder_without_our_probes() -> None:
    [container] = worker()["template"]["containers"]
    assert container["image"].startswith("mcr.microsoft.com/")
    assert container["probes"] == []


def test_a_later_provision_keeps_the_deployed_image_and_probes_it() -> None:
    [container] = worker(workerExists=True)["template"]["containers"]
    assert container["image"] == "cr.azurecr.io/switchboard/worker:1"
    assert {one["type"]: one["httpGet"]["path"] for one in container["probes"]} == {
        "Startup": "/healthz",
        "Liveness": "/healthz",
        "Readiness": "/readyz",
    }


def test_replicas_are_added_by_calls_in_progress() -> None:
    [rule] = worker(callsPerReplica=40)["template"]["scale"]["rules"]
    assert rule["custom"]["metadata"]["queueLength"] == "40"
    assert rule["custom"]["metadata"]["queueName"] == "sessions"


def test_a_dedicated_profile_can_have_a_maintenance_window() -> None:
    whole = deployed(workloadProfile="D4", maintenanceDay="Sunday")
    assert only(whole.made("Microsoft.App/containerApps"))["workloadProfileName"] == "worker"
    profiles = only(whole.made("Microsoft.App/managedEnvironments"))["workloadProfiles"]
    assert [one["workloadProfileType"] for one in profiles] == ["Consumption", "D4"]
    assert len(whole.made("Microsoft.App/managedEnvironments/maintenanceConfigurations")) == 1
    assert deployed().made("Microsoft.App/managedEnvironments/maintenanceConfigurations") == []


def test_the_door_can_be_narrowed_to_the_addresses_of_acs() -> None:
    rules = worker(acsAddressesOnly=True)["configuration"]["ingress"]["ipSecurityRestrictions"]
    assert [one["ipAddressRange"] for one in rules] == ["52.112.0.0/14", "52.122.0.0/15"]


# --- watching and the rest ------------------------------------------------------------------------


def test_alerts_reach_the_admin_if_there_is_an_address() -> None:
    whole = deployed(alertEmail="ops@example.org")
    [group] = whole.made("Microsoft.Insights/actionGroups")
    for one in whole.made("Microsoft.Insights/metricAlerts"):
        assert one.body["properties"]["actions"] == [{"actionGroupId": group.id}]
    for one in whole.made("Microsoft.Insights/scheduledQueryRules"):
        assert one.body["properties"]["actions"] == {"actionGroups": [group.id]}
    assert len(whole.made("Microsoft.Consumption/budgets")) == 1


def test_alerts_exist_without_an_address_too() -> None:
    whole = deployed()
    assert whole.made("Microsoft.Insights/actionGroups") == []
    assert whole.made("Microsoft.Consumption/budgets") == []
    assert len(whole.made("Microsoft.Insights/scheduledQueryRules")) == 3


def test_nobody_is_woken_before_there_is_anything_to_watch() -> None:
    for exists in (False, True):
        whole = deployed(workerExists=exists)
        kinds = ("Microsoft.Insights/metricAlerts", "Microsoft.Insights/scheduledQueryRules")
        rules = [one for kind in kinds for one in whole.made(kind)]
        assert {one.body["properties"]["enabled"] for one in rules} == {exists}


def test_the_end_reasons_that_alert_exist() -> None:
    queries = sources()["alerts.bicep"]
    [named] = re.findall(r"reasons = dynamic\((\[.*?\])\)", queries)
    assert set(json.loads(named)) <= set(EndReason)


def test_names_fit_the_limits_of_azure() -> None:
    whole = deployed(environmentName="a" * 40)
    [account] = whole.made("Microsoft.Storage/storageAccounts")
    assert re.fullmatch(r"[a-z0-9]{3,24}", account.name)
    [registry] = whole.made("Microsoft.ContainerRegistry/registries")
    assert re.fullmatch(r"[a-zA-Z0-9]{5,50}", registry.name)
    [app] = whole.made("Microsoft.App/containerApps")
    assert re.fullmatch(r"[a-z][a-z0-9-]{0,30}[a-z0-9]", app.name)


def test_everything_that_can_be_tagged_belongs_to_the_environment() -> None:
    for one in deployed(alertEmail="ops@example.org").resources:
        if "tags" in one.body:
            assert one.body["tags"]["azd-env-name"] == "prod", one.id


# --- parameters -----------------------------------------------------------------------------------

PARAMETERS = json.loads((DIRECTORY / "main.parameters.json").read_text(encoding="utf-8"))
PARAMS = {param.name: param for param in PROJECT.files["main.bicep"].all(Param)}


def test_the_parameters_file_names_nothing_that_main_does_not_take() -> None:
    assert set(PARAMETERS["parameters"]) <= set(PARAMS)


@pytest.mark.parametrize("name", [n for n, p in PARAMS.items() if p.default is None])
def test_what_must_be_given_is_given_by_azd(name: str) -> None:
    assert name in PARAMETERS["parameters"]


@pytest.mark.parametrize("name", sorted(PARAMETERS["parameters"]))
def test_the_parameters_file_repeats_the_default_of_main(name: str) -> None:
    value = PARAMETERS["parameters"][name]["value"]
    found = re.fullmatch(r"\$\{[A-Z_]+(?:=(.*))?\}", value)
    assert found, f"{value} is not one variable of the azd environment"
    default = PARAMS[name].default
    if default is not None:
        said = getattr(default, "value", None)
        assert (found.group(1) or "") == (json.dumps(said) if said is False else str(said))
