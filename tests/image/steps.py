"""Takes a Dockerfile's steps in fresh roots, for machines that have no builder of images.

Reads what media_worker/Dockerfile uses, and refuses anything else: FROM … AS, RUN in both forms,
COPY of the context or of a stage, ENV, WORKDIR, USER, EXPOSE, HEALTHCHECK, ENTRYPOINT.
"""

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.image.container import Config, as_root
from tests.image.debian import ENV, Stage
from tests.packages import worker_context


@dataclass
class _Root:
    """A stage in the making, with what the image would say of itself."""

    path: Path
    env: dict[str, str]
    said: dict[str, Any] = field(default_factory=dict)


class Steps:
    """One build, below `directory`, as `Buildah` does it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._base: _Root | None = None
        self._stages: dict[str, _Root] = {}
        self._last: _Root | None = None

    def base(self, stage: Stage) -> None:
        """Takes the stand-in's root as the image that the first FROM names."""
        self._base = _Root(stage.root, dict(ENV))

    def build(self, context: Path, dockerfile: Path) -> None:
        """Raises CalledProcessError for a step that fails, ValueError for one it cannot read."""
        for keyword, rest in instructions(dockerfile.read_text(encoding="utf-8")):
            self._take(keyword, rest, context)

    def config(self) -> Config:
        """What the image would say of itself."""
        root = self._current()
        env = [f"{name}={value}" for name, value in root.env.items()]
        return Config.of({"Env": env, **root.said})

    def root(self) -> Path:
        """The image's file system."""
        return self._current().path

    def _current(self) -> _Root:
        if self._last is None:
            raise ValueError("a Dockerfile begins with FROM")
        return self._last

    def _take(self, keyword: str, rest: str, context: Path) -> None:
        if keyword == "FROM":
            self._begin(rest)
            return
        root = self._current()
        match keyword:
            case "RUN":
                argv = json.loads(rest) if rest.startswith("[") else ["/bin/sh", "-c", rest]
                _run(root, argv)
            case "COPY":
                self._copy(root, shlex.split(rest), context)
            case "ENV":
                root.env |= dict(word.split("=", 1) for word in shlex.split(rest))
            case "WORKDIR":
                root.said["WorkingDir"] = rest
            case "USER":
                root.said["User"] = rest
            case "ENTRYPOINT":
                root.said["Entrypoint"] = json.loads(rest)
            case "HEALTHCHECK":
                root.said["Healthcheck"] = {"Test": ["CMD", *json.loads(rest.partition("CMD")[2])]}
            case "EXPOSE":
                pass  # tells people, and opens nothing
            case _:
                raise ValueError(f"{keyword}: a step that is not known here")

    def _begin(self, rest: str) -> None:
        """FROM: a copy of the base, or of a stage."""
        source, *named = rest.split()
        origin = self._stages.get(source, self._base)
        assert origin is not None, "base() comes first"
        path = self._directory / f"stage-{len(self._stages)}-{len(named)}"
        # By cp: a root has devices, which must not be read.
        subprocess.run(["cp", "--archive", str(origin.path), str(path)], check=True)
        self._last = _Root(path, dict(origin.env))
        self._stages[named[-1] if named else str(path)] = self._last

    def _copy(self, root: _Root, words: Sequence[str], context: Path) -> None:
        *options, source, target = words
        to = root.path / target.lstrip("/")
        if options:
            stage = self._stages[options[0].removeprefix("--from=")]
            shutil.copytree(stage.path / source.lstrip("/"), to, symlinks=True)
            return
        for file in worker_context.files(context):
            if file.is_relative_to(source):
                there = to / file.relative_to(source) if file != Path(source) else to
                there.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(context / file, there)


def _run(root: _Root, argv: Sequence[str]) -> None:
    """pip in the step trusts whom pip on this machine trusts."""
    bundle, there = os.environ.get("PIP_CERT"), root.path / "etc" / "host-ca.crt"
    if not bundle:
        as_root(root.path, argv, root.env)
        return
    shutil.copy(bundle, there)
    try:
        as_root(root.path, argv, {**root.env, "PIP_CERT": "/etc/host-ca.crt"})
    finally:
        there.unlink()


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Keyword and rest of each step; lines that end in a backslash go on in the next."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    whole = os.linesep.join(lines).replace("\\" + os.linesep, " ")
    for line in whole.splitlines():
        keyword, _, rest = line.strip().partition(" ")
        yield keyword.upper(), rest.strip()
