import json

from doctor.verdicts import Fail, Finding, NotChecked, Ok, as_json, summary

GOOD = Finding("queue.read", "queue sessions: read", Ok("0 messages"))
BAD = Finding("acs.permission", "Call Automation", Fail("403", "Give it the role."))
OPEN = Finding("azure.roles", "role assignments", NotChecked("only Azure knows", "az role …"))


def test_an_admin_reads_the_result_first_then_what_and_the_mend_below() -> None:
    assert list(GOOD.lines()) == ["ok           queue sessions: read: 0 messages"]
    assert list(BAD.lines()) == [
        "FAIL         Call Automation: 403",
        "             mend: Give it the role.",
    ]
    assert list(OPEN.lines()) == [
        "not checked  role assignments: only Azure knows",
        "             see: az role …",
    ]


def test_programs_get_the_same_under_names_that_do_not_change() -> None:
    told = json.loads(as_json([GOOD, BAD, OPEN]))
    assert told["ok"] is False
    assert [check["result"] for check in told["checks"]] == ["ok", "fail", "not_checked"]
    assert told["checks"][1] == {
        "id": "acs.permission",
        "what": "Call Automation",
        "result": "fail",
        "detail": "403",
        "mend": "Give it the role.",
        "see": None,
    }
    assert json.loads(as_json([GOOD, OPEN]))["ok"] is True


def test_the_last_line_counts_and_never_calls_the_unchecked_good() -> None:
    assert summary([GOOD, BAD, OPEN]) == "1 ok, 1 FAIL, 1 not checked. Mend what FAILs first."
    assert summary([GOOD, OPEN]).endswith("Of what was checked nothing is in a call's way.")
