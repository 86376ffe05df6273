"""Azurite, Microsoft's own storage emulator, beside which the storage simulator is held.

It comes from npm (about 190 MB, half a minute) and is kept in the virtual environment's folder.
"""

import fcntl
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

VERSION = "3.35.0"
"""The newest that runs on Node 20."""
HOME = Path(sys.prefix) / "azurite"
INSTALL_S = 240
START_S = 30

# The emulator's documented account: the same key in every copy of it.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


class AzuriteUnavailable(Exception):
    """It cannot be had here; the text says why."""


@dataclass(frozen=True)
class Azurite:
    """A running emulator."""

    connection_string: str


def install() -> Path:
    """Puts Azurite into `HOME`, once; returns the folder of its programs."""
    programs = HOME / "node_modules" / ".bin"
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise AzuriteUnavailable("node and npm are not on the PATH")
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs at once install it once
        stamp = HOME / f"installed-{VERSION}"
        if stamp.exists():
            return programs
        command = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"]
        command += ["--prefix", str(HOME), f"azurite@{VERSION}"]
        try:
            subprocess.run(command, check=True, timeout=INSTALL_S, capture_output=True, text=True)
        except subprocess.CalledProcessError as error:
            raise AzuriteUnavailable(f"npm cannot install it: {_why(error.stderr)}") from None
        except subprocess.TimeoutExpired:
            raise AzuriteUnavailable(f"npm install took longer than {INSTALL_S} s") from None
        stamp.touch()
    return programs


def _why(said: str) -> str:
    """npm's reason, without the addresses around it."""
    reason = re.search(r"reason: (.+)", said) or re.search(r"npm error code (\w+)", said)
    return reason[1] if reason else "it does not say why"


@contextmanager
def running() -> Iterator[Azurite]:
    """Starts the queue and the blob service on free ports, in memory; stops them at the end.

    Raises `AzuriteUnavailable`.
    """
    programs = install()
    with ExitStack() as stack:
        blob = stack.enter_context(_service(programs / "azurite-blob", "blob"))
        queue = stack.enter_context(_service(programs / "azurite-queue", "queue"))
        yield Azurite(
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};"
            f"BlobEndpoint=http://127.0.0.1:{blob}/{ACCOUNT};"
            f"QueueEndpoint=http://127.0.0.1:{queue}/{ACCOUNT};"
        )


@contextmanager
def _service(program: Path, name: str) -> Iterator[int]:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [str(program), f"--{name}Host", "127.0.0.1", f"--{name}Port", str(port)]
    command += ["--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--silent"]
    process = subprocess.Popen(
        command,
        cwd=HOME,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "HOME": str(HOME)},
    )
    try:
        _wait_for(port, process, name)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait_for(port: int, process: "subprocess.Popen[bytes]", name: str) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AzuriteUnavailable(f"azurite-{name} ended at once with {process.returncode}")
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AzuriteUnavailable(f"azurite-{name} did not listen within {START_S} s")
