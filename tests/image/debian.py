"""A stand-in for the Dockerfile's base image, where no registry of images can be reached.

Debian by debootstrap, and on it a Python 3.13 of this machine if it has one, else Debian's own.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SUITE = "bookworm"
PYTHON = "3.13"
"""What the Dockerfile's base has."""
ENV = {"PATH": "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
"""As `python:3.13-slim-bookworm` sets it."""
_LINKED = ("libbz2-1.0", "libffi8", "liblzma5", "libncursesw6", "libreadline8", "libsqlite3-0")
_LINKED_TOO = ("libssl3", "libuuid1", "zlib1g", "libexpat1")
_LEFT_OUT = ("test", "idlelib", "tkinter", "turtledemo", "__pycache__", "config-*", "*.a")


@dataclass(frozen=True)
class Stage:
    """The base image's root, and what is in it in words."""

    root: Path
    python: str


def make_root(root: Path) -> Stage:
    """Raises CalledProcessError."""
    prefix = _python_prefix()
    packages = (*_LINKED, *_LINKED_TOO) if prefix else ("python3", "python3-pip", "python3-venv")
    include = f"--include={','.join(('ca-certificates', *packages))}"
    _run(["debootstrap", "--variant=minbase", include, SUITE, str(root)])
    if prefix is None:
        (root / "usr/local/bin/python3").symlink_to("/usr/bin/python3")
        return Stage(root, "with its own Python 3.11, as no Python 3.13 was found here")
    for part in ("bin", "lib"):
        shutil.copytree(
            prefix / part,
            root / "usr/local" / part,
            symlinks=True,
            dirs_exist_ok=True,
            ignore=_not_of_the_image,
        )
    _run(["ldconfig", "-r", str(root)])
    return Stage(root, f"with a Python {PYTHON} of this machine at /usr/local")


def _not_of_the_image(directory: str, names: list[str]) -> set[str]:
    """Of site-packages pip alone; of the rest no tests and no static libraries."""
    if directory.endswith("site-packages"):
        return {name for name in names if not name.startswith("pip")}
    return shutil.ignore_patterns(*_LEFT_OUT)(directory, names)


def _python_prefix() -> Path | None:
    """Of a Python 3.13: IMAGE_PYTHON, the one that runs this, or one on the PATH."""
    ask = "import sys; print(sys.base_prefix, '%d.%d' % sys.version_info[:2])"
    # Where pyenv's shims are on the PATH, they want to be told the version.
    env = {**os.environ, "PYENV_VERSION": PYTHON}
    for python in (os.environ.get("IMAGE_PYTHON"), sys.executable, f"python{PYTHON}"):
        found = shutil.which(python) if python else None
        if found is None:
            continue
        done = subprocess.run([found, "-c", ask], env=env, check=False, capture_output=True)
        prefix, _, version = done.stdout.decode().strip().rpartition(" ")
        if version == PYTHON and prefix != "/usr":  # that one is Debian's, spread over /usr
            return Path(prefix)
    return None


def _run(command: list[str], env: Mapping[str, str] | None = None) -> None:
    subprocess.run(command, check=True, env=env, stdout=subprocess.DEVNULL)
