"""`make packages`: what would be uploaded, with sizes: Functions package and image context."""

import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.packages import functions_package, worker_context

ROOT = Path(__file__).parents[2]


def main() -> None:
    functions = functions_package.files(ROOT)
    _list("The Functions package (.funcignore):", functions)
    with tempfile.TemporaryDirectory() as directory:
        packed = Path(directory) / "functions.zip"
        functions_package.write(ROOT, packed)
        print(f"{packed.stat().st_size:9,}  as a zip\n")
    _list("The build context of the worker's image (.dockerignore):", worker_context.files(ROOT))


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


if __name__ == "__main__":
    main()
