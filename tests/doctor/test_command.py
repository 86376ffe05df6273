import json
import subprocess
import sys
from pathlib import Path

import pytest

from doctor.patient import Asked
from switchboard.__main__ import main
from tests.calls.whole import Access
from tests.doctor.stage import NOWHERE, ward
from tests.virtual_time import run

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["keys", "tokens"])
def access(request: pytest.FixtureRequest) -> str:
    """How the product proves itself: see `whole`."""
    return str(request.param)


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without settings."""
    for name, value in NOWHERE.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("nowhere")
def test_what_fails_makes_the_exit_code_1_and_is_told_with_its_mend(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out.splitlines()
    at = next(n for n, line in enumerate(out) if line.startswith("FAIL"))
    assert out[at].startswith("FAIL         settings: both deployables: ACS_ENDPOINT is missing")
    assert out[at + 1].startswith("             mend: ACS_ENDPOINT: set it to: Endpoint of")
    assert out[-1].endswith("Mend what FAILs first.")


@pytest.mark.usefixtures("nowhere")
def test_programs_get_json_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json", "--number", "+15550100001", "--max-replicas", "1"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False
    ids = [check["id"] for check in told["checks"]]
    assert len(ids) == len(set(ids))
    assert "directory.number.1" in ids


def test_the_order_of_the_lines_is_fixed_and_all_is_green_with_the_simulators(
    tmp_path: Path, access: Access
) -> None:
    async def scenario() -> None:
        async with ward(tmp_path, access=access) as here:
            found = await here.examined()
            assert found.red == []
            order = [id_.split(".")[0] for id_ in found.all]
            assert list(dict.fromkeys(order)) == [
                *("identity", "settings", "queue", "records", "acs", "voice_live"),
                *("worker", "functions", "directory", "clock", "quota", "azure"),
            ]
            unchecked = {id_.split(".")[0] for id_ in found.open}
            assert unchecked == {"quota", "azure"}, "and these alone are open"

    run(scenario())


@pytest.mark.parametrize(
    "arguments",
    [["--max-replicas", "0"], ["--limit-s", "soon"], ["--voice-live-tokens", "-1"]],
)
def test_wrong_usage_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exited:
        main(["doctor", *arguments])
    assert exited.value.code == 2
    assert "usage: python -m switchboard doctor" in capsys.readouterr().err


@pytest.mark.usefixtures("nowhere")
def test_a_worker_log_that_is_not_there_is_wrong_usage(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["doctor", "--first-call", "--worker-log", "no-such.log"]) == 2
    assert "no-such.log: there is no such file." in capsys.readouterr().out


@pytest.mark.usefixtures("nowhere")
def test_a_first_call_cannot_be_waited_for_without_storage(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["doctor", "--first-call", "--json"]) == 1
    (check,) = json.loads(capsys.readouterr().out)["checks"]
    assert check["id"] == "first_call.rang"
    assert main(["doctor", "--first-call"]) == 1
    assert "FAIL         the records' container: STORAGE_BLOB_ENDPOINT is not set" in (
        capsys.readouterr().out
    )


def test_the_other_commands_load_nothing_of_it() -> None:
    code = (
        "import sys, switchboard.__main__ as m; m.main(['check']); print('doctor' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.endswith("False\n")


def test_it_needs_nothing_that_only_the_functions_app_installs() -> None:
    code = "import sys\nsys.modules['azure.functions'] = None\nimport doctor.command\n"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_where_the_workers_requirements_are_not_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "doctor.command", None)
    assert main(["doctor"]) == 2
    assert "media_worker/requirements.txt" in capsys.readouterr().err


def test_who_no_longer_waits_gets_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("doctor.command.run", interrupted)
    assert main(["doctor", "--first-call"]) == 130


def test_every_line_has_its_row_in_the_documentation(tmp_path: Path) -> None:
    async def scenario() -> None:
        page = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
        async with ward(tmp_path) as here:
            found = await here.examined(Asked(numbers=("+15550100001",)))
        for id_ in found.all:
            family = id_.split(".")[0]
            assert f"`{id_}`" in page or f"`{family}." in page, id_

    run(scenario())


def test_no_secret_of_the_environment_is_printed(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ward(tmp_path) as here:
            names = ("ACS_ACCESS_KEY", "STORAGE_CONNECTION_STRING", "IDENTITY_HEADER")
            secrets = [here.env[name] for name in names]
            found = await here.examined(ACS_ACCESS_KEY="d3Jvbmc=", RECORDS_CONTAINER="archive")
            told = json.dumps([found.told(id_) for id_ in found.all])
            assert found.red
            assert not any(secret in told for secret in [*secrets, "d3Jvbmc="])
            assert "eyJ" not in told, "no token either"

    run(scenario())
