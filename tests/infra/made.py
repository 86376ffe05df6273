"""A resource as a rehearsed deployment makes it, and what only Azure would know of it."""

import uuid
from dataclasses import dataclass
from typing import Any

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
SAMPLES: dict[str, dict[str, Any]] = {
    "Microsoft.App/containerApps": {
        "properties": {
            "configuration": {"ingress": {"fqdn": "ca-worker.calm.azurecontainerapps.io"}},
            "template": {"containers": [{"image": "cr.azurecr.io/switchboard/worker:1"}]},
        }
    },
    "Microsoft.CognitiveServices/accounts": {  # one that was brought
        "location": "swedencentral",
        "properties": {"customSubDomainName": "brought"},
    },
    "Microsoft.Communication/communicationServices": {
        "identity": {"principalId": "principal of acs"},
        "properties": {
            "hostName": "acs-x.europe.communication.azure.com",
            "immutableResourceId": "22222222-2222-2222-2222-222222222222",
        },
    },
    "Microsoft.ContainerRegistry/registries": {"properties": {"loginServer": "cr.azurecr.io"}},
    "Microsoft.EventGrid/systemTopics": {"identity": {"principalId": "principal of the topic"}},
    "Microsoft.Insights/components": {
        "properties": {
            "ConnectionString": "InstrumentationKey=33333333-3333-3333-3333-333333333333;"
            "IngestionEndpoint=https://westeurope-5.in.applicationinsights.azure.com/"
        }
    },
    "Microsoft.Storage/storageAccounts": {
        "properties": {
            "primaryEndpoints": {
                "blob": "https://st.blob.core.windows.net/",
                "queue": "https://st.queue.core.windows.net/",
            }
        }
    },
    "Microsoft.Web/sites": {"properties": {"defaultHostName": "func.azurewebsites.net"}},
}  # fmt: skip


@dataclass(frozen=True)
class Group:
    """A resource group, as a scope."""

    subscription: str
    name: str


@dataclass(frozen=True)
class Made:
    """One resource, with the values of all its properties."""

    type: str
    id: str
    group: Group
    existing: bool
    scope: "Made | None"
    body: dict[str, Any]

    @property
    def name(self) -> str:
        """Its own name, without its parents'."""
        return str(self.body["name"])

    def read(self) -> dict[str, Any]:
        """What can be read from it: Azure's samples under what was written."""
        given: dict[str, Any] = SAMPLES.get(self.type, {})
        if self.type == "Microsoft.ManagedIdentity/userAssignedIdentities":
            client = str(uuid.uuid5(uuid.NAMESPACE_URL, self.id))
            given = {"properties": {"clientId": client, "principalId": f"principal of {self.name}"}}
        return {**_merged(given, self.body), "id": self.id}


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        inner = merged.get(key)
        if isinstance(inner, dict) and isinstance(value, dict):
            merged[key] = _merged(inner, value)
        else:
            merged[key] = value
    return merged
