"""`make audit`: azure-functions-doctor and checkov over the tree, offline.

Fails for a finding that `accepted.py` does not name, for a name there that is found no more (in
files that exist), and for a tool that looked at nothing. Runs in the tools' own environment.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.audit.accepted import CHECKOV, DOCTOR, Place, Reasons

ROOT = Path(__file__).parents[2]
BIN = Path(sys.prefix) / "bin"
FRAMEWORKS = {"dockerfile": "media_worker", "github_actions": ".github", "bicep": "infra/bicep"}
"""What checkov has to look at, and where that is, if it is there."""
NOT_OURS = r"/(\.venv.*|\.git|out|node_modules|build|[^/]*_env|\.[a-z_]+_cache)(/|$)"


@dataclass
class Audit:
    """What a tool has seen."""

    tool: str
    passed: int = 0
    found: dict[Place, str] = field(default_factory=dict)

    def faults(self, accepted: Reasons) -> Iterator[str]:
        """What is wrong, a line each."""
        if not self.passed:
            yield f"{self.tool} passed nothing: it looked at nothing"
        for place, says in self.found.items():
            if place not in accepted:
                yield f"{self.tool}: {place.file}: {place.check}: {says}"
        for place in accepted.keys() - self.found.keys():
            if (ROOT / place.file).exists():
                yield f"{place.check} is accepted for {place.file}, where it is found no more"


def doctor() -> Audit:
    """azure-functions-doctor's rules for what is deployed; not those for this machine's tools."""
    audit = Audit("azure-functions-doctor")
    told = _json("azure-functions-doctor", "doctor", "--profile", "deploy", "--format", "json")
    for item in (item for section in told["results"] for item in section["items"]):
        audit.passed += item["status"] == "pass"
        if item["status"] in ("warn", "fail"):
            audit.found[Place(item["rule_id"], ".")] = item["value"].splitlines()[0]
    return audit


def checkov() -> Audit:
    """checkov over Dockerfiles, workflows and Bicep, hidden folders too; and for secrets."""
    audit = Audit("checkov")
    frameworks = [*FRAMEWORKS, "secrets"]
    reports = _json(
        *("checkov", "--directory", ".", "--framework", *frameworks, "--output", "json"),
        *("--skip-download", "--skip-path", NOT_OURS),
    )
    reports = reports if isinstance(reports, list) else [reports]
    for report in reports:
        audit.passed += report["summary"]["passed"]
        for check in report["results"]["failed_checks"]:
            place = Place(check["check_id"], check["file_path"].lstrip("/"))
            audit.found[place] = f"{check['check_name']} ({check['resource']})"
        for file in report["results"]["parsing_errors"]:
            place = Place("unread", Path(file).resolve().relative_to(ROOT).as_posix())
            audit.found[place] = "could not be read"
    looked_at = {report["check_type"] for report in reports}
    for framework, folder in FRAMEWORKS.items():
        if (ROOT / folder).is_dir() and framework not in looked_at:
            audit.found[Place("unread", folder)] = f"no {framework} was seen"
    return audit


def _json(tool: str, *arguments: str) -> Any:
    """What a tool prints. Its exit code only says that it found something."""
    env = {**os.environ, "CKV_IGNORE_HIDDEN_DIRECTORIES": "false", "LOG_LEVEL": "ERROR"}
    command = [str(BIN / tool), *arguments]
    done = subprocess.run(command, cwd=ROOT, env=env, check=False, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def main() -> int:
    """0: every finding has its reason."""
    faults: list[str] = []
    for audit, accepted in ((doctor(), DOCTOR), (checkov(), CHECKOV)):
        print(f"{audit.tool}: {audit.passed} passed")
        for place in sorted(audit.found.keys() & accepted.keys()):
            print(f"  accepted: {place.file}: {place.check}: {accepted[place]}")
        faults += audit.faults(accepted)
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
