"""Tests of the checks themselves: each kind of mistake, planted in the real files, is found."""

from dataclasses import dataclass

import pytest

from tests.infra.test_bicep import SOURCES_OF_FILES, findings


@dataclass(frozen=True)
class Fault:
    """One edit of one file. `said` must be found on the line of `at`, by default the edited one."""

    file: str
    old: str
    new: str
    said: str
    at: str = ""
    other: str = ""


def no(name: str) -> str:
    return f"has no property {name}"


FAULTS = {
    # --- what the compiler would say --------------------------------------------------------------
    "a property that does not exist": Fault(
        "worker.bicep", "activeRevisionsMode: 'Single'", "activeRevisionMode: 'Single'",
        no("activeRevisionMode"),
    ),
    "a property that does not exist, five levels deep": Fault(
        "worker.bicep", "failureThreshold: 10", "failureTreshold: 10", no("failureTreshold"),
    ),
    "a property of another kind of destination": Fault(
        "incoming-call.bicep", "maxEventsPerBatch: 1", "endpointUrl: 'https://a.example'",
        no("endpointUrl"),
    ),
    "a property that only Azure sets": Fault(
        "acs.bicep", "dataLocation: dataLocation", "dataLocation: dataLocation, hostName: 'a'",
        "hostName is read-only",
    ),
    "a property one level too high": Fault(
        "registry.bicep", "sku: { name: 'Basic' }",
        "sku: { name: 'Basic' }\n  adminUserEnabled: false",
        no("adminUserEnabled"), at="\n  adminUserEnabled: false",
    ),
    "an API version that the models do not describe": Fault(
        "storage.bicep",
        "blobServices/containers@2026-09-01' = {\n  parent: blobService\n  name: 'records'",
        "blobServices/containers@2023-01-01' = {\n  parent: blobService\n  name: 'records'",
        "described in version 2026-09-01", at="containers@2023-01-01",
    ),
    "a resource type that does not exist": Fault(
        "events.bicep", "Microsoft.EventGrid/systemTopics@", "Microsoft.EventGrid/systemTopic@",
        "unknown resource type",
    ),
    "a value that is none of the allowed": Fault(
        "worker.bicep", "type: 'Readiness'", "type: 'Ready'", "'Ready' is none of",
    ),
    "a value that is none of the allowed, through a variable of a loop": Fault(
        "alerts.bicep", "operator: 'LessThan'", "operator: 'Below'", "'Below' is none of",
    ),
    "a text for a number": Fault(
        "worker.bicep", "periodSeconds: 5", "periodSeconds: '5'", "is a whole number",
    ),
    "a number for a text, through a parameter": Fault(
        "worker.bicep", "queueLength: string(callsPerReplica)", "queueLength: callsPerReplica",
        "queueLength is a text",
    ),
    "a number beyond its documented bounds": Fault(
        "worker.bicep", "failureThreshold: 10", "failureThreshold: 60", "60 is not from 1 to 10",
    ),
    "an object for a list": Fault(
        "worker.bicep",
        "dedicated ? [consumptionProfile, dedicatedProfile] : [consumptionProfile]",
        "consumptionProfile", "workloadProfiles is a list",
        at="var consumptionProfile",
    ),
    "a required property that is missing": Fault(
        "monitoring.bicep", "  kind: 'web'\n", "", "kind is missing", at="resource insights",
    ),
    "a kind of dead letter that does not exist": Fault(
        "incoming-call.bicep", "endpointType: 'StorageBlob'", "endpointType: 'Blob'",
        "is none of ['StorageBlob']",
    ),
    "a property that cannot be read": Fault(
        "acs-used.bicep", "acs.properties.hostName", "acs.properties.hostname",
        "has no properties.hostname",
    ),
    "a text that does not end": Fault(
        "budget.bicep", "name: 'switchboard'", "name: 'switchboard", "does not end", other="?",
    ),
    # --- names ------------------------------------------------------------------------------------
    "an unknown symbol": Fault(
        "events.bicep", "source: acsId", "source: acsResource", "unknown symbol acsResource",
    ),
    "an unknown symbol inside a text": Fault(
        "events.bicep", "'evgt-${token}'", "'evgt-${tokn}'", "unknown symbol tokn",
    ),
    "an unknown function": Fault(
        "main.bicep", "toLower(uniqueString(", "lower(uniqueString(", "unknown function lower",
    ),
    "a parameter that nothing uses": Fault(
        "acs.bicep", "param name string", "param name string\nparam colour string",
        "colour is never used", at="param colour",
    ),
    "a variable that nothing uses": Fault(
        "worker.bicep", "var port = 8080", "var port = 8080\nvar spare = 1",
        "spare is never used", at="var spare",
    ),
    "a module parameter that is not passed": Fault(
        "main.bicep", "    mediaAuth: mediaAuth\n", "", "needs the parameter mediaAuth",
        at="module worker ",
    ),
    "a module parameter that does not exist": Fault(
        "main.bicep", "amount: monthlyBudget", "sum: monthlyBudget", "has no parameter sum",
    ),
    "a module parameter of another type": Fault(
        "main.bicep", "exists: workerExists", "exists: location", "wants exists as bool",
    ),
    "a module that is not there": Fault(
        "main.bicep", "'budget.bicep'", "'budgets.bicep'", "there is no budgets.bicep",
    ),
    "a module without the scope that it is for": Fault(
        "main.bicep", "  scope: group\n  params: { amount", "  params: { amount", "needs a scope",
        at="module budget",
    ),
    "an output that does not exist": Fault(
        "main.bicep", "worker.outputs.mediaUrl", "worker.outputs.mediaURL",
        "has no output mediaURL",
    ),
    "an output that nobody reads": Fault(
        "registry.bicep", "output name string",
        "output id string = registry.id\noutput name string",
        "output id is never read", at="output id",
    ),
    # --- keys, doors and roles --------------------------------------------------------------------
    "a key that is read": Fault(
        "monitoring.bicep", "output workspaceId string = workspace.id",
        "output workspaceId string = workspace.listKeys().primarySharedKey", "listKeys reads a key",
    ),
    "a key in an output": Fault(
        "acs-used.bicep", "output id string = acs.id", "output accessKey string = acs.id",
        "accessKey may show a secret",
    ),
    "a secure parameter in an output": Fault(
        "acs.bicep", "param name string", "@secure()\nparam name string\noutput id string = name",
        "output id shows name", at="output id",
    ),
    "keys of Communication Services left on": Fault(
        "acs.bicep", "disableLocalAuth: true", "disableLocalAuth: false", "must be True",
    ),
    "keys of the AI resource left on": Fault(
        "ai.bicep", "disableLocalAuth: true", "disableLocalAuth: false", "must be True",
    ),
    "keys of telemetry left on, by saying nothing": Fault(
        "monitoring.bicep", "    DisableLocalAuth: true\n", "", "does not say properties.Disable",
        at="resource insights",
    ),
    "shared keys of the storage account left on": Fault(
        "storage.bicep", "allowSharedKeyAccess: false", "allowSharedKeyAccess: true",
        "must be False",
    ),
    "blobs that anybody can read": Fault(
        "storage.bicep", "name: 'records'\n  properties: { publicAccess: 'None' }",
        "name: 'records'\n  properties: { publicAccess: 'Blob' }", "must be 'None'",
        at="publicAccess: 'Blob'",
    ),
    "an administrator's password on the registry": Fault(
        "registry.bicep", "adminUserEnabled: false", "adminUserEnabled: true", "must be False",
    ),
    "publishing with a password": Fault(
        "functions.bicep", "allow: false", "allow: true", "must be False",
    ),
    "plain http to the Functions app": Fault(
        "functions.bicep", "httpsOnly: true", "httpsOnly: false", "must be True",
    ),
    "a short time to end calls": Fault(
        "worker.bicep", "var graceSeconds = 600", "var graceSeconds = 60", "must be 600",
        at="terminationGracePeriodSeconds",
    ),
    "no readiness probe": Fault(
        "worker.bicep", "type: 'Readiness'", "type: 'Liveness'", "probe Readiness is missing",
        at="resource worker",
    ),
    "a probe at another path": Fault(
        "worker.bicep", "path: '/readyz'", "path: '/ready'", "must ask /readyz",
    ),
    "call events kept for hours": Fault(
        "incoming-call.bicep", "eventTimeToLiveInMinutes: 1", "eventTimeToLiveInMinutes: 60",
        "must be 1",
    ),
    "a role's id under the name of another": Fault(
        "roles.bicep", "StorageBlobDataReader: '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'",
        "StorageBlobDataReader: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'",
        "StorageBlobDataReader is not the id of that role",
    ),
    "a role's id outside the table": Fault(
        "roles.bicep", "role: role.AcrPull", "role: '7f951dda-4ed3-4680-a7ca-43fe172d538d'",
        "belongs into the table",
    ),
    "a role granted somewhere else": Fault(
        "registry.bicep", "output name string",
        "resource pull 'Microsoft.Authorization/roleAssignments@2022-04-01' = {\n"
        "  scope: registry\n"
        "  name: guid(token)\n  properties: {\n    principalId: token\n"
        "    roleDefinitionId: token\n  }\n}\n\noutput name string",
        "granted in roles.bicep only", at="resource pull",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", FAULTS)
def test_a_planted_fault_is_found_on_its_line(kind: str) -> None:
    fault = FAULTS[kind]
    text = SOURCES_OF_FILES[fault.file]
    assert text.count(fault.old) == 1, "the place of the fault is gone or no longer one"
    edited = text.replace(fault.old, fault.new)
    at = edited.index(fault.at or fault.new)
    line = edited.count("\n", 0, at + len(fault.at) - len(fault.at.lstrip("\n"))) + 1
    found = findings({**SOURCES_OF_FILES, fault.file: edited})
    assert any(
        fault.said in f.message and (f.file, f.line) == (fault.other or fault.file, line)
        for f in found
    ), "\n".join(str(f) for f in found) or "nothing was found"


def test_a_file_that_nothing_deploys_is_found() -> None:
    found = findings({**SOURCES_OF_FILES, "spare.bicep": "// spare\noutput a string = 'b'\n"})
    assert "infra/bicep/spare.bicep:1: nothing deploys this file" in [str(f) for f in found]
