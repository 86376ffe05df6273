"""What the builder of the worker's image gets, and that it is enough."""

import shutil
from pathlib import Path

import pytest

from tests.packages import worker_context
from tests.packages.fresh import ROOT, locked, run

LOAD = """
sys.path.insert(0, unpacked)
import importlib, pkgutil
import media_worker
modules = [m.name for m in pkgutil.walk_packages(media_worker.__path__, "media_worker.")]
for name in modules:
    importlib.import_module(name)  # those that are loaded on demand, too: the Speech SDK's
told = modules
"""


def _write(root: Path, *names: str, ignore: str | None = None) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")
    text = (ROOT / ".dockerignore").read_text() if ignore is None else ignore
    (root / ".dockerignore").write_text(text)
    return root


def test_nothing_gets_in_but_the_worker_what_it_shares_and_its_requirements() -> None:
    files = worker_context.files(ROOT)
    assert {file.parts[0] for file in files} == {"agents.toml", "media_worker", "switchboard"}
    assert Path("media_worker/requirements.txt") in files
    assert {file.name for file in files if file.suffix != ".py"} == {
        *("requirements.txt", "agents.schema.json", "agents.toml")
    }


def test_what_is_put_beside_them_one_day_stays_out(tmp_path: Path) -> None:
    inside = ("media_worker/bridges/voice_live.py", "switchboard/record.py")
    outside = (
        *(".env", "requirements.txt", "function_app.py", "functions/decide.py"),
        *("tests/switchboard/test_record.py", ".venv/lib/switchboard/x.py", "media_worker_env/x"),
        *("media_worker/Dockerfile", "media_worker/bridges/__pycache__/voice_live.pyc"),
    )
    found = worker_context.files(_write(tmp_path, *inside, *outside))
    assert [file.as_posix() for file in found] == list(inside)


@pytest.mark.parametrize(
    ("ignore", "left"),
    [
        ("a\n", ["b/a"]),  # a pattern starts at the root
        ("**/a\n", []),
        ("b\n!b/a\n", ["a", "b/a"]),  # the last one wins
        ("!a\n*\n", []),
        ("# a\n\n/b/\n", ["a"]),
    ],
)
def test_the_list_is_read_as_docker_reads_it(ignore: str, left: list[str], tmp_path: Path) -> None:
    found = worker_context.files(_write(tmp_path, "a", "b/a", ignore=".dockerignore\n" + ignore))
    assert [file.as_posix() for file in found] == left


def test_a_wildcard_that_this_reading_does_not_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a wildcard that this reading does not know"):
        worker_context.files(_write(tmp_path, "a", ignore="[ab]\n"))


def test_the_worker_loads_from_its_context_with_its_own_requirements(tmp_path: Path) -> None:
    for file in worker_context.files(ROOT):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    seen = run(tmp_path, LOAD)
    assert str(tmp_path / "switchboard" / "ledger.py") in seen.ours
    assert "media_worker.__main__" in seen.told
    assert "azure-cognitiveservices-speech" in seen.distributions
    assert not seen.elsewhere
    assert set(seen.distributions) <= locked(ROOT / "media_worker" / "requirements.txt")
