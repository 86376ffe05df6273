"""Tests of the hook that azd runs after a deployment, with stand-ins for the Azure CLI and for
`python -m switchboard` that write down what they are asked and fail as told."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.infra import bicep
from tests.infra.project import DIRECTORY
from tests.infra.syntax import Output, Param

ROOT = Path(__file__).parent.parent.parent
TEMPLATE = "infra/bicep/incoming-call.bicep"
COPIED = (TEMPLATE, "agents.toml", "infra/hooks/postdeploy.py", "infra/hooks/postdeploy.sh")

VALUES = {
    "AZURE_SUBSCRIPTION_ID": "11111111-1111-1111-1111-111111111111",
    "AZURE_RESOURCE_GROUP": "rg-prod",
    "EVENT_TOPIC_NAME": "evgt-x",
    "FUNCTION_APP_NAME": "func-x",
    "STORAGE_ACCOUNT_NAME": "stx",
    "STORAGE_BLOB_ENDPOINT": "https://stx.blob.core.windows.net/",
    "DIRECTORY_CONTAINER": "directory",
}

STAND_IN = """#!{python}
import os, pathlib, sys
stage = pathlib.Path({stage!r})
seen = [os.environ.get(name, "-") for name in {shown!r}]
with open(stage / "calls", "a") as calls:
    calls.write("\\t".join([{name!r}, *sys.argv[1:], *seen]) + "\\n")
left = stage / "{name}.failures"
failures = left.read_text().splitlines() if left.exists() else []
if failures:
    left.write_text("\\n".join(failures[1:]))
    print(failures[0], file=sys.stderr)
    sys.exit(2)
"""


@dataclass(frozen=True)
class Stage:
    """A copy of what the hook needs, in a folder of its own."""

    folder: Path

    def fails(self, name: str, *messages: str) -> None:
        """Lets the next calls of one stand-in fail, each with its message."""
        (self.folder / f"{name}.failures").write_text("\n".join(messages), encoding="utf-8")

    def run(self, *command: str, path: str = "", **values: str) -> subprocess.CompletedProcess[str]:
        """The hook, with these values of the azd environment in place of the usual ones."""
        path = path or f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        whole = [*(command or (sys.executable, "infra/hooks/postdeploy.py")), "--pause-s", "0"]
        return subprocess.run(
            whole,
            cwd=self.folder,
            env={"PATH": path, **VALUES, **values},
            capture_output=True,
            text=True,
            timeout=15,
            check=False,
        )

    def calls(self) -> list[list[str]]:
        """Every call, in order: the stand-in's name, its arguments, what it saw."""
        file = self.folder / "calls"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return [line.split("\t") for line in lines]

    def asked(self) -> list[str]:
        """The names of the stand-ins, in the order of their calls."""
        return [call[0] for call in self.calls()]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    for name in COPIED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    az, publish = tmp_path / "bin" / "az", tmp_path / "switchboard" / "__main__.py"
    shown = ("CREDENTIAL", "DIRECTORY_CONTAINER")  # of the environment
    for file, name in ((az, "az"), (publish, "publish")):
        file.parent.mkdir()
        text = STAND_IN.format(python=sys.executable, stage=str(tmp_path), name=name, shown=shown)
        file.write_text(text, encoding="utf-8")
    az.chmod(0o755)
    return Stage(tmp_path)


def test_the_agents_are_published_before_the_phone_can_ring(stage: Stage) -> None:
    done = stage.run()
    assert done.returncode == 0, done.stderr
    agents = str(stage.folder / "agents.toml")
    published, subscribed = stage.calls()
    assert published == ["publish", "publish", agents, "--first", "azure_cli", "directory"]
    assert subscribed[:5] == ["az", "deployment", "group", "create", "--name"]


