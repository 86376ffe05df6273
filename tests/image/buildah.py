"""Builds the Dockerfile with `buildah`, without a daemon, a registry or a network of its own."""

import json
import os
import subprocess
from pathlib import Path

from tests.image.container import Config
from tests.image.debian import ENV, Stage

BASE = "localhost/switchboard-base"
IMAGE = "localhost/switchboard-worker"


class Buildah:
    """One build; everything it keeps is below `directory`."""

    def __init__(self, directory: Path) -> None:
        places = ("--root", str(directory / "store"), "--runroot", str(directory / "run"))
        self._store = [*places, "--storage-driver", "vfs"]
        self._directory = directory

    def base(self, stage: Stage) -> None:
        """Makes an image of the stand-in's root."""
        name = self._said("from", "scratch")
        self._said("add", "--quiet", name, str(stage.root), "/")
        env = [f"--env={key}={value}" for key, value in ENV.items()]
        self._said("config", *env, "--cmd", "python3", name)
        self._said("commit", "--quiet", "--rm", name, BASE)

    def build(self, context: Path, dockerfile: Path) -> None:
        """Builds as `docker build --file DOCKERFILE CONTEXT` would, on the base above."""
        self._said(
            "bud",
            *("--quiet", "--pull-never", "--layers=false", "--format=docker"),
            *("--from", BASE, "--tag", IMAGE, "--file", str(dockerfile)),
            *self._authorities(),
            str(context),
        )

    def config(self) -> Config:
        """What the image says of itself."""
        told = json.loads(self._said("inspect", "--type", "image", IMAGE))
        return Config.of(told["Docker"]["config"])

    def root(self) -> Path:
        """The image's file system, laid out."""
        return Path(self._said("mount", self._said("from", "--pull-never", IMAGE)))

    def _authorities(self) -> list[str]:
        """pip in the build trusts whom pip on this machine trusts."""
        bundle = os.environ.get("PIP_CERT")
        if not bundle:
            return []
        conf = self._directory / "pip.conf"
        conf.write_text("[global]\ncert = /etc/host-ca.crt\n", encoding="ascii")
        volumes = {conf: "/etc/pip.conf", Path(bundle).resolve(): "/etc/host-ca.crt"}
        return [f"--volume={here}:{there}:ro" for here, there in volumes.items()]

    def _said(self, command: str, *arguments: str) -> str:
        whole = ["buildah", *self._store, command, *arguments]
        done = subprocess.run(whole, env=_env(), check=True, stdout=subprocess.PIPE, text=True)
        return done.stdout.strip()


def _env() -> dict[str, str]:
    """chroot instead of namespaces and, above, copies instead of overlays: works in a container."""
    return {**os.environ, "BUILDAH_ISOLATION": "chroot"}
