"""Tests that the Bicep files are what Azure takes: Microsoft's models, names, and our own rules."""

import importlib
import re
from pathlib import Path

import pytest
from pycep import BicepParser

from tests.infra import resources, rules, symbols
from tests.infra.azure_models import SOURCES, described
from tests.infra.project import DIRECTORY, Finding, project, sources
from tests.infra.tokens import BicepError

ROOT = DIRECTORY.parent.parent
CHECKS = (resources.check, symbols.check, rules.check)
SOURCES_OF_FILES = sources()


def findings(texts: dict[str, str]) -> list[Finding]:
    """What every check says of these files, each thing once, in order."""
    try:
        whole = project(texts)
    except BicepError as error:
        return [Finding("?", error.line, error.message)]
    return sorted({finding for check in CHECKS for finding in check(whole)})


def test_every_resource_name_and_rule_holds() -> None:
    assert [str(finding) for finding in findings(SOURCES_OF_FILES)] == []


@pytest.mark.parametrize("name", SOURCES_OF_FILES)
def test_a_second_parser_accepts_the_file_too(name: str) -> None:
    """An independent reading of the language: what only ours accepts may be no Bicep."""
    assert BicepParser().parse(text=SOURCES_OF_FILES[name])


@pytest.mark.parametrize("name", SOURCES_OF_FILES)
def test_every_file_says_first_what_it_is_for(name: str) -> None:
    assert SOURCES_OF_FILES[name].startswith("// ")


@pytest.mark.parametrize("resource_type", SOURCES)
def test_every_described_type_is_one_that_the_package_really_manages(resource_type: str) -> None:
    source = SOURCES[resource_type]
    package = Path(*importlib.import_module(f"azure.mgmt.{source.package}").__path__)
    provider, *types = resource_type.split("/")
    url = re.compile(re.escape(provider) + "/" + '/[^/"]+/'.join(types) + '[/"]', re.IGNORECASE)
    if provider == "Microsoft.Resources":
        url = re.compile("resourcegroups/", re.IGNORECASE)  # the only type without a provider
    operations = (package / "operations").glob("*.py")
    assert any(url.search(path.read_text(encoding="utf-8")) for path in operations)


def test_no_described_type_is_left_over() -> None:
    text = "".join(SOURCES_OF_FILES.values())
    assert set(SOURCES) <= set(re.findall(r"^resource \w+ '([^@']+)@", text, re.MULTILINE))


def test_the_directory_holds_nothing_but_what_was_checked() -> None:
    known = {*SOURCES_OF_FILES, "main.parameters.json"}
    assert {path.name for path in DIRECTORY.iterdir()} == known


def test_a_type_that_nobody_described_is_told_from_one_that_is() -> None:
    assert described("Microsoft.App/containerApps") is not None
    assert described("Microsoft.App/containerapps") is None


def test_the_models_need_no_other_version_of_what_the_product_installs() -> None:
    pins = [
        dict(re.findall(r"^([\w-]+)==([^ ;]+)", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements/lock.txt", "requirements/infra.txt")
    ]
    product, models = pins
    assert {n: v for n, v in models.items() if n in product and product[n] != v} == {}
    assert "azure-core" in product.keys() & models.keys()
