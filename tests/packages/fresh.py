"""A fresh interpreter that sees a package as it would be unpacked, and nothing else of ours."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_PROGRAM = """
import importlib.metadata, json, sys
from pathlib import Path

unpacked, checkout = sys.argv[1:]
at_start = set(sys.modules)  # what the environment's own .pth files import is nobody's choice
{statements}
homes = {{
    str(distribution.locate_file(file)): distribution.metadata["Name"].lower().replace("_", "-")
    for distribution in importlib.metadata.distributions()
    for file in distribution.files or ()
    if file.suffix in (".py", ".so")
}}
loaded = [module for name, module in list(sys.modules.items()) if name not in at_start]
files = [module.__file__ for module in loaded if getattr(module, "__file__", None)]
print(json.dumps({{
    "told": told,
    "ours": [f for f in files if Path(f).is_relative_to(unpacked)],
    "elsewhere": [f for f in files if Path(f).is_relative_to(checkout) and f not in homes],
    "distributions": sorted({{homes[f] for f in files if f in homes}}),
}}))
"""


@dataclass(frozen=True)
class Seen:
    """What the interpreter had imported when the statements were through."""

    told: Any
    """What they left in `told`."""
    ours: list[str]
    """Files of the unpacked package."""
    elsewhere: list[str]
    """Files of the checkout."""
    distributions: list[str]
    """Installed packages, by name."""


def run(unpacked: Path, statements: str) -> Seen:
    """Runs statements that set `told`; `unpacked` and `checkout` are paths, as str.

    The installed packages are those of this environment, so it is for the caller to look which of
    them were used. Raises CalledProcessError.
    """
    program = _PROGRAM.format(statements=statements)
    done = subprocess.run(
        [sys.executable, "-IB", "-c", program, str(unpacked), str(ROOT)],
        cwd=unpacked,
        check=True,
        stdout=subprocess.PIPE,
        timeout=60,
    )
    return Seen(**json.loads(done.stdout))


def locked(requirements: Path) -> set[str]:
    """Names in a lock file."""
    lines = requirements.read_text(encoding="utf-8").splitlines()
    return {line.partition("==")[0].lower() for line in lines if line[:1].isalnum()}
