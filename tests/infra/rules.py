"""What the compiler would allow and this deployment does not: keys, open doors, nameless roles."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.infra.project import Finding, Project, Scope
from tests.infra.syntax import (
    Call,
    Entry,
    Expr,
    Literal,
    Member,
    Name,
    Node,
    Object,
    Output,
    Param,
    Resource,
    Text,
    Var,
    walk,
)

ROLES = {
    "AcrPull": "7f951dda-4ed3-4680-a7ca-43fe172d538d",
    "AzureAIUser": "53ca6127-db72-4b80-b1b0-d745d6d5456d",
    "CognitiveServicesUser": "a97b65f3-24c7-4388-baec-2e87135dc908",
    "CommunicationAndEmailServiceOwner": "09976791-48a7-449e-bb21-39d1a415f350",
    "MonitoringMetricsPublisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "StorageBlobDataContributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "StorageBlobDataOwner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "StorageBlobDataReader": "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
    "StorageQueueDataContributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "StorageQueueDataMessageProcessor": "8a0f0c08-91a1-4084-bc3d-661d67233fed",
    "StorageQueueDataMessageSender": "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a",
}
"""Built-in roles, read in Azure Verified Modules (`builtInRoleNames`); a second copy on purpose."""

ROLE_FILES = {"roles.bicep", "roles-acs.bicep", "roles-ai.bicep"}
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SECRET = re.compile(r"key|secret|password|credential|connectionstring|sas$", re.IGNORECASE)
_NO_SECRETS = {("monitoring.bicep", "connectionString")}
"""Application Insights' says where, not who: local sign-in is off."""


@dataclass(frozen=True)
class Must:
    """A property that has to stand there with one of these values."""

    path: tuple[str, ...]
    values: tuple[object, ...]


def _must(path: str, *values: object) -> Must:
    return Must(tuple(path.split(".")), values)


MUSTS: dict[str, tuple[Must, ...]] = {
    "Microsoft.App/containerApps": (
        _must("properties.configuration.activeRevisionsMode", "Single"),
        _must("properties.configuration.ingress.allowInsecure", False),
        _must("properties.template.terminationGracePeriodSeconds", 600),
    ),
    "Microsoft.CognitiveServices/accounts": (_must("properties.disableLocalAuth", True),),
    "Microsoft.Communication/communicationServices": (
        _must("properties.disableLocalAuth", True),
        _must("identity.type", "SystemAssigned"),
    ),
    "Microsoft.ContainerRegistry/registries": (_must("properties.adminUserEnabled", False),),
    "Microsoft.EventGrid/systemTopics/eventSubscriptions": (
        _must("properties.retryPolicy.eventTimeToLiveInMinutes", 1),
        _must("properties.retryPolicy.maxDeliveryAttempts", 2, 3),
        _must("properties.deadLetterWithResourceIdentity.identity.type", "SystemAssigned"),
        _must("properties.destination.properties.maxEventsPerBatch", 1),
    ),
    "Microsoft.Insights/components": (_must("properties.DisableLocalAuth", True),),
    "Microsoft.OperationalInsights/workspaces": (
        _must("properties.features.disableLocalAuth", True),
    ),
    "Microsoft.Storage/storageAccounts": (
        _must("properties.allowSharedKeyAccess", False),
        _must("properties.allowBlobPublicAccess", False),
        _must("properties.supportsHttpsTrafficOnly", True),
        _must("properties.minimumTlsVersion", "TLS1_2", "TLS1_3"),
    ),
    "Microsoft.Storage/storageAccounts/blobServices/containers": (
        _must("properties.publicAccess", "None"),
    ),
    "Microsoft.Web/sites": (
        _must("properties.httpsOnly", True),
        _must("properties.siteConfig.minTlsVersion", "1.2", "1.3"),
    ),
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": (_must("properties.allow", False),),
}
_PROBES = {"Startup": "/healthz", "Liveness": "/healthz", "Readiness": "/readyz"}


