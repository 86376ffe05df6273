"""Tests that the repository keeps the rules of the gallery of azd templates.

They are the rules of microsoft/template-validation-action (`rules.json`) that need no Azure.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent

ANYWHERE = ("", ".github", "docs")
"""Where GitHub looks for the files that belong to a community."""


def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def found(name: str, places: tuple[str, ...]) -> bool:
    return any(list((ROOT / place).glob(name)) for place in places)


@pytest.mark.parametrize("heading", ["Features", "Getting Started", "Guidance", "Resources"])
def test_the_readme_has_the_chapter(heading: str) -> None:
    assert re.search(rf"^## {heading}\s*$", readme(), re.MULTILINE)


@pytest.mark.parametrize("name", ["SECURITY.md", "CODE_OF_CONDUCT.md", "CONTRIBUTING.md"])
def test_the_file_for_the_community_is_there(name: str) -> None:
    assert found(name, ANYWHERE)


def test_there_is_a_licence() -> None:
    assert found("LICENSE*", ("",))


def test_there_is_a_form_for_reports() -> None:
    assert found("ISSUE_TEMPLATE*", (".github",))


def test_there_is_a_workflow_that_deploys() -> None:
    assert found("azure-dev.yml", (".github/workflows",))


def test_azd_finds_its_file_and_its_folder() -> None:
    assert (ROOT / "azure.yaml").is_file()
    assert (ROOT / "infra").is_dir()


def test_azure_yaml_names_the_template_and_its_version() -> None:
    text = (ROOT / "azure.yaml").read_text(encoding="utf-8")
    assert re.search(r"^\s+template: [a-z-]+@\d+\.\d+\.\d+$", text, re.MULTILINE)


def test_it_opens_in_a_development_container() -> None:
    assert (ROOT / ".devcontainer" / "devcontainer.json").is_file()


def test_no_file_says_that_it_was_forgotten() -> None:
    for path in (ROOT / "infra").rglob("*.*"):
        assert not re.search(r"\b(TODO|FIXME|XXX)\b", path.read_text(encoding="utf-8")), path
