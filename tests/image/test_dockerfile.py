"""What can be seen of the worker's image without building it; `make image` builds and tries it."""

import json
import re

import pytest

from simulator.processes import ROOT
from tests.image.container import Config
from tests.image.steps import instructions

TEXT = (ROOT / "media_worker" / "Dockerfile").read_text(encoding="utf-8")
STEPS = list(instructions(TEXT))
LAST_STAGE = STEPS[max(i for i, (keyword, _) in enumerate(STEPS) if keyword == "FROM") :]


def _only(keyword: str) -> str:
    (rest,) = (rest for found, rest in LAST_STAGE if found == keyword)
    return rest


def test_the_base_is_one_exact_release_of_the_python_that_the_functions_run_on() -> None:
    bases = [rest.split()[0] for keyword, rest in STEPS if keyword == "FROM"]
    named = {rest.split()[2] for keyword, rest in STEPS if keyword == "FROM" and " AS " in rest}
    (outside,) = [base for base in bases if base not in named]
    assert re.fullmatch(
        r"docker\.io/library/python:3\.13\.\d+-slim-bookworm(@sha256:\w{64})?", outside
    )


def test_every_python_package_comes_by_hash_and_as_a_wheel() -> None:
    installs = [rest for keyword, rest in STEPS if keyword == "RUN" and '"pip"' in rest]
    (command,) = map(json.loads, installs)
    assert {"--require-hashes", "--only-binary", "/tmp/requirements.txt"} <= set(command)
    assert ("COPY", "media_worker/requirements.txt /tmp/requirements.txt") in STEPS


def test_the_worker_runs_without_a_shell_and_without_rights_below_an_init() -> None:
    init, _, python, *rest = json.loads(_only("ENTRYPOINT"))
    assert init == "/usr/bin/tini"
    assert re.search(r"apt-get install .*\btini\b", _only("RUN"))
    assert (python, rest) == ("/opt/worker/bin/python", ["-m", "media_worker"])
    assert re.fullmatch(r"[1-9]\d{4}:[1-9]\d{4}", _only("USER"))
    assert LAST_STAGE.index(("USER", _only("USER"))) > max(
        i for i, (keyword, _) in enumerate(LAST_STAGE) if keyword in {"RUN", "COPY"}
    )


def test_what_the_speech_sdk_loads_is_installed() -> None:
    packages = set(_only("RUN").split())
    assert {"libssl3", "libuuid1", "libstdc++6", "ca-certificates"} <= packages


def test_nothing_is_fetched_but_packages() -> None:
    assert not [
        rest for keyword, rest in STEPS if keyword == "ADD" or "http" in rest.split("CMD")[0]
    ]
    assert not re.search(r"\b(curl|wget|git)\b", TEXT)


def test_an_image_that_would_run_as_root_or_in_a_shell_is_refused() -> None:
    good = {
        "Entrypoint": ["/usr/bin/tini", "--", "/bin/true"],
        "User": "10001:10001",
        "WorkingDir": "/app",
        "Healthcheck": {"Test": ["CMD", "/bin/true"]},
    }
    assert Config.of(good).ids == (10001, 10001)
    for fault, expected in (
        ({"User": ""}, "as root"),
        ({"User": "0:10001"}, "as root"),
        ({"Entrypoint": ["sh", "-c", "x"]}, "exec form"),
        ({"Healthcheck": {"Test": ["CMD-SHELL", "x"]}}, "exec form"),
        ({"Healthcheck": None}, "exec form"),
    ):
        with pytest.raises(ValueError, match=expected):
            Config.of({**good, **fault})
