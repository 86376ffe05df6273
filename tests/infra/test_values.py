"""Tests that the values of a whole deployment are ones that Azure's models take, with every choice.

`resources.check` reads the files and knows the line; this reads what comes out of them, where a
value has come through parameters, loops and modules.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.infra.azure_models import described
from tests.infra.made import Made
from tests.infra.project import project, sources
from tests.infra.rehearsal import rehearse
from tests.infra.shapes import Expected, ListOf, MapOf, Model, Scalar, Shape
from tests.infra.test_deployment import ACS, AI, deployed

CHOICES: dict[str, dict[str, Any]] = {
    "the least": {},
    "a later provision": {"workerExists": True, "alertEmail": "ops@example.org"},
    "everything brought": {"acsResourceId": ACS, "aiResourceId": AI},
    "two AI regions": {"aiLocations": "swedencentral,eastus2", "storageSku": "Standard_LRS"},
    "dedicated": {
        "workloadProfile": "D4",
        "maintenanceDay": "Sunday",
        "workerSubnetId": "/subscriptions/1/resourceGroups/net/…/subnets/worker",
        "zoneRedundant": True,
        "acsAddressesOnly": True,
        "deployerType": "ServicePrincipal",
    },
}


def wrong(value: Any, expected: Expected, path: str) -> Iterator[str]:
    """What the models do not take."""
    match expected:
        case _ if value is None:
            return
        case Scalar(kinds=kinds, choices=choices, low=low, high=high):
            if type(value) not in kinds:
                yield f"{path}: {value!r} is of the wrong kind"
            elif choices is not None and value not in choices:
                yield f"{path}: {value!r} is none of {sorted(choices)}"
            elif type(value) is int and not low <= value <= high:
                yield f"{path}: {value} is not from {low} to {high}"
        case ListOf(item=item):
            if not isinstance(value, list):
                yield f"{path} is no list"
            else:
                for one in value:
                    yield from wrong(one, item, f"{path}[]")
        case MapOf(value=item):
            for key, one in value.items():
                yield from wrong(one, item, f"{path}.{key}")
        case Shape() | Model():
            shape = expected if isinstance(expected, Shape) else expected.shape()
            yield from wrong_object(value, shape, path)


def wrong_object(value: dict[str, Any], shape: Shape, path: str) -> Iterator[str]:
    """The same for an object, of the class that its deciding property names."""
    while shape.decided_by is not None:
        shape = Model(shape.variants[value[shape.decided_by]]).shape()
    for key, one in value.items():
        if (field := shape.fields.get(key)) is None or field.read_only:
            yield f"{path}.{key} cannot be set"
        else:
            yield from wrong(one, field.expected, f"{path}.{key}")
    for key, field in shape.fields.items():
        if field.required and not field.read_only and value.get(key) is None:
            yield f"{path}.{key} is missing"


def faults(made: Made) -> list[str]:
    """What is wrong with one resource."""
    model = described(made.type)
    assert model is not None
    body = {key: value for key, value in made.body.items() if key != "name"}
    named = {"name", "id", "type"}
    shape = Shape({key: f for key, f in model.written.fields.items() if key not in named})
    return list(wrong_object(body, shape, made.type))


@pytest.mark.parametrize("choice", CHOICES)
def test_azure_takes_every_value_of_the_deployment(choice: str) -> None:
    made = [one for one in deployed(**CHOICES[choice]).resources if not one.existing]
    assert len(made) > 30
    assert [fault for one in made for fault in faults(one)] == []


def test_azure_takes_every_value_of_the_event_subscription() -> None:
    names = {"topicName": "evgt", "functionAppName": "func", "storageAccountName": "st"}
    whole = rehearse(project(sources()), "incoming-call.bicep", **names)
    [subscription] = [one for one in whole.resources if not one.existing]
    assert faults(subscription) == []
    assert subscription.id.endswith("/systemTopics/evgt/eventSubscriptions/incoming-call")
    destination = subscription.body["properties"]["destination"]["properties"]
    assert destination["resourceId"].endswith("/sites/func/functions/incoming_call")


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"maintenanceDay": "Weekend", "workloadProfile": "D4"}, "'Weekend' is none of"),
        ({"storageSku": "Standard_XRS"}, "'Standard_XRS' is none of"),
        ({"minReplicas": "2"}, "'2' is of the wrong kind"),
        ({"deployerType": "Robot"}, "'Robot' is none of"),
    ],
)
def test_a_value_that_azure_would_refuse_is_found(choice: dict[str, Any], said: str) -> None:
    made = [one for one in deployed(**choice).resources if not one.existing]
    assert any(said in fault for one in made for fault in faults(one))
