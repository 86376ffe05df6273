"""Tests that what must be documented is: end reasons, settings, limits of the house, commands."""

import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from functions.settings import Settings as FunctionsSettings
from media_worker.settings import Settings as WorkerSettings
from switchboard.end_reason import EndReason

ROOT = Path(__file__).parent.parent


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("reason", EndReason, ids=str)
def test_every_end_reason_has_its_line_in_the_runbook(reason: EndReason) -> None:
    assert f"| `{reason}` |" in read("docs/operations.md")


def test_the_runbook_names_no_end_reason_that_does_not_exist() -> None:
    named = set(re.findall(r"^\| `(\w+)` \|", read("docs/operations.md"), re.MULTILINE))
    assert named == set(EndReason)


@pytest.mark.parametrize("settings", [FunctionsSettings, WorkerSettings])
def test_every_setting_is_documented_in_its_own_words_with_its_default(settings: type) -> None:
    page = read("docs/configuration.md")
    for field in fields(settings):
        default = "–" if field.default is None else f"`{field.default}`"
        shown = "**required**" if field.default is MISSING else default
        assert f"| `{field.name.upper()}` | {field.metadata['doc']} | {shown} |" in page


def test_no_setting_is_documented_that_nothing_reads() -> None:
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", read("docs/configuration.md"), re.MULTILINE))
    known = {f.name.upper() for s in (FunctionsSettings, WorkerSettings) for f in fields(s)}
    assert documented <= known


def test_every_make_target_that_the_readme_names_exists() -> None:
    targets = set(re.findall(r"^(\w+):", read("Makefile"), re.MULTILINE))
    assert set(re.findall(r"^(?:\$ )?make (\w+)", read("README.md"), re.MULTILINE)) <= targets


def test_links_between_the_documents_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
