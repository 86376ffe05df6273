"""Tests that docs/deployment.md says what the files say."""

import json
import re

import pytest

from tests.infra.project import DIRECTORY, project, sources
from tests.infra.rehearsal import rehearse
from tests.infra.syntax import Array, Call, Literal, Object, Param, Resource
from tests.test_docs import read

PAGE = read("docs/deployment.md")
PROJECT = project(sources())
MAIN = PROJECT.files["main.bicep"]
PARAMS = {param.name: param for param in MAIN.all(Param)}
VARIABLES = json.loads((DIRECTORY / "main.parameters.json").read_text(encoding="utf-8"))


def row(param: Param) -> str:
    """The line that the page must have for a parameter."""
    value = VARIABLES["parameters"].get(param.name, {}).get("value", "")
    variable = re.match(r"\$\{([A-Z_]+)", value)
    match param.default:
        case None:
            default = "**given by azd**"
        case Literal(value=""):
            default = "empty"
        case Literal(value=bool(truth)):
            default = f"`{json.dumps(truth)}`"
        case Literal(value=plain):
            default = f"`{plain}`"
        case Array():
            default = "below"
        case _:
            default = "none"
    said = param.decorator("description")
    assert isinstance(said, Call), f"{param.name} has no description"
    [text] = said.arguments
    assert isinstance(text, Literal)
    shown = f"`{variable.group(1)}`" if variable else "–"
    return f"| `{param.name}` | {shown} | {default} | {text.value} |"


@pytest.mark.parametrize("name", PARAMS)
def test_every_parameter_is_documented_in_its_own_words_with_its_default(name: str) -> None:
    assert row(PARAMS[name]) in PAGE.splitlines()


def test_no_parameter_is_documented_that_does_not_exist() -> None:
    table = PAGE[PAGE.index("## Parameters") : PAGE.index("## Bring your own")]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(PARAMS)


def test_every_file_of_the_infrastructure_has_its_line() -> None:
    table = PAGE[PAGE.index("## What it makes") : PAGE.index("## Parameters")]
    assert set(re.findall(r"`([\w-]+\.bicep)`", table)) == set(PROJECT.files) - {"main.bicep"}


def test_every_alert_has_its_line() -> None:
    whole = rehearse(
        PROJECT, "main.bicep", environmentName="prod", location="westeurope", deployerId="me"
    )
    kinds = ("Microsoft.Insights/metricAlerts", "Microsoft.Insights/scheduledQueryRules")
    table = PAGE[PAGE.index("## Alerts") : PAGE.index("## Removal")]
    alerts = {one.name for kind in kinds for one in whole.made(kind)}
    assert set(re.findall(r"^\| `([\w-]+)` \|", table, re.MULTILINE)) == alerts


def test_every_deployed_model_has_the_day_of_its_end() -> None:
    models = PARAMS["realtimeModels"].default
    assert isinstance(models, Array)
    for model in models.items:
        assert isinstance(model, Object)
        name, version = model.get("name"), model.get("version")
        assert isinstance(name, Literal)
        assert isinstance(version, Literal)
        assert re.search(
            rf"^\| `{name.value}` \| {version.value} \| 20\d\d-\d\d-\d\d \|", PAGE, re.M
        )


def test_the_page_names_no_policy_of_delivery_that_the_subscription_does_not_have() -> None:
    [subscription] = [
        one for one in PROJECT.files["incoming-call.bicep"].all(Resource) if not one.existing
    ]
    policy = subscription.body.get("properties", "retryPolicy")
    assert isinstance(policy, Object)
    tries, minutes = policy.get("maxDeliveryAttempts"), policy.get("eventTimeToLiveInMinutes")
    assert isinstance(tries, Literal)
    assert isinstance(minutes, Literal)
    assert (tries.value, minutes.value) == (2, 1)
    assert "two tries within the minute" in PAGE
