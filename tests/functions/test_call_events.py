"""The callback function in the real runtime: who is heard, and what a call without media gets."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from simulator.acs_switches import AcsSwitches
from simulator.event_grid import EventGridSwitches
from simulator.keys import SigningKey
from simulator.storage import Fault as StorageFault
from switchboard.end_reason import EndReason
from switchboard.record import Answered, Ended
from tests.functions.deployment import (
    FALLBACK,
    OTHER_NUMBER,
    Deployment,
    deployment,
    leaves_after,
)
from tests.virtual_time import run


async def an_answered_call(d: Deployment) -> str:
    """Rings, and gives the callback URL that ACS got for the call."""
    await d.ring(leaves_after(600))
    await asyncio.sleep(5)
    answer = json.loads(d.acs.answers()[-1][2])
    return str(answer["callbackUri"])


def event(kind: str, **data: Any) -> dict[str, Any]:
    body = {"callConnectionId": "411f0b00-0000-4000-8000-00155d012345"} | data
    return {"specversion": "1.0", "type": f"Microsoft.Communication.{kind}", "data": body}


async def post(url: str, token: str | None, body: object = (), *, raw: bytes | None = None) -> int:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    data = json.dumps(body).encode() if raw is None else raw
    async with aiohttp.ClientSession() as http, http.post(url, data=data, headers=headers) as reply:
        return reply.status


def test_every_reply_bears_our_mark_so_that_it_is_told_from_a_proxys() -> None:
    async def ask() -> None:
        async with deployment() as d, aiohttp.ClientSession() as http:
            url = f"{d.host.url}/api/calls/20261126-0123456789abcdef01234567/{'t' * 43}"
            async with http.post(url) as reply:
                assert reply.status == 401
                assert reply.headers["x-switchboard"] == "call_events"

    run(ask())


def test_a_callback_needs_the_services_own_token_for_our_resource() -> None:
    async def call() -> None:
        async with deployment() as d:
            url = await an_answered_call(d)
            now = d.acs.token
            assert await post(url, now(), [event("PlayCompleted")]) == 200
            assert await post(url, None, [event("PlayCompleted")]) == 401
            assert await post(url, "garbage") == 401
            assert await post(url, now(aud="another-resource")) == 401
            assert await post(url, now(iss="https://login.example")) == 401
            assert await post(url, now(life_s=-120)) == 401
            forged = SigningKey().sign({"iss": d.acs.issuer, "aud": d.acs.immutable_id})
            assert await post(url, forged) == 401

    run(call())


def test_a_callback_needs_its_own_calls_token_too() -> None:
    async def call() -> None:
        async with deployment() as d:
            first, second = await an_answered_call(d), await an_answered_call(d)
            base, call_id, token = first.rsplit("/", 2)
            for url in (
                first.replace(token, second.rsplit("/", 1)[1]),
                f"{base}/{call_id[:-1]}{'0' if call_id[-1] != '0' else '1'}/{token}",
                f"{base}/{call_id}/{token[:-1]}",
                f"{base}/{call_id}/{d.sockets[0].rsplit('/', 1)[1]}",
                f"{base}/..%2F{call_id}/{token}",
                f"{base}/{'x' * 5000}/{token}",
            ):
                assert await post(url, d.acs.token(), [event("CallConnected")]) == 403

    run(call())


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"\xff\xfe", 400),
        (b"[[[[", 400),
        (b"[" * 100_000, 400),
        (b'"text"', 400),
        (b"[1, null, {}]", 400),
        (b"[]", 200),
        (b" " * 300_000, 400),
        (json.dumps([event("NobodyKnowsThisOne")]).encode(), 200),
        (json.dumps(event("PlayCompleted")).encode(), 200),
        (json.dumps([{"type": 5}, event("PlayFailed"), "x"]).encode(), 200),
        (json.dumps([event("PlayFailed", resultInformation="?")]).encode(), 200),
        (json.dumps([event("CallConnected", callConnectionId="../../x")]).encode(), 400),
    ],
)
def test_a_body_that_is_no_list_of_events_is_a_bad_request_and_an_unknown_event_is_not(
    body: bytes, status: int
) -> None:
    async def call() -> None:
        async with deployment() as d:
            url = await an_answered_call(d)
            assert await post(url, d.acs.token(), raw=body) == status

    run(call())


def test_every_event_of_an_ordinary_call_is_accepted_and_moves_nothing() -> None:
    async def call() -> None:
        async with deployment() as d:
            ringing = await d.ring(leaves_after(10))
            await ringing.ended()
            await asyncio.sleep(1)
            seen = {e.detail["type"]: e.detail["status"] for e in ringing.timeline.all("callback")}
            assert {"CallConnected", "MediaStreamingStarted", "CallDisconnected"} <= seen.keys()
            assert set(seen.values()) == {200}
            assert d.records()[0].state == Answered()
            assert ringing.timeline.all("streaming_start_asked") == []

    run(call())


@pytest.mark.parametrize("subscription", ["truthful", "absent"])
@pytest.mark.parametrize("told", ["by MediaStreamingFailed", "by silence alone"])
def test_a_caller_whose_media_never_comes_hears_an_apology_and_is_hung_up_on(
    told: str, subscription: Any
) -> None:
    async def call() -> None:
        copies = {"MediaStreamingFailed": 0} if told == "by silence alone" else {}
        switches = AcsSwitches(
            media_unreachable=True, callback_copies=copies, subscription=subscription
        )
        async with deployment(switches) as d:
            ringing = await d.ring()
            outcome = await ringing.ended()
            assert outcome.ended_by == "agent"
            (said,) = ringing.timeline.all("announcement")
            assert "technical problem" in said.detail["text"]
            assert len(ringing.timeline.all("streaming_start_asked")) == 1
            await asyncio.sleep(1)
            assert d.records()[0].state == Ended(EndReason.MEDIA_FAILED)

    run(call())


def test_a_caller_whose_number_has_a_fallback_is_transferred_after_the_apology() -> None:
    async def call() -> None:
        async with deployment(AcsSwitches(media_unreachable=True)) as d:
            ringing = await d.ring(to=OTHER_NUMBER)
            outcome = await ringing.ended()
            assert outcome.ended_by == "transfer"
            (asked,) = ringing.timeline.all("transfer_asked")
            assert asked.detail["to"] == f"4:{FALLBACK}"
            assert len(ringing.timeline.all("announcement")) == 1
            await asyncio.sleep(3)
            assert d.records()[0].state == Ended(EndReason.TRANSFERRED)

    run(call())


def test_callbacks_that_come_twice_make_one_apology_and_one_hang_up() -> None:
    async def call() -> None:
        copies = {"MediaStreamingFailed": 2, "MediaStreamingStopped": 2, "CallConnected": 2}
        switches = AcsSwitches(media_unreachable=True, callback_copies=copies)
        async with deployment(switches, EventGridSwitches(copies=3)) as d:
            ringing = await d.ring()
            await ringing.ended()
            assert len(ringing.timeline.all("announcement")) == 1
            assert len(ringing.timeline.all("hang_up_asked")) == 1

    run(call())


def test_while_the_records_are_down_callbacks_are_told_to_come_again() -> None:
    async def call() -> None:
        async with deployment() as d:
            url = await an_answered_call(d)
            d.storage.faults.append(StorageFault(operation="GetBlob", times=99, status=503))
            assert await post(url, d.acs.token(), [event("PlayCompleted")]) == 503

    run(call())
