"""Findings that stay, each with its reason. Whatever is not named here fails `make audit`."""

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias


class Place(NamedTuple):
    """A check of a tool, and the file that it complains of."""

    check: str
    file: str


Reasons: TypeAlias = Mapping[Place, str]

_FUNCTIONS = "infra/bicep/functions.bicep"
_STORAGE = "infra/bicep/storage.bicep"
_REGISTRY = "infra/bicep/registry.bicep"
_CALLED = "Event Grid and Azure Communication Services call it from outside"
_PLAN = "a setting of App Service plans; the app is on Flex Consumption"
_TELEMETRY = "the app's log goes to Application Insights"
_PARSER = "this tool's parser lags behind the language (bicep 0.5 of pycep); tests/infra reads it"

DOCTOR: Reasons = {
    Place("check_programming_model_v2", "."): "it looks for decorators of `app` or `bp` in the "
    "text; ours are on the blueprints that functions/ makes. tests/packages loads the app",
    Place("check_native_dependency_risk", "."): "cryptography comes as a wheel, and azd builds "
    "on Azure's own Linux (remote build)",
    Place("check_app_insights", "."): "the connection string is an app setting of the deployment",
    Place("check_unused_files", "."): ".funcignore leaves them out; tests/packages proves it",
}

CHECKOV: Reasons = {
    Place("CKV_DOCKER_2", ".devcontainer/Dockerfile"): "a desk, not a service: nothing to ask",
    Place("CKV_DOCKER_3", ".devcontainer/Dockerfile"): "`make image` wants root",
    Place("unread", "infra/bicep/main.bicep"): _PARSER,
    Place("unread", "infra/bicep/worker.bicep"): _PARSER,
    Place("CKV_AZURE_134", "infra/bicep/ai.bicep"): "the worker is in no virtual network unless "
    "somebody brings one; sign-in is by identity alone",
    Place("CKV_AZURE_35", _STORAGE): "Event Grid writes dead letters and azd uploads code from "
    "outside; keys are off, sign-in is by identity alone",
    Place("CKV_AZURE_59", _STORAGE): "as CKV_AZURE_35; no blob can be read without signing in",
    Place("CKV_AZURE_206", _STORAGE): "the sku is a parameter, zone-redundant unless changed; "
    "this tool does not follow parameters",
    Place("CKV_AZURE_43", _STORAGE): "the name is made of a token; this tool reads the text",
    Place("CKV_AZURE_139", _REGISTRY): "azd's remote build pushes from outside; the private "
    "alternative needs the Premium sku. The admin user is off",
    Place("CKV_AZURE_163", _REGISTRY): "Defender for Cloud scans, where a subscription has it",
    Place("CKV_AZURE_166", _REGISTRY): "quarantine needs the Premium sku; images come from one "
    "build and have their packages by hash",
    Place("CKV_AZURE_225", _FUNCTIONS): "zones are the deployer's choice, as they cost",
    Place("CKV_AZURE_222", _FUNCTIONS): _CALLED,
    Place("CKV_AZURE_17", _FUNCTIONS): _CALLED + ", and have no client certificates",
    Place("CKV_AZURE_13", _FUNCTIONS): _CALLED + "; the app checks their tokens itself",
    Place("CKV_AZURE_212", _FUNCTIONS): _PLAN + ", where alwaysReady says how many there are",
    Place("CKV_AZURE_213", _FUNCTIONS): _PLAN,
    Place("CKV_AZURE_88", _FUNCTIONS): _PLAN + ", whose code is in a blob",
    Place("CKV_AZURE_63", _FUNCTIONS): _TELEMETRY,
    Place("CKV_AZURE_65", _FUNCTIONS): _TELEMETRY,
    Place("CKV_AZURE_66", _FUNCTIONS): _TELEMETRY,
    Place("CKV_AZURE_80", _FUNCTIONS): "there is no .NET in it",
}
