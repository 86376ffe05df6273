"""Processes, started, watched and ended."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simulator.processes import ROOT, Processes, SystemFailed, alive, free_port, put_file


def test_a_process_that_dies_is_told_with_its_last_words(tmp_path: Path) -> None:
    async def body() -> None:
        processes = Processes(tmp_path)
        code = "import sys; print('the reason', file=sys.stderr); sys.exit(3)"
        await processes.start("worker", ["-c", code], os.environ)
        try:
            await processes.listening("worker", free_port())
        finally:
            await processes.stop()

    with pytest.raises(SystemFailed, match=r"worker ended with exit code 3\n  the reason"):
        asyncio.run(body())


def test_all_processes_are_ended_even_those_that_do_not_listen(tmp_path: Path) -> None:
    async def body() -> list[int | None]:
        processes = Processes(tmp_path)
        await processes.start("one", ["-c", "import time; time.sleep(60)"], os.environ)
        await processes.start("two", ["-c", "import time; time.sleep(60)"], os.environ)
        await processes.stop()
        await processes.stop()
        return [process.returncode for process in processes.running.values()]

    assert asyncio.run(body()) == [-15, -15]


PARENT = """
import asyncio, os, sys
from pathlib import Path
from simulator.processes import Processes

async def main():
    processes = Processes(Path(sys.argv[1]))
    await processes.start("child", ["-c", "import time; time.sleep(60)"], os.environ)
    print(processes.running["child"].pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def test_children_end_even_when_their_parent_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert alive(child)
        parent.kill()
    limit = time.monotonic() + 10
    while alive(child):
        assert time.monotonic() < limit
        time.sleep(0.02)


def test_a_file_that_others_wait_for_is_never_seen_half_written(tmp_path: Path) -> None:
    file = tmp_path / "new" / "up.json"
    put_file(file, "one")
    put_file(file, "two")
    assert file.read_text() == "two"
    assert list(file.parent.iterdir()) == [file]


def test_a_free_port_can_be_listened_on() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", free_port()))


@pytest.mark.parametrize(
    ("given", "told"),
    [({}, "127.0.0.1"), ({"NO_PROXY": "intranet.example"}, "intranet.example,127.0.0.1")],
)
def test_no_proxy_stands_between_the_parts_whatever_is_set_outside(
    given: dict[str, str], told: str, tmp_path: Path
) -> None:
    async def body() -> None:
        processes = Processes(tmp_path)
        code = "import os; print(os.environ['NO_PROXY'], os.environ['no_proxy'])"
        await processes.start("one", ["-c", code], {**given, "HTTP_PROXY": "http://proxy.example"})
        await processes.running["one"].wait()
        await processes.stop()

    asyncio.run(body())
    assert (tmp_path / "one.log").read_text() == f"{told} {told}\n"
