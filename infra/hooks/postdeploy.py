"""What can only be done once the code is in Azure: publish the agents, and let the phone ring.

azd runs it after `azd deploy` (through postdeploy.sh or postdeploy.ps1), with the values of its
environment. It may run any number of times. It needs `az login` and the packages of
requirements.txt; nothing is changed before all that it needs is known to be there.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
TEMPLATE = ROOT / "infra" / "bicep" / "incoming-call.bicep"
AGENTS = ROOT / "agents.toml"

NEEDED = (
    "AZURE_SUBSCRIPTION_ID",
    "AZURE_RESOURCE_GROUP",
    "EVENT_TOPIC_NAME",
    "FUNCTION_APP_NAME",
    "STORAGE_ACCOUNT_NAME",
    "STORAGE_BLOB_ENDPOINT",
    "DIRECTORY_CONTAINER",
)
"""All but the first are outputs of main.bicep."""

TRIES = 12
PAUSE_S = 15.0
"""Three minutes in all: so long may Azure take to list a new function, or to honour a new role."""

LATER = (
    "not found",  # Event Grid does not see the function yet
    "notfound",
    "authorization",  # a role that was granted minutes ago
    "403",
    "conflict",
    "too many requests",
    "429",
    "internal server error",
    "timed out",
    "timeout",
    "temporarily",
)
"""Words of refusals that may pass by themselves. Any other refusal is final at once."""

NEVER = ("az login", "aadsts", "error bcp")
"""Signed out, refused by Entra, or a template that does not compile: waiting mends none."""


class HookError(Exception):
    """What went wrong, and how to mend it."""


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> None:
    """Does both steps. Raises `HookError`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pause-s", type=float, default=PAUSE_S, help="between two tries")
    pause_s = parser.parse_args(arguments).pause_s
    missing = [name for name in NEEDED if not environ.get(name)]
    if missing:
        raise HookError(f"{', '.join(missing)} not set: run `azd provision`, then `azd deploy`")
    az = shutil.which("az", path=environ.get("PATH"))
    if az is None:
        raise HookError("the Azure CLI is missing: https://aka.ms/azure-cli, then `az login`")
    _publish(environ, pause_s)
    _subscribe(az, environ, pause_s)


def _publish(environ: Mapping[str, str], pause_s: float) -> None:
    """Makes agents.toml live where nothing is yet: what owners published since stays. Before the
    phone rings: no call may find an empty directory."""
    command = [sys.executable, "-m", "switchboard", "publish", str(AGENTS), "--first"]
    signed_in = {"CREDENTIAL": "azure_cli", **environ}
    _insist("Publishing agents.toml", command, signed_in, pause_s)


def _subscribe(az: str, environ: Mapping[str, str], pause_s: float) -> None:
    """Sends ringing calls to the Functions app: a deployment of its own, the same each time."""
    command = [
        az, "deployment", "group", "create",
        "--name", "incoming-call",
        "--subscription", environ["AZURE_SUBSCRIPTION_ID"],
        "--resource-group", environ["AZURE_RESOURCE_GROUP"],
        "--template-file", str(TEMPLATE),
        "--parameters",
        f"topicName={environ['EVENT_TOPIC_NAME']}",
        f"functionAppName={environ['FUNCTION_APP_NAME']}",
        f"storageAccountName={environ['STORAGE_ACCOUNT_NAME']}",
        "--output", "none",
    ]  # fmt: skip
    _insist("Subscribing to incoming calls", command, environ, pause_s)


def _insist(what: str, command: list[str], environ: Mapping[str, str], pause_s: float) -> None:
    """Runs a command until it succeeds or is refused for good."""
    for attempt in range(1, TRIES + 1):
        done = subprocess.run(  # its words are shown only if they are the last
            command, cwd=ROOT, env=dict(environ), capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            print(f"{what}: done.")
            return
        said = (done.stderr or done.stdout).strip()
        words = said.lower()
        final = any(word in words for word in NEVER) or not any(word in words for word in LATER)
        if final or attempt == TRIES:
            raise HookError(f"{what} failed after {attempt} of {TRIES} tries:\n{said}")
        print(f"{what}: not yet (try {attempt} of {TRIES}); again in {pause_s:.0f} s.")
        time.sleep(pause_s)


if __name__ == "__main__":
    try:
        main(sys.argv[1:], os.environ)
    except HookError as error:
        sys.exit(f"postdeploy: {error}")
