"""The Functions package: what azd would upload, and that it is enough."""

import shutil
import zipfile
from pathlib import Path

import pytest

from tests.packages import functions_package
from tests.packages.fresh import ROOT, locked, run

LEFT_BEHIND = (
    ".env",
    ".azure/dev/.env",
    ".venv/pyvenv.cfg",
    ".venv/lib/python3.11/site-packages/aiohttp/__init__.py",
    ".venv-audit/pyvenv.cfg",
    "checkout_env/pyvenv.cfg",
    "checkout_env/lib/module.py",
    "local.settings.json",
    "out/call.wav",
    "node_modules/azurite/index.js",
    "functions/__pycache__/decide.cpython-313.pyc",
    ".mypy_cache/3.11/cache.json",
    "switchboard.egg-info/PKG-INFO",
    "infra/bicep/main.bicep",
    "azure.yaml",
)
RUNTIME = {"azure-functions-runtime", "azurefunctions-extensions-base"}
"""The host's own, there without being asked for."""
LOAD = """
import asyncio
sys.path.insert(0, checkout)
from simulator.functions_app import load
sys.path.remove(checkout)  # the loader is in, and imports nothing of the product
app = asyncio.run(load(Path(unpacked)))
import functions, importlib, pkgutil
for module in pkgutil.walk_packages(functions.__path__, "functions."):
    importlib.import_module(module.name)  # those that are loaded on demand, too
told = {name: function.trigger["type"] for name, function in app.functions.items()}
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in which somebody has worked."""
    root = tmp_path_factory.mktemp("work") / "checkout"
    heavy = shutil.ignore_patterns(".git", ".venv*", "out", "*_cache", "__pycache__", "*.wav")
    shutil.copytree(ROOT, root, ignore=heavy)
    for name in LEFT_BEHIND:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("left behind")
    (root / "elsewhere_env").symlink_to(root / "checkout_env")
    return root


def test_the_package_holds_the_app_what_it_shares_and_the_agents_alone(checkout: Path) -> None:
    files = functions_package.files(checkout)
    assert {file.parts[0] for file in files} == {
        *("function_app.py", "functions", "switchboard"),
        *("host.json", "requirements.txt", "agents.toml"),
    }
    assert not [file for file in files if file.suffix not in {".py", ".json", ".toml", ".txt"}]


def test_every_module_of_the_app_is_in_the_package(checkout: Path) -> None:
    files = set(functions_package.files(checkout))
    modules = {p.relative_to(ROOT) for r in ("functions", "switchboard") for p in _modules(r)}
    assert modules <= files


def _modules(room: str) -> list[Path]:
    return list((ROOT / room).rglob("*.py"))


def test_the_list_says_no_and_never_but(checkout: Path) -> None:
    lines = (checkout / ".funcignore").read_bytes().decode("utf-8").splitlines()
    assert not [line for line in lines if line.startswith("!")]  # azd up to 1.23.12 misread them
    assert not lines[0].startswith("\ufeff")


def test_the_app_loads_from_its_package_with_its_own_requirements(
    checkout: Path, tmp_path: Path
) -> None:
    functions_package.write(checkout, tmp_path / "functions.zip")
    with zipfile.ZipFile(tmp_path / "functions.zip") as packed:
        packed.extractall(tmp_path / "unpacked")
    seen = run(tmp_path / "unpacked", LOAD)
    assert seen.told == {"incoming_call": "eventGridTrigger", "call_events": "httpTrigger"}
    assert str(tmp_path / "unpacked" / "functions" / "answering.py") in seen.ours
    assert {Path(f).relative_to(ROOT).parts[0] for f in seen.elsewhere} == {"simulator"}
    assert set(seen.distributions) - RUNTIME <= locked(ROOT / "requirements.txt")
