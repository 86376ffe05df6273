"""The build context of the media worker's image, by Docker's rules for `.dockerignore`.

Source: Docker's reference of the file, and moby/patternmatcher, which azd's remote build uses as
well: patterns start at the root, a pattern that matches a folder matches what is in it, the last
pattern that matches wins. Of the wildcards only `*` and a leading `**/` are read here; any other
is refused.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class _Rule:
    pattern: "re.Pattern[str]"
    lets_in: bool


def files(root: Path) -> list[Path]:
    """The files that would be sent to the builder, relative to `root`, sorted; without `.git`."""
    text = (root / ".dockerignore").read_text(encoding="utf-8")
    rules = [_rule(line) for line in map(str.strip, text.splitlines()) if line and line[0] != "#"]
    found = []
    for directory, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != ".git"]
        here = Path(directory).relative_to(root)
        found += [here / name for name in names if _let_in(here / name, rules)]
    return sorted(found)


def _rule(line: str) -> _Rule:
    lets_in, glob = line.startswith("!"), line.lstrip("!").strip("/")
    anywhere, rest = glob.startswith("**/"), glob.removeprefix("**/")
    if "**" in rest or any(mark in rest for mark in "?[\\"):
        raise ValueError(f".dockerignore: {line}: a wildcard that this reading does not know")
    pattern = re.escape(rest).replace(r"\*", "[^/]*")
    return _Rule(re.compile((r"(?:.*/)?" if anywhere else "") + pattern), lets_in)


def _let_in(path: Path, rules: Sequence[_Rule]) -> bool:
    parts = [path.as_posix(), *(parent.as_posix() for parent in path.parents)]
    verdict = True
    for rule in rules:
        if any(rule.pattern.fullmatch(part) for part in parts):
            verdict = rule.lets_in
    return verdict
