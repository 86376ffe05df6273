"""The mends of docs/operations.md, by end reason: read from the page itself, so that there is one
list of them."""

import re
from pathlib import Path

from switchboard.end_reason import EndReason
from switchboard.live_directory import ROOT

PAGE = ROOT / "docs" / "operations.md"
_ROW = re.compile(r"^\| `(?P<reason>\w+)` \|(?P<what>[^|]*)\|(?P<mend>[^|]*)\|", re.MULTILINE)


def mend_for(reason: EndReason, page: Path = PAGE) -> tuple[str, str]:
    """What happened, and what to do, as the page says. Where there is no page (an image without
    docs), the second points to it."""
    try:
        rows = _ROW.finditer(page.read_text(encoding="utf-8"))
    except OSError:
        rows = iter(())
    for row in rows:
        if row["reason"] == reason:
            return row["what"].strip(), row["mend"].strip()
    return reason.value, f"See docs/operations.md, line `{reason}`."
