"""Tests that what must be documented is: end reasons, settings, limits of the house, commands."""

import ast
import re
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from functions.settings import Settings as FunctionsSettings
from media_worker.settings import Settings as WorkerSettings
from switchboard.end_reason import EndReason
from switchboard.live_directory import News

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


PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.M)
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_links_between_the_documents_lead_to_a_page_and_a_heading() -> None:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for target, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", text):
            aim = page.parent / target if target else page
            assert aim.exists(), f"{page.name} links to {target}"
            assert not anchor or anchor in anchors(aim), f"{page.name} links to {target}#{anchor}"


def test_every_test_that_a_page_names_exists() -> None:
    written = {
        test
        for path in (ROOT / "tests").rglob("test_*.py")
        for test in re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8"))
    }
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for path in re.findall(r"`(tests/[\w/]+(?:\.py)?)`", text):
            assert (ROOT / path).exists(), f"{page.name} names {path}"
        for test in re.findall(r"`(test_\w+)`", text):
            assert test in written, f"{page.name} names {test}"


ROOMS = {"functions": "Functions", "media_worker": "worker"}
"""By the name that the runbook has for each."""

DIRECTORY = get_args(get_type_hints(News)["event"])
NAMED_ELSEWHERE = {
    ("functions/loading.py", "news.event"): DIRECTORY,
    ("media_worker/speech/repertoire.py", "news.event"): DIRECTORY,
    ("media_worker/worker.py", "name"): ("call_ended", "call_left"),
    ("media_worker/edge.py", "f'{name}_fault'"): ("NAME_fault",),
    ("functions/answering.py", "event"): (),  # it passes on what its callers name
}
"""Log lines whose event is no constant where they are written: what it may be."""


def logged() -> Iterator[tuple[str, str]]:
    """Every event that a log line may have, with the file that writes it."""
    writers = ("log", "self._log", "log.event", "log.fault")
    for path in sorted(p for room in ROOMS for p in (ROOT / room).rglob("*.py")):
        where = path.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or ast.unparse(node.func) not in writers:
                continue
            match node.args[0]:
                case ast.Constant(str(name)):
                    yield name, where
                case event:
                    named = NAMED_ELSEWHERE[where, ast.unparse(event)]
                    yield from ((name, where) for name in named)


def test_every_event_that_is_logged_is_in_the_runbook_and_no_other() -> None:
    """Telemetry's own are on its own page."""
    rows = re.findall(r"^\| (Functions|worker|both) \|([^|]+)\|", read("docs/operations.md"), re.M)
    told = {(name, of) for of, cell in rows for name in re.findall(r"`(\w+)`", cell)}
    writers: dict[str, set[str]] = {}
    for name, where in logged():
        if not where.startswith("media_worker/telemetry/"):
            writers.setdefault(name, set()).add(ROOMS[where.partition("/")[0]])
    assert told == {
        (name, "both" if len(rooms) == 2 else rooms.pop()) for name, rooms in writers.items()
    }
