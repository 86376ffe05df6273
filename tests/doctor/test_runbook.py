from pathlib import Path

import pytest

from doctor.runbook import mend_for
from switchboard.end_reason import EndReason


@pytest.mark.parametrize("reason", EndReason, ids=str)
def test_every_end_reason_has_the_mend_of_the_runbook(reason: EndReason) -> None:
    what, mend = mend_for(reason)
    assert what
    assert mend
    assert "See docs/operations.md" not in mend


def test_the_mend_is_the_pages_own_words() -> None:
    what, mend = mend_for(EndReason.MEDIA_REFUSED)
    assert what == "The worker's door refused the audio stream."
    assert "Usual causes: wrong `ACS_IMMUTABLE_RESOURCE_ID`, clock skew." in mend


def test_where_the_page_is_not_there_it_is_pointed_to(tmp_path: Path) -> None:
    what, mend = mend_for(EndReason.DRAINED, tmp_path / "none.md")
    assert (what, mend) == ("drained", "See docs/operations.md, line `drained`.")
