"""How patient one request is: the real SDK against a stand-in, in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from switchboard.acs_calls import Accepted, CallAutomation, NoVerdict
from switchboard.azure_clients import acs_client
from switchboard.operations import Acted
from switchboard.shared_settings import Shared
from tests.switchboard.acs_stand import (
    ENVIRON,
    HANG,
    OK,
    REQUEST,
    THROTTLED,
    Reply,
    Stand,
    answer,
    using,
)
from tests.virtual_time import run


def test_throttling_without_a_retry_after_is_retried_within_ten_seconds() -> None:
    stand, verdict = answer(THROTTLED)
    assert verdict == NoVerdict("status 429")
    assert 4 <= len(stand.at) <= 6
    assert stand.at[-1] - stand.at[0] <= 10


def test_a_retry_after_is_honoured_as_long_as_the_ring_allows() -> None:
    asked = (429, {"error": {"code": "8516"}}, {"Retry-After": "3"})
    stand, verdict = answer(asked, OK)
    assert isinstance(verdict, Accepted)
    assert stand.at[1] - stand.at[0] == pytest.approx(3, abs=0.1)
    stand, verdict = answer((429, {}, {"Retry-After": "60"}), OK)
    assert isinstance(verdict, NoVerdict)
    assert len(stand.at) == 1


def test_a_service_that_hangs_gets_two_tries_in_ten_seconds() -> None:
    async def timed(calls: CallAutomation) -> tuple[object, float]:
        now = asyncio.get_running_loop().time
        began = now()
        return await calls.answer(REQUEST), now() - began

    verdict, took = using(Stand(HANG), timed)
    assert isinstance(verdict, NoVerdict)
    assert took <= 10.01


def test_no_service_at_all_is_no_verdict() -> None:
    async def ask() -> object:
        settings = Shared.from_env(ENVIRON | {"ACS_ENDPOINT": "http://127.0.0.1:1"})
        async with await asyncio.to_thread(acs_client, settings, None) as client:
            return await CallAutomation(client).answer(REQUEST)

    assert isinstance(run(ask()), NoVerdict)


@pytest.mark.parametrize("operation", ["apologise", "transfer", "hang_up", "restart"])
def test_an_act_on_a_call_that_is_not_established_yet_waits_until_it_is(operation: str) -> None:
    acts: dict[str, Callable[[CallAutomation], Awaitable[Acted]]] = {
        "apologise": lambda calls: calls.apologise("c", "Sorry."),
        "transfer": lambda calls: calls.transfer("c", "+15550100099"),
        "hang_up": lambda calls: calls.hang_up("c"),
        "restart": lambda calls: calls.restart("c"),
    }
    too_early: Reply = (400, {"error": {"code": "8501"}}, {})
    stand = Stand(too_early, too_early, (204 if operation == "hang_up" else 202, {}, {}))
    assert using(stand, acts[operation]) is Acted.DONE
    assert len(stand.at) == 3
