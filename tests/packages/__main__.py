"""`make packages`: what would be uploaded, with sizes, and what is installed to it.

The installed packages are measured in this environment, without their bytecode.
"""

import importlib.metadata
import platform
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.packages import functions_package, worker_context
from tests.packages.fresh import locked

ROOT = Path(__file__).parents[2]


def main() -> None:
    functions = functions_package.files(ROOT)
    _list("The Functions package (.funcignore):", functions)
    with tempfile.TemporaryDirectory() as directory:
        packed = Path(directory) / "functions.zip"
        functions_package.write(ROOT, packed)
        print(f"{packed.stat().st_size:9,}  as a zip")
    _installed(ROOT / "requirements.txt")
    print()
    _list("The build context of the worker's image (.dockerignore):", worker_context.files(ROOT))
    _installed(ROOT / "media_worker" / "requirements.txt")


def _list(title: str, files: Sequence[Path]) -> None:
    """Folders in one line each, with the bytes of what is below them; then the sum."""
    bytes_of: Counter[str] = Counter()
    count: Counter[str] = Counter()
    for file in files:
        name = f"{file.parts[0]}/" if len(file.parts) > 1 else file.name
        bytes_of[name] += (ROOT / file).stat().st_size
        count[name] += 1
    print(title)
    for name in sorted(bytes_of):
        note = f" ({count[name]} files)" if name.endswith("/") else ""
        print(f"{bytes_of[name]:9,}  {name}{note}")
    print(f"{bytes_of.total():9,}  {count.total()} files in all")


def _installed(requirements: Path) -> None:
    """The packages of a lock file, and the largest of them."""
    sizes = {name: _size(name) for name in locked(requirements)}
    here = {name: size for name, size in sizes.items() if size}
    largest = sorted(here, key=here.__getitem__, reverse=True)[:6]
    named = ", ".join(f"{name} {here[name] / 2**20:.1f}" for name in largest)
    where = requirements.relative_to(ROOT)
    total = sum(here.values()) / 2**20
    print(f"to it, {len(here)} packages from {where} (Python {platform.python_version()}):")
    print(f"{total:9.1f}  MiB, of which {named}")


def _size(name: str) -> int:
    """Bytes of an installed package; 0: it is not wanted on this Python."""
    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return 0
    files = [Path(str(distribution.locate_file(file))) for file in distribution.files or ()]
    return sum(path.stat().st_size for path in files if path.suffix != ".pyc" and path.is_file())


if __name__ == "__main__":
    main()
