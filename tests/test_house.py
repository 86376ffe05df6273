"""The house rules that a machine can hold: sizes, one home for clocks, prints and broad excepts."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("switchboard", "functions", "media_worker", "simulator", "doctor")
SOURCES = sorted(
    path.relative_to(ROOT) for room in (*ROOMS, "bench") for path in (ROOT / room).rglob("*.py")
)

MODULES_WITHOUT_A_TEST_OF_THEIR_OWN = {
    "switchboard/moves.py": "names only: events and effects of a call record",
    "switchboard/decisions.py": "names only",
    "switchboard/operations.py": "names only",
    "media_worker/leg.py": "protocols and outcomes only",
    "media_worker/speech/clause_words.py": "word lists only, tested through clauses",
    "media_worker/speech/seams.py": "protocols only",
    "switchboard/end_reason.py": "names only; tests/test_docs.py holds them to the runbook",
    "switchboard/limits.py": "numbers only",
    "media_worker/limits.py": "numbers only",
    "functions/limits.py": "numbers only",
    "simulator/limits.py": "numbers only",
    "doctor/limits.py": "numbers only",
    "switchboard/clock.py": "three lines, used by every test through tests/virtual_time.py",
    "simulator/clock.py": "three lines, used by every test through tests/virtual_time.py",
}

PURE = (
    "switchboard/agents.py",
    "switchboard/record.py",
    "switchboard/moves.py",
    "switchboard/decisions.py",
    "switchboard/transitions.py",
    "functions/decide.py",
    "media_worker/acs_media.py",
    "media_worker/bridges/caller_clock.py",
    "media_worker/bridges/client_events.py",
    "media_worker/bridges/voice_live/protocol.py",
    "media_worker/bridges/server_events.py",
    "media_worker/patience.py",
    "media_worker/bridges/voice_live/memory.py",
    "media_worker/bridges/asks.py",
    "media_worker/bridges/voice_live/conversation.py",
    "media_worker/leg.py",
    "media_worker/bridges/__init__.py",
    "media_worker/floor.py",
    "media_worker/playout.py",
    "media_worker/turns.py",
    "media_worker/dtmf.py",
    "media_worker/tools.py",
    "media_worker/speech/clips.py",
    "media_worker/bridges/realtime_speech/protocol.py",
    "media_worker/bridges/realtime_speech/memory.py",
    "media_worker/bridges/realtime_speech/conversation.py",
    "media_worker/bridges/realtime_speech/lateness.py",
    "media_worker/bridges/realtime_speech/turns.py",
    "media_worker/speech/seams.py",
    "doctor/verdicts.py",
    "doctor/worker_log.py",
)
IMPURE_MODULES = {"asyncio", "aiohttp", "socket", "time", "random", "logging", "os", "azure"}

BANNED_CALLS = {
    "time.time": {"switchboard/clock.py", "simulator/clock.py"},
    "datetime.now": set(),
    "datetime.utcnow": set(),
    "os.getenv": set(),
    "print": {"__main__.py", "bench/"},
    "asyncio.create_task": set(),
    "asyncio.ensure_future": set(),
}


def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), str(path))


def functions(module: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_no_file_is_longer_than_300_lines_and_no_function_than_60(path: Path) -> None:
    lines = (ROOT / path).read_text(encoding="utf-8").count("\n")
    assert lines <= 300, f"{path} has {lines} lines"
    long = {
        f.name: f.end_lineno - f.lineno + 1
        for f in functions(tree(path))
        if f.end_lineno and f.end_lineno - f.lineno >= 60
    }
    assert not long, f"{path}: {long}"


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_clocks_prints_tasks_and_the_environment_have_one_home(path: Path) -> None:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            name = dotted(node.func)
            homes = next((h for n, h in BANNED_CALLS.items() if name.endswith(n)), None)
            if homes is None or (name.endswith("print") and name != "print"):
                continue
            assert any(home in str(path) for home in homes), f"{path}:{node.lineno} calls {name}"


def test_a_broad_except_stands_only_at_the_edge_of_a_process() -> None:
    found = {
        f"{path}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or dotted(node.type) in {"Exception", "BaseException"})
    }
    per_room = {room: [f for f in found if f.startswith(room)] for room in ROOMS}
    assert all(len(places) <= 1 for places in per_room.values()), per_room


@pytest.mark.parametrize("path", PURE)
def test_a_pure_module_knows_no_clock_no_network_and_no_log(path: str) -> None:
    imported = {
        (node.names[0].name if isinstance(node, ast.Import) else node.module or "").split(".")[0]
        for node in ast.walk(tree(Path(path)))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert not imported & IMPURE_MODULES


def test_every_module_has_a_test_file_of_its_own() -> None:
    missing = [
        str(path)
        for path in SOURCES
        if path.parts[0] in ROOMS
        and path.name not in {"__init__.py", "__main__.py"}
        and str(path) not in MODULES_WITHOUT_A_TEST_OF_THEIR_OWN
        and not (ROOT / "tests" / path.parent / f"test_{path.name}").exists()
    ]
    assert not missing


def test_the_functions_app_installs_nothing_that_only_the_worker_needs() -> None:
    names = {
        line.split("==")[0]
        for line in (ROOT / "requirements.txt").read_text().splitlines()
        if "==" in line
    }
    assert not names & {"numpy", "soxr", "uvloop", "msgspec", "azure-cognitiveservices-speech"}
    assert "azure-functions" in names
