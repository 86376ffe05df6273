"""The zip that `azd deploy functions` uploads, by azd's rules.

Source: azd's packaging of Python projects (`project_utils.go`, 2026-08): `.funcignore` is read as
gitignore; where it exists, nothing else is left out but the names below.
"""

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

from pathspec import GitIgnoreSpec

ALWAYS_OUT = {".azure", ".funcignore", "local.settings.json"}


def files(root: Path) -> list[Path]:
    """The files that would be uploaded, relative to `root`, sorted."""
    lines = (root / ".funcignore").read_text(encoding="utf-8").splitlines()
    ignored = GitIgnoreSpec.from_lines(lines)
    return sorted(path.relative_to(root) for path in _walk(root, root, ignored))


def _walk(root: Path, directory: Path, ignored: GitIgnoreSpec) -> Iterator[Path]:
    for entry in os.scandir(directory):
        path = Path(entry.path)
        is_directory = entry.is_dir(follow_symlinks=False)
        name = path.relative_to(root).as_posix() + ("/" if is_directory else "")
        if entry.name in ALWAYS_OUT or ignored.match_file(name):
            continue
        if is_directory:
            yield from _walk(root, path, ignored)
        else:
            yield path


def write(root: Path, target: Path) -> None:
    """Writes the zip."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in files(root):
            packed.write(root / path, path.as_posix())
