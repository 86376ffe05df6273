"""`make image`: builds the worker's image as far as this machine can, and tries it out.

By buildah, or else step by step in fresh roots; the base is a stand-in, since no registry is asked.
Needs root on Debian or Ubuntu, and installs debootstrap and buildah with apt-get if it must.
"""

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from simulator.call import CallFailed
from simulator.processes import ROOT, SystemFailed
from tests.image import debian, trial
from tests.image.buildah import Buildah
from tests.image.container import NotStarted
from tests.image.steps import Steps

DOCKERFILE = ROOT / "media_worker" / "Dockerfile"
NEEDED = ("debootstrap", "unshare", "nsenter", "mount")


def main() -> int:
    """0: built, and everything is as it should be; 1: not; 2: this machine cannot do it."""
    parser = argparse.ArgumentParser(prog="python -m tests.image", description=__doc__)
    parser.add_argument("--by-steps", action="store_true", help="do without buildah")
    by_steps = parser.parse_args().by_steps
    _install(["debootstrap"] if by_steps else ["debootstrap", "buildah"])
    missing = [tool for tool in NEEDED if shutil.which(tool) is None]
    if os.geteuid() != 0 or missing:
        why = f"these are missing: {', '.join(missing)}" if missing else "you are not root"
        print(f"Cannot build an image here: {why}.", file=sys.stderr)
        print("With Docker: docker build --file media_worker/Dockerfile .", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="switchboard-image-") as directory:
        try:
            _build_and_try(Path(directory), by_steps or shutil.which("buildah") is None)
        except subprocess.CalledProcessError as error:
            print(f"{error.cmd[0]} ended with {error.returncode}", file=sys.stderr)
            return 1
        except (trial.Failed, NotStarted, SystemFailed, CallFailed, ValueError) as error:
            print(error, file=sys.stderr)
            return 1
    return 0


def _install(tools: list[str]) -> None:
    """What is missing, where apt-get can; who cannot have it is told by `main`."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if not missing or os.geteuid() != 0 or shutil.which("apt-get") is None:
        return
    print(f"tools     installing {' and '.join(missing)} with apt-get", flush=True)
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *missing]):
        subprocess.run(["apt-get", "--quiet", *command], check=False, stdout=subprocess.DEVNULL)


def _build_and_try(directory: Path, by_steps: bool) -> None:
    stage = debian.make_root(directory / "base")
    _say("base", f"a stand-in for the Dockerfile's: Debian {debian.SUITE}, {stage.python}")
    before = _mib(stage.root)
    way: Buildah | Steps = Steps(directory) if by_steps else Buildah(directory)
    way.base(stage)
    way.build(ROOT, DOCKERFILE)
    image = trial.Image(way.root(), way.config())
    how = "the Dockerfile's steps in fresh roots, without buildah" if by_steps else "by buildah"
    _say("built", how)
    python, count = trial.packages(image)
    _say("packages", f"Python {python}, {count} packages: exactly media_worker/requirements.txt")
    _say("files", f"{trial.files(image)} of ours: exactly the build context, compiled")
    parts = ", ".join(f"{_mib(image.root / part):.1f} in /{part}" for part in ("opt/worker", "app"))
    _say("size", f"{_mib(image.root):.0f} MiB unpacked: {before:.0f} of the base, {parts}")
    for line in asyncio.run(trial.calls(image, directory / "worker.log")):
        _say("worker", line)


def _say(what: str, line: str) -> None:
    print(f"{what:9} {line}", flush=True)


def _mib(directory: Path) -> float:
    """What the files below take, in MiB."""
    files = (path for path in directory.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files) / 2**20


if __name__ == "__main__":
    sys.exit(main())
