"""The repository's manners: workflows, updates, templates, requirement files, the dev container."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
USES = re.compile(r"uses: *([^@\s]+)@(\S+)(?: +# (\S+))?$")
LOCKS = [
    *(ROOT / "requirements.txt", ROOT / "media_worker" / "requirements.txt"),
    *sorted((ROOT / "requirements").glob("*.txt")),
]


def read(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)
    return loaded


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = read(path)["jobs"]
    return found


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_action_can_change_under_us_and_each_says_its_version(path: Path) -> None:
    lines = [line for line in path.read_text().splitlines() if "uses:" in line]
    assert lines
    for line in lines:
        found = USES.search(line)
        assert found is not None, line
        action, commit, version = found.groups()
        assert re.fullmatch(r"[0-9a-f]{40}", commit), f"{action} is not pinned by its commit"
        assert re.fullmatch(r"v\d+\.\d+\.\d+", version or ""), f"{action} does not say its version"


def test_an_action_has_one_version_in_all_workflows() -> None:
    used: dict[str, set[str]] = {}
    for path in WORKFLOWS:
        for action, commit, _ in re.findall(r"uses: *([^@\s]+)@(\S+)( #|$)", path.read_text()):
            used.setdefault(action.lower(), set()).add(commit)
    assert {action for action, commits in used.items() if len(commits) > 1} == set()


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_read_the_code_and_only_a_deployment_signs_in(path: Path) -> None:
    assert read(path)["permissions"] == {"contents": "read"}
    for name, job in jobs(path).items():
        granted = job.get("permissions", {"contents": "read"})
        may = (
            {"contents": "read", "id-token": "write"} if name == "deploy" else {"contents": "read"}
        )
        assert granted == may, f"{path.name}: {name}"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_workflow_has_a_secret_or_runs_foreign_code_with_rights(path: Path) -> None:
    text = path.read_text()
    assert "secrets" not in text
    assert "pull_request_target" not in text
    runs = [step["run"] for job in jobs(path).values() for step in job["steps"] if "run" in step]
    allowed = re.compile(r"\$\{\{ matrix\.\w+ \}\}")
    assert not [run for run in runs if "${{" in allowed.sub("", run)]  # texts become commands there


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_job_runs_without_end_or_leaves_credentials_behind(path: Path) -> None:
    for name, job in jobs(path).items():
        assert int(job["timeout-minutes"]) <= 90, name
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] == "false"


def test_a_deployment_from_github_is_told_all_that_the_bicep_can_be_told() -> None:
    by_azd = {"AZURE_PRINCIPAL_ID", "SERVICE_WORKER_RESOURCE_EXISTS"}
    told = set(jobs(ROOT / ".github/workflows/azure-dev.yml")["deploy"]["env"])
    for file in ROOT.glob("infra/bicep/*.parameters.json"):
        asked = set(re.findall(r"\$\{(\w+)", file.read_text(encoding="utf-8")))
        assert asked - by_azd <= told, f"{file.name} reads what the workflow does not pass on"


def test_every_supported_python_is_tested() -> None:
    matrix = jobs(ROOT / ".github/workflows/test.yml")["test"]["strategy"]["matrix"]["python"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert matrix == ["3.11", "3.12", "3.13"]
    assert project["requires-python"] == f">={matrix[0]}"


def test_every_ecosystem_that_is_here_is_kept_up_to_date() -> None:
    covered = {
        (update["package-ecosystem"], directory.strip("/"))
        for update in read(ROOT / ".github/dependabot.yml")["updates"]
        for directory in update.get("directories", [update.get("directory")])
    }
    here = {("github-actions", ""), ("devcontainers", "")}
    here |= {("docker", folder) for folder in _folders_with("Dockerfile")}
    here |= {("pip", folder) for folder in _folders_with("requirements.txt")}
    here |= {("pip", "requirements"), *(("npm", f) for f in _folders_with("package.json"))}
    assert covered == here


def _folders_with(name: str) -> set[str]:
    """Of the repository's own folders, down to the second level."""
    found = [*ROOT.glob(name), *ROOT.glob(f"*/{name}"), *ROOT.glob(f"*/*/{name}")]
    places = {path.relative_to(ROOT).parent.as_posix() for path in found}
    return {"" if p == "." else p for p in places if not re.match(r"(\.venv|node_modules|out)", p)}


def test_no_package_has_two_versions() -> None:
    whole = _versions(ROOT / "requirements" / "lock.txt")
    for path in LOCKS:
        if path.name == "audit.txt":  # in an environment of its own
            continue
        here = _versions(path)
        differing = {one for one in here.keys() & whole.keys() if here[one] != whole[one]}
        assert not differing, f"{path.name}: run `make lock`"
    for path in LOCKS[:2]:
        assert _versions(path).keys() <= whole.keys()


def _versions(path: Path) -> dict[str, str]:
    """Package and marker, and the version of it."""
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.partition("--hash")[0] for line in text.splitlines() if line[:1].isalnum()]
    parsed = [Requirement(line) for line in lines]
    return {f"{one.name} {one.marker or ''}": str(one.specifier) for one in parsed}


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_everything_is_installed_by_hash(path: Path) -> None:
    text = path.read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and line[0] != "#"]
    assert lines
    assert not [line for line in lines if "==" not in line or "--hash=sha256:" not in line]


def test_azd_restore_gets_what_the_functions_app_wants_and_no_module() -> None:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text())
    tool = table["tool"]["setuptools"]
    assert (tool["packages"], tool["py-modules"]) == ([], [])
    assert table["project"]["dynamic"] == ["dependencies"]
    (source,) = tool["dynamic"]["dependencies"]["file"]
    assert source == "requirements/functions.in"
    lines = (ROOT / source).read_text().splitlines()
    for line in lines:  # setuptools reads requirements there, and no options of pip
        assert line.startswith("#") or Requirement(line).specifier, line


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_an_issue_form_is_one_that_github_takes(path: Path) -> None:
    form = read(path)
    if path.name == "config.yml":
        assert all(set(link) == {"name", "url", "about"} for link in form["contact_links"])
        return
    assert {"name", "description", "body"} <= set(form)
    ids = [field["id"] for field in form["body"] if field["type"] != "markdown"]
    assert len(ids) == len(set(ids)) > 0
    for field in form["body"]:
        assert field["type"] in {"markdown", "textarea", "input", "dropdown", "checkboxes"}
        assert "value" in field["attributes"] or "label" in field["attributes"]


def test_every_make_target_that_a_contributor_reads_of_exists() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    pages = ("CONTRIBUTING.md", ".github/pull_request_template.md", "docs/packages.md")
    named = {t for page in pages for t in re.findall(r"`make (\w+)`", (ROOT / page).read_text())}
    assert {"test", "demo", "lock"} <= named <= targets


def test_links_of_the_pages_at_the_root_lead_somewhere() -> None:
    for page in ROOT.glob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_dev_container_has_azd_and_az_and_prepares_the_environment() -> None:
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
    majors = dict(feature.rsplit(":", 1) for feature in container["features"])
    assert set(majors) == {
        "ghcr.io/devcontainers/features/azure-cli",
        "ghcr.io/azure/azure-dev/azd",
    }
    assert all(major.isdigit() for major in majors.values())
    assert container["postCreateCommand"] == "make .venv/dev.stamp"
