"""The shapes of Azure's resources, read out of the models in Microsoft's own management packages.

A package describes one version of an API; a template must ask for that very version, or the check
would be against another one.
"""

import importlib
import importlib.util
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.infra.shapes import TEXT, Field, ListOf, Scalar, Shape, shape_of

_MGMT = "azure.mgmt."


@dataclass(frozen=True)
class Source:
    """Where a resource type is described: package, class, and the module that names the version.

    `reads`: the class that is read back, where it is another one.
    """

    package: str
    model: str
    version_in: str = "_configuration"
    reads: str | None = None

    def version(self) -> str:
        """The API version that the package speaks."""
        if (dated := re.search(r"\.v(\d{4})_(\d\d)_(\d\d)$", self.package)) is not None:
            return "-".join(dated.groups())
        found = importlib.util.find_spec(f"{_MGMT}{self.package}.{self.version_in}")
        assert found is not None
        assert found.origin is not None
        versions = re.findall(
            r'"api[_-]version", "(\d{4}-\d\d-\d\d)"', Path(found.origin).read_text(encoding="utf-8")
        )
        return str(versions[0])

    def shape(self, model: str) -> Shape:
        """What such a resource may hold."""
        models = importlib.import_module(f"{_MGMT}{self.package}.models")
        return shape_of(getattr(models, model))


_MONITOR = "operations._{}_operations"
SOURCES = {
    "Microsoft.App/containerApps": Source("appcontainers", "ContainerApp"),
    "Microsoft.App/managedEnvironments": Source("appcontainers", "ManagedEnvironment"),
    "Microsoft.App/managedEnvironments/maintenanceConfigurations": Source(
        "appcontainers", "MaintenanceConfigurationResource"
    ),
    "Microsoft.Authorization/roleAssignments": Source(
        "authorization.v2022_04_01", "RoleAssignmentCreateParameters"
    ),
    "Microsoft.CognitiveServices/accounts": Source("cognitiveservices", "Account"),
    "Microsoft.CognitiveServices/accounts/deployments": Source("cognitiveservices", "Deployment"),
    "Microsoft.CognitiveServices/accounts/projects": Source("cognitiveservices", "Project"),
    "Microsoft.Communication/communicationServices": Source(
        "communication", "CommunicationServiceResource"
    ),
    "Microsoft.Consumption/budgets": Source("consumption", "Budget"),
    "Microsoft.ContainerRegistry/registries": Source("containerregistry", "Registry"),
    "Microsoft.EventGrid/systemTopics": Source("eventgrid", "SystemTopic"),
    "Microsoft.EventGrid/systemTopics/eventSubscriptions": Source("eventgrid", "EventSubscription"),
    "Microsoft.Insights/actionGroups": Source(
        "monitor", "ActionGroupResource", _MONITOR.format("action_groups")
    ),
    "Microsoft.Insights/components": Source(
        "applicationinsights.v2020_02_02", "ApplicationInsightsComponent"
    ),
    "Microsoft.Insights/metricAlerts": Source(
        "monitor", "MetricAlertResource", _MONITOR.format("metric_alerts")
    ),
    "Microsoft.Insights/scheduledQueryRules": Source(
        "monitor", "ScheduledQueryRuleResource", _MONITOR.format("scheduled_query_rules")
    ),
    "Microsoft.ManagedIdentity/userAssignedIdentities": Source("msi.v2024_11_30", "Identity"),
    "Microsoft.OperationalInsights/workspaces": Source("loganalytics", "Workspace"),
    "Microsoft.Resources/resourceGroups": Source("resource.resources", "ResourceGroup"),
    "Microsoft.Storage/storageAccounts": Source(
        "storage", "StorageAccountCreateParameters", reads="StorageAccount"
    ),
    "Microsoft.Storage/storageAccounts/blobServices": Source("storage", "BlobServiceProperties"),
    "Microsoft.Storage/storageAccounts/blobServices/containers": Source("storage", "BlobContainer"),
    "Microsoft.Storage/storageAccounts/managementPolicies": Source("storage", "ManagementPolicy"),
    "Microsoft.Storage/storageAccounts/queueServices": Source("storage", "QueueServiceProperties"),
    "Microsoft.Storage/storageAccounts/queueServices/queues": Source("storage", "StorageQueue"),
    "Microsoft.Web/serverfarms": Source("web", "AppServicePlan"),
    "Microsoft.Web/sites": Source("web", "Site"),
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": Source(
        "web", "CsmPublishingCredentialsPoliciesEntity"
    ),
    "Microsoft.Web/sites/config": Source("web", "StringDictionary"),  # of the name `appsettings`
}

_DIAGNOSTIC_LOG = Shape(
    {
        "category": Field(TEXT, False, False),
        "categoryGroup": Field(TEXT, False, False),
        "enabled": Field(Scalar(frozenset({bool})), True, False),
    }
)
# azure-mgmt-monitor 7 has lost this type; read in 6.0.2, `v2021_05_01_preview.models`, as far as it
# is used here. 2021-05-01-preview is the version that its documentation still names.
DIAGNOSTIC_SETTINGS_VERSION = "2021-05-01-preview"
DIAGNOSTIC_SETTINGS = Shape(
    {
        "properties": Field(
            Shape(
                {
                    "workspaceId": Field(TEXT, False, False),
                    "logs": Field(ListOf(_DIAGNOSTIC_LOG), False, False),
                }
            ),
            True,
            False,
        )
    }
)


@dataclass(frozen=True)
class Described:
    """A resource type: its API version, what may be written, what can be read."""

    version: str
    written: Shape
    read: Shape


@cache
def described(resource_type: str) -> Described | None:
    """What Microsoft says of a resource type; None: not one of ours."""
    if resource_type == "Microsoft.Insights/diagnosticSettings":
        return Described(DIAGNOSTIC_SETTINGS_VERSION, DIAGNOSTIC_SETTINGS, DIAGNOSTIC_SETTINGS)
    if (source := SOURCES.get(resource_type)) is None:
        return None
    read = source.shape(source.reads or source.model)
    return Described(source.version(), source.shape(source.model), read)
