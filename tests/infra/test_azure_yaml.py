"""Tests that azd understands azure.yaml, and finds in it what is really there."""

import json
import os
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.infra.project import DIRECTORY, project, sources
from tests.infra.rehearsal import rehearse

ROOT = Path(__file__).parent.parent.parent
FILE: dict[str, Any] = yaml.safe_load((ROOT / "azure.yaml").read_text(encoding="utf-8"))

KEYS = {
    "": {
        "name",
        "metadata",
        "requiredVersions",
        "infra",
        "services",
        "hooks",
        "pipeline",
        "workflows",
    },
    "services.functions": {"project", "host", "language", "remoteBuild"},
    "services.worker": {"project", "host", "language", "docker"},
    "services.worker.docker": {"path", "context", "remoteBuild"},
    "infra": {"provider", "path", "module"},
}
"""azd's schema lets unknown keys of a service pass; a misspelt one would be silently ignored."""


def at(path: str) -> Any:
    """What stands at a dotted path."""
    here: Any = FILE
    for step in filter(None, path.split(".")):
        here = here[step]
    return here


@pytest.mark.parametrize("path", KEYS)
def test_no_key_is_there_that_azd_does_not_know(path: str) -> None:
    assert set(at(path)) == KEYS[path]


@pytest.mark.skipif(
    "AZD_SCHEMA" not in os.environ, reason="AZD_SCHEMA, the path of azd's own schema, is not set"
)
def test_azd_s_own_schema_accepts_the_file() -> None:
    schema = json.loads(Path(os.environ["AZD_SCHEMA"]).read_text(encoding="utf-8"))
    jsonschema.validate(FILE, schema)


def test_the_infrastructure_is_where_azure_yaml_says() -> None:
    assert (ROOT / at("infra.path") / f"{at('infra.module')}.bicep").exists()


def test_each_service_finds_its_resource_by_tag() -> None:
    given = {"environmentName": "prod", "location": "westeurope", "deployerId": "me"}
    whole = rehearse(project(sources()), "main.bicep", **given)
    kinds = {"function": "Microsoft.Web/sites", "containerapp": "Microsoft.App/containerApps"}
    for name, service in at("services").items():
        tagged = [
            one.type
            for one in whole.resources
            if one.body.get("tags", {}).get("azd-service-name") == name and not one.existing
        ]
        assert tagged == [kinds[service["host"]]]


def test_the_functions_app_is_where_the_host_looks_for_it() -> None:
    home = ROOT / at("services.functions.project")
    assert (home / "host.json").exists()
    assert (home / "function_app.py").exists()
    assert (home / "requirements.txt").exists()


def test_the_worker_is_built_from_a_file_that_is_there() -> None:
    home = ROOT / at("services.worker.project")
    assert (home / at("services.worker.docker.path")).exists()


def test_hooks_exist_for_every_system_and_call_the_same_program() -> None:
    for hook in at("hooks").values():
        for one in (hook["posix"], hook["windows"]):
            wrapper = ROOT / one["run"]
            assert "infra/hooks/postdeploy.py" in wrapper.read_text(encoding="utf-8")
    assert os.access(ROOT / at("hooks.postdeploy.posix.run"), os.X_OK)


def test_up_provisions_once_more_when_our_image_is_there() -> None:
    steps = [step["azd"] for step in at("workflows.up.steps")]
    assert steps == ["package --all", "provision", "deploy --all", "provision"]


def choices() -> set[str]:
    """The variables of main.parameters.json, but for those that azd sets itself."""
    text = (DIRECTORY / "main.parameters.json").read_text(encoding="utf-8")
    named = set(re.findall(r"\$\{([A-Z_]+)", text))
    return {name for name in named if not name.startswith(("AZURE_", "SERVICE_"))}


def test_a_pipeline_is_told_every_choice_that_the_admin_made() -> None:
    assert set(at("pipeline.variables")) == choices()


def test_the_deploying_workflow_hands_every_choice_to_azd() -> None:
    """Or it would undo them: without ACS_RESOURCE_ID it would make a second resource."""
    workflow = (ROOT / ".github/workflows/azure-dev.yml").read_text(encoding="utf-8")
    lines = {name: f"{name}: ${{{{ vars.{name} }}}}" for name in sorted(choices())}
    assert [line for line in lines.values() if line not in workflow] == []