def test_the_subscription_is_the_declared_one_with_what_the_deployment_said(stage: Stage) -> None:
    stage.run()
    asked = stage.calls()[-1]
    assert asked[asked.index("--template-file") + 1] == str(stage.folder / TEMPLATE)
    assert asked[asked.index("--resource-group") + 1] == "rg-prod"
    assert asked[asked.index("--subscription") + 1] == VALUES["AZURE_SUBSCRIPTION_ID"]
    given = dict(one.split("=") for one in asked if "=" in one)
    params = bicep.read(DIRECTORY / "incoming-call.bicep").all(Param)
    assert set(given) == {param.name for param in params}
    assert given["functionAppName"] == "func-x"


def test_running_it_again_asks_for_the_very_same(stage: Stage) -> None:
    stage.run()
    first = stage.calls()
    stage.run()
    assert stage.calls() == [*first, *first]


def test_it_waits_until_event_grid_sees_the_function(stage: Stage) -> None:
    stage.fails("az", *["(Endpoint validation) Destination endpoint not found."] * 3)
    done = stage.run()
    assert done.returncode == 0, done.stderr
    assert stage.asked() == ["publish"] + ["az"] * 4
    assert "not yet (try 3 of 12)" in done.stdout


def test_it_waits_until_a_new_role_is_honoured(stage: Stage) -> None:
    stage.fails("publish", "Storage: write: 403 AuthorizationPermissionMismatch.")
    assert stage.run().returncode == 0
    assert stage.asked() == ["publish", "publish", "az"]


def test_it_gives_up_when_azure_keeps_saying_no_and_shows_its_words(stage: Stage) -> None:
    stage.fails("az", *["Destination endpoint not found."] * 20)
    done = stage.run()
    assert done.returncode == 1
    assert stage.asked().count("az") == 12
    assert "failed after 12 of 12 tries:\nDestination endpoint not found." in done.stderr


@pytest.mark.parametrize(
    "message",
    [
        "Please run 'az login' to setup account. Not found.",
        "incoming-call.bicep(3,7) : Error BCP057: name not found",
        "InvalidTemplateDeployment: the quota is used up",
    ],
)
def test_what_waiting_cannot_mend_ends_it_at_once(stage: Stage, message: str) -> None:
    stage.fails("az", message, message)
    done = stage.run()
    assert done.returncode == 1
    assert stage.asked().count("az") == 1
    assert message in done.stderr


def test_a_faulty_directory_is_told_and_the_phone_stays_as_it_was(stage: Stage) -> None:
    stage.fails("publish", "agents.toml:3: unknown agent")
    done = stage.run()
    assert done.returncode == 1
    assert "agents.toml:3: unknown agent" in done.stderr
    assert stage.asked() == ["publish"]


@pytest.mark.parametrize("name", VALUES)
def test_a_value_that_is_missing_is_named_and_nothing_is_done(stage: Stage, name: str) -> None:
    done = stage.run(**{name: ""})
    assert done.returncode == 1
    assert f"{name} not set: run `azd provision`" in done.stderr
    assert stage.calls() == []


def test_a_missing_azure_cli_is_told_and_nothing_is_done(stage: Stage) -> None:
    done = stage.run(path="/nowhere")
    assert done.returncode == 1
    assert "the Azure CLI is missing" in done.stderr
    assert stage.calls() == []


@pytest.mark.skipif(shutil.which("sh") is None, reason="the wrapper for Linux and macOS")
def test_the_wrapper_hands_on_what_the_hook_says(stage: Stage) -> None:
    assert stage.run("sh", "infra/hooks/postdeploy.sh").returncode == 0
    assert stage.asked() == ["publish", "az"]
    assert stage.run("sh", "infra/hooks/postdeploy.sh", AZURE_RESOURCE_GROUP="").returncode == 1


def test_what_the_hook_needs_are_outputs_of_the_deployment_and_the_other_way_round() -> None:
    outputs = {output.name for output in bicep.read(DIRECTORY / "main.bicep").all(Output)}
    of_azd = {"AZURE_SUBSCRIPTION_ID"}  # set by `azd env` itself
    for_azd = {"AZURE_CONTAINER_REGISTRY_ENDPOINT"}  # where azd has images built
    assert outputs - for_azd == set(VALUES) - of_azd
