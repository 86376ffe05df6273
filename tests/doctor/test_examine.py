import asyncio

import pytest

from doctor.examine import examine
from doctor.verdicts import Check, Finding, NotChecked, Ok, Verdict
from tests.doctor.stage import Found, patient
from tests.virtual_time import run


def _after(seconds: float, began: list[tuple[str, float]], name: str) -> Check:
    async def wait() -> Verdict:
        began.append((name, asyncio.get_running_loop().time()))
        await asyncio.sleep(seconds)
        return Ok(name)

    return Check(name, name, wait, 10.0, silent="Look.", lane=name[0])


async def _broken() -> Verdict:
    raise ZeroDivisionError("with a secret in it")


def test_lanes_run_beside_each_other_and_are_told_in_the_order_asked_for() -> None:
    async def scenario() -> None:
        began: list[tuple[str, float]] = []
        told: list[str] = []
        checks = [_after(3, began, "a1"), _after(1, began, "b1"), _after(1, began, "a2")]
        async with patient() as one:
            found = await examine(one, checks, 100.0, lambda f: told.append(f.id))
        assert dict(began) == {"a1": 0.0, "b1": 0.0, "a2": 3.0}
        assert told == [finding.id for finding in found] == ["a1", "b1", "a2"]

    run(scenario())


def test_one_that_hangs_or_has_a_defect_fails_alone() -> None:
    async def scenario() -> None:
        checks = [
            _after(1000, [], "hangs"),
            Check("broken", "broken", _broken, 1.0),
            _after(1, [], "well"),
        ]
        async with patient() as one:
            found = Found(await examine(one, checks, 100.0, lambda _: None))
        assert found.red == ["hangs", "broken"]
        assert found.green == ["well"]
        assert found.detail("hangs") == "no answer within 10 s"
        assert found.mend("hangs") == "Look."
        assert found.detail("broken") == "a fault of ours: ZeroDivisionError"

    run(scenario())


def test_the_whole_is_bounded_and_what_was_not_begun_is_not_called_good() -> None:
    async def scenario() -> list[Finding]:
        checks = [_after(9, [], f"a{n}") for n in range(20)]
        async with patient() as one:
            found = await examine(one, checks, 25.0, lambda _: None)
        assert asyncio.get_running_loop().time() == 25.0
        return found

    results = [finding.result for finding in run(scenario())]
    assert results == ["ok"] * 2 + ["fail"] + ["not_checked"] * 17


def test_what_lacks_a_setting_or_a_token_is_not_tried() -> None:
    async def scenario() -> None:
        async with patient() as one:
            one.signed_in.without.add("storage")
            checks = [
                Check("media", "media", _broken, 1.0, needs=("MEDIA_URL",)),
                Check("queue", "queue", _broken, 1.0, scope="storage"),
            ]
            found = await examine(one, checks, 100.0, lambda _: None)
        assert [finding.verdict for finding in found] == [
            NotChecked("MEDIA_URL is missing"),
            NotChecked("no token: see identity.storage"),
        ]

    run(scenario())


def test_a_reader_that_has_gone_ends_it_as_a_closed_pipe_does() -> None:
    def gone(_: Finding) -> None:
        raise BrokenPipeError

    async def scenario() -> None:
        async with patient() as one:
            with pytest.raises(BrokenPipeError):
                await examine(one, [_after(1, [], "a1"), _after(2, [], "b1")], 100.0, gone)

    run(scenario())
