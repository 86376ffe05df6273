"""Runs checks: lanes beside each other, each check within its limit, none in another's way."""

import asyncio
from collections.abc import Callable, Sequence

from doctor.patient import Patient
from doctor.verdicts import Check, Fail, Finding, NotChecked, Verdict

Tell = Callable[[Finding], None]


async def examine(
    patient: Patient, checks: Sequence[Check], deadline: float, tell: Tell
) -> list[Finding]:
    """The findings, in the order of `checks`; `tell` gets each as soon as those before it are
    there. `deadline`: loop time after which nothing is begun."""
    found: dict[str, asyncio.Future[Finding]] = {check.id: asyncio.Future() for check in checks}
    assert len(found) == len(checks), "two checks of one name"
    lanes: dict[str, list[Check]] = {}
    for check in checks:
        lanes.setdefault(check.lane or check.id, []).append(check)

    async def run(lane: list[Check]) -> None:
        for check in lane:
            verdict = await _verdict(patient, check, deadline)
            found[check.id].set_result(Finding(check.id, check.what, verdict))

    findings: list[Finding] = []
    unheard: OSError | None = None
    async with asyncio.TaskGroup() as group:
        for lane in lanes.values():
            group.create_task(run(lane))
        for check in checks:
            findings.append(await found[check.id])
            try:
                tell(findings[-1])
            except OSError as error:  # such as a closed pipe; told as itself, not in a group
                unheard = error
    if unheard is not None:
        raise unheard
    return findings


async def _verdict(patient: Patient, check: Check, deadline: float) -> Verdict:
    if (lacking := patient.lacks(check.needs, check.scope)) is not None:
        return lacking
    left_s = deadline - asyncio.get_running_loop().time()
    if left_s <= 0:
        return NotChecked("the time for the examination was over")
    limit_s = min(check.limit_s, left_s)
    try:
        async with asyncio.timeout(limit_s):
            return await check.examine()
    except TimeoutError:
        return Fail(f"no answer within {limit_s:.0f} s", check.silent)
    except Exception as defect:  # the edge of the process: the other checks go on
        mend = "This is a defect of the examination itself: please report it."
        return Fail(f"a fault of ours: {type(defect).__name__}", mend)
