import json

import pytest

from functions.log import log


def test_a_line_is_one_json_object_without_empty_fields(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="switchboard")
    log("call_answered", call_id="20261118-0", attempt=1, agent=None, name='"\n')
    (record,) = caplog.records
    assert json.loads(record.getMessage()) == {
        "event": "call_answered",
        "call_id": "20261118-0",
        "attempt": 1,
        "name": '"\n',
    }
    assert "\n" not in record.getMessage()
