"""`make image`: builds the worker's image as far as this machine can, and tries it out.

Needs root on Debian or Ubuntu, with debootstrap and, for a real build, buildah.
"""

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

DOCKERFILE = ROOT / "media_worker" / "Dockerfile"
NEEDS = ("debootstrap", "unshare", "nsenter", "mount")


def main() -> int:
    """0: built, and everything is as it should be; 1: not; 2: this machine cannot do it."""
    missing = [tool for tool in (*NEEDS, "buildah") if shutil.which(tool) is None]
    if os.geteuid() != 0 or missing:
        why = f"these are missing: {', '.join(missing)}" if missing else "you are not root"
        print(f"Cannot build an image here: {why}.", file=sys.stderr)
        print("With Docker: docker build --file media_worker/Dockerfile .", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="switchboard-image-") as directory:
        try:
            _build_and_try(Path(directory))
        except subprocess.CalledProcessError as error:
            print(f"{error.cmd[0]} ended with {error.returncode}", file=sys.stderr)
            return 1
        except (trial.Failed, SystemFailed, CallFailed, ValueError) as error:
            print(error, file=sys.stderr)
            return 1
    return 0


def _build_and_try(directory: Path) -> None:
    stage = debian.make_root(directory / "base")
    print(f"base      a stand-in (no registry is asked): Debian {debian.SUITE} with {stage.python}")
    before = _mib(stage.root)
    way = Buildah(directory)
    way.base(stage)
    way.build(ROOT, DOCKERFILE)
    image = trial.Image(way.root(), way.config())
    print("built     by buildah from media_worker/Dockerfile")
    python, count = trial.packages(image)
    print(f"packages  Python {python}, {count} packages: exactly media_worker/requirements.txt")
    print(f"files     {trial.files(image)} of ours: exactly the build context, compiled")
    whole = _mib(image.root)
    parts = ", ".join(f"{_mib(image.root / part):.1f} in /{part}" for part in ("opt/worker", "app"))
    print(f"size      {whole:.0f} MiB unpacked: {before:.0f} of the base, {parts}")
    for line in asyncio.run(trial.calls(image, directory / "worker.log")):
        print(f"worker    {line}")


def _mib(directory: Path) -> float:
    """What the files below take, in MiB."""
    files = (path for path in directory.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files) / 2**20


if __name__ == "__main__":
    sys.exit(main())