def check(project: Project) -> Iterator[Finding]:
    """Every rule over every file."""
    for name, file in project.files.items():
        scope = Scope(file)
        for resource in file.all(Resource):
            if not resource.existing:
                yield from _musts(name, scope, resource)
                yield from _roles(name, resource)
                yield from _probes(name, scope, resource)
        yield from _keys(name, file)
        yield from _guids(name, scope)
        for output in file.all(Output):
            yield from _secrets(name, scope, output)


def _musts(name: str, scope: Scope, resource: Resource) -> Iterator[Finding]:
    for must in MUSTS.get(resource.type, ()):
        value = resource.body.get(*must.path)
        path = ".".join(must.path)
        if value is None:
            yield Finding(name, resource.line, f"{resource.type} does not say {path}")
            continue
        for known in scope.alternatives(value):
            one = known.expr
            if not isinstance(one, Literal) or one.value not in must.values:
                wanted = " or ".join(repr(value) for value in must.values)
                yield Finding(name, value.line, f"{resource.type}: {path} must be {wanted}")


def _keys(name: str, file: Node) -> Iterator[Finding]:
    for node in walk(file):
        if isinstance(node, Call) and node.name.startswith("list"):
            yield Finding(name, node.line, f"{node.name} reads a key: use an identity")


def _secrets(name: str, scope: Scope, output: Output) -> Iterator[Finding]:
    """No output shows a secure parameter, or anything that is named like a secret."""
    if (name, output.name) in _NO_SECRETS:
        return
    said = {output.name, *(n.name for n in walk(output.value) if isinstance(n, Member))}
    if any(_SECRET.search(word) for word in said):
        yield Finding(name, output.line, f"output {output.name} may show a secret")
    for node in walk(output.value):
        declared = scope.file.named(node.name) if isinstance(node, Name) else None
        if isinstance(declared, Param) and declared.decorator("secure"):
            yield Finding(name, output.line, f"output {output.name} shows {declared.name}")


# --- roles ----------------------------------------------------------------------------------------


def _roles(name: str, resource: Resource) -> Iterator[Finding]:
    if resource.type != "Microsoft.Authorization/roleAssignments":
        return
    if name not in ROLE_FILES:
        yield Finding(name, resource.line, "roles are granted in roles.bicep only")
    definition = resource.body.get("properties", "roleDefinitionId")
    match definition:
        case Call(name="subscriptionResourceId", arguments=(_, Member(name="role"))):
            pass
        case _:
            line = definition.line if definition else resource.line
            yield Finding(name, line, "the role is not one of the table's")


def _guids(name: str, scope: Scope) -> Iterator[Finding]:
    """The table is Microsoft's, and no role stands outside it."""
    table = scope.file.named("role") if name == "roles.bicep" else None
    entries = _entries(table.value) if isinstance(table, Var) else ()
    for entry in entries:
        if not isinstance(entry.value, Literal) or ROLES.get(str(entry.key)) != entry.value.value:
            yield Finding(name, entry.line, f"{entry.key} is not the id of that role")
    rows = {id(entry.value) for entry in entries}
    for node in walk(scope.file):
        texts = [node.value] if isinstance(node, Literal) else []
        texts += [p for p in node.parts if isinstance(p, str)] if isinstance(node, Text) else []
        if id(node) not in rows and any(isinstance(t, str) and _GUID.search(t) for t in texts):
            yield Finding(name, node.line, "an id that belongs into the table of roles.bicep")


def _entries(value: Expr) -> tuple[Entry, ...]:
    return value.entries if isinstance(value, Object) else ()


# --- probes ---------------------------------------------------------------------------------------


def _probes(name: str, scope: Scope, resource: Resource) -> Iterator[Finding]:
    """Each container of ours has all three probes, at the paths that the worker serves."""
    if resource.type != "Microsoft.App/containerApps":
        return
    found = {}
    for node in walk(resource.body):
        path = node.get("httpGet", "path") if isinstance(node, Object) else None
        if isinstance(node, Object) and isinstance(path, Literal):
            kinds = scope.literals(node.get("type")) or [None]
            found[kinds[0]] = path
    for kind, wanted in _PROBES.items():
        if kind not in found:
            yield Finding(name, resource.line, f"the probe {kind} is missing")
        elif found[kind].value != wanted:
            yield Finding(name, found[kind].line, f"the probe {kind} must ask {wanted}")
