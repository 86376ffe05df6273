import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from simulator.storage import Fault, Storage
from switchboard.__main__ import main
from switchboard.directory import parse_directory
from switchboard.schema import schema_text

ROOT = Path(__file__).parents[2]
EXAMPLE = str(ROOT / "agents.toml")
NOBODY = '[agents.a]\nbridge = "voice_live"\nmodel = "m"\n[numbers]\n"+15550100001" = "a"\n'


@pytest.fixture
def nobody(tmp_path: Path) -> str:
    """A file without a default agent."""
    path = tmp_path / "nobody.toml"
    path.write_text(NOBODY)
    return str(path)


@pytest.fixture
def broken(tmp_path: Path) -> str:
    path = tmp_path / "broken.toml"
    path.write_text(NOBODY.replace("model", "modle").replace('= "a"', '= "b"'))
    return str(path)


def _json(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_the_example_file_is_good(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", EXAMPLE]) == 0
    assert capsys.readouterr().out.startswith(f"{EXAMPLE} is good: 3 agents, 3 numbers; reception ")


def test_without_a_name_the_file_is_agents_toml_here(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["check"]) == 0
    assert main(["explain", "555 010 0001"]) == 0
    assert "+15550100001: reception answers." in capsys.readouterr().out


def test_faults_are_printed_with_line_and_mend(
    broken: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", broken]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"{broken}:3: agents.a.modle",
        "    There is no such key. Did you mean `model`?",
        f'{broken}:5: numbers."+15550100001"',
        '    There is no agent "b". Known: "a".',
        "2 faults. Nothing of the file is used until it is mended.",
    ]


def test_programs_get_faults_as_json(broken: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", broken, "--json"]) == 1
    answer = _json(capsys)
    assert (answer["file"], answer["ok"]) == (broken, False)
    assert answer["faults"][0] == {
        "line": 3,
        "column": None,
        "path": "agents.a.modle",
        "message": "there is no such key",
        "mend": "Did you mean `model`?",
    }


def test_programs_get_a_good_file_as_json(nobody: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--json", nobody]) == 0
    answer = _json(capsys)
    assert (answer["ok"], answer["agents"], answer["numbers"]) == (True, ["a"], ["+15550100001"])


def test_an_agent_without_a_number_is_noted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "spare.toml"
    path.write_text(NOBODY + '[agents.spare]\nbridge = "voice_live"\nmodel = "m"\n')
    assert main(["check", str(path)]) == 0
    assert "  note: no number leads to spare.\n" in capsys.readouterr().out


def test_explain_says_who_answers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "+15550100002", "--from", "anonymous", "--file", EXAMPLE]) == 0
    out = capsys.readouterr().out
    assert "+15550100002: workshop answers." in out
    assert "caller    anonymous" in out
    assert main(["explain", "+15550100002", "--file", EXAMPLE, "--json"]) == 0
    assert _json(capsys)["agent"] == "workshop"


def test_explain_fails_where_nobody_answers(
    nobody: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", "+15550100077", "--file", nobody]) == 1
    assert "nobody answers" in capsys.readouterr().out
    assert main(["explain", "hello", "--file", nobody]) == 1
    assert capsys.readouterr().out.startswith("hello: this is not a phone number.")
    assert main(["explain", "hello", "--file", nobody, "--json"]) == 1
    assert _json(capsys)["answered"] is False


def test_explain_needs_a_file_without_faults(
    broken: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", "+15550100001", "--file", broken]) == 1
    assert "2 faults." in capsys.readouterr().out


@pytest.mark.parametrize("file", ["no-such-file.toml", str(ROOT / "docs")])
def test_a_file_that_cannot_be_read_is_wrong_usage(
    file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", file]) == 2
    assert f"{file}: cannot be read" in capsys.readouterr().err
    assert main(["explain", "1", "--file", file, "--json"]) == 2
    assert _json(capsys)["ok"] is False


@pytest.mark.parametrize("arguments", [[], ["chek"], ["explain"], ["check", "--yaml"]])
def test_wrong_usage_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exited:
        main(arguments)
    assert exited.value.code == 2
    assert "usage: python -m switchboard" in capsys.readouterr().err


def test_schema_prints_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert capsys.readouterr().out == schema_text()


def _process(*arguments: str | bytes, **options: Any) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "switchboard", *arguments]
    return subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, check=False, **options)


def test_any_terminal_can_show_any_input() -> None:
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii"}
    run = _process(b"explain", "Zoë\udcff".encode(errors="surrogateescape"), env=ascii_only)
    assert (run.returncode, run.stderr) == (1, b"")


def test_a_reader_that_leaves_early_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    run = _process("schema", stdout=writer)
    os.close(writer)
    assert (run.returncode, run.stderr) == (0, b"")


def test_explain_says_which_file_it_read(nobody: str, capsys: pytest.CaptureFixture[str]) -> None:
    generation = parse_directory(NOBODY, source=nobody).generation
    assert main(["explain", "+15550100001", "--file", nobody]) == 0
    assert f"  read      {nobody}, generation {generation}" in capsys.readouterr().out
    assert main(["explain", "+15550100001", "--file", nobody, "--json"]) == 0
    answer = _json(capsys)
    assert (answer["file"], answer["generation"]) == (nobody, generation)


@pytest.fixture
def storage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
    """A storage account that the environment names; it runs beside the test."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    account = Storage()

    def do(work: Coroutine[Any, Any, object]) -> None:
        asyncio.run_coroutine_threadsafe(work, loop).result(10)

    do(account.__aenter__())
    monkeypatch.setenv("STORAGE_CONNECTION_STRING", account.connection_string)
    monkeypatch.setenv("CREDENTIAL", "none")
    yield account
    do(account.__aexit__())
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_publish_makes_a_good_file_live_and_says_from_when_and_how_to_undo_it(
    storage: Storage, nobody: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["publish", "--list"]) == 0
    assert "Nothing is published" in capsys.readouterr().out
    assert main(["publish", EXAMPLE]) == 0
    out = capsys.readouterr().out
    assert "Calls that begin 30 s from now get it." in out
    example = out.split()[1]
    assert main(["publish", nobody, "--json"]) == 0
    done = _json(capsys)
    assert (done["ok"], done["outcome"], done["before"]) == (True, "published", example)
    assert main(["publish", "--back-to", example]) == 0
    assert f"--back-to {done['generation']}" in capsys.readouterr().out
    assert main(["publish", EXAMPLE]) == 0
    assert "already" in capsys.readouterr().out
    assert main(["publish", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[:12] for line in lines if "live since" in line] == [example]
    assert len(lines) == 2
    assert main(["publish", "--list", "--json"]) == 0
    assert _json(capsys)["live"] == example
    assert len(storage.blobs("directory")) == 3


def test_a_deployment_that_publishes_first_replaces_no_owners_edit(
    storage: Storage, nobody: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["publish", nobody, "--first"]) == 0
    first = capsys.readouterr().out.split()[1]
    assert main(["publish", EXAMPLE, "--first", "--json"]) == 0
    answer = _json(capsys)
    assert (answer["outcome"], answer["before"]) == ("not the first", first)
    assert main(["publish", EXAMPLE, "--first"]) == 0
    assert f"Generation {first} is live, and stays so" in capsys.readouterr().out
    assert len(storage.blobs("directory")) == 2
    with pytest.raises(SystemExit):
        main(["publish", "--list", "--first"])


def test_publish_tells_every_fault_and_changes_nothing(
    storage: Storage, broken: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["publish", broken]) == 1
    assert "2 faults. Nothing of the file is used" in capsys.readouterr().out
    assert main(["publish", "--back-to", "0123456789ab"]) == 2
    assert "There is no generation 0123456789ab." in capsys.readouterr().err
    assert storage.blob_service.containers == {}


def test_publish_says_what_it_lacks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CREDENTIAL", "none")
    assert main(["publish", EXAMPLE, "--json"]) == 2
    caught = capsys.readouterr()
    assert json.loads(caught.out)["ok"] is False
    assert "STORAGE_BLOB_ENDPOINT: is missing" in caught.err


def test_publish_says_when_storage_cannot_be_had(
    storage: Storage, capsys: pytest.CaptureFixture[str]
) -> None:
    storage.faults.append(Fault(times=99, status=503))
    assert main(["publish", EXAMPLE]) == 2
    assert "Storage: reading which directory is live: 503 ServerBusy." in capsys.readouterr().err
