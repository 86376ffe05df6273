"""Event Grid's deliveries: handshake, headers, retries, duplicates, dead letters."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from simulator.acs import RESOURCE_ID
from simulator.event_grid import (
    Event,
    EventGrid,
    EventGridSwitches,
    HandshakeFailed,
    Schema,
    Subscription,
)
from simulator.incoming import incoming_call_context, incoming_call_data, subject
from simulator.serving import serve
from tests.virtual_time import run


@dataclass
class Webhook:
    """Takes deliveries; answers them with `statuses` in turn, then with 200."""

    url: str = ""
    echo: bool = True
    statuses: list[int] = field(default_factory=list)
    stall_s: list[float] = field(default_factory=list)
    events: list[Any] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    at: list[float] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        if request.method == "OPTIONS":
            origin = request.headers["WebHook-Request-Origin"]
            return web.Response(headers={"WebHook-Allowed-Origin": origin} if self.echo else {})
        body = await request.json()
        if request.headers["aeg-event-type"] == "SubscriptionValidation":
            code = body[0]["data"]["validationCode"] if self.echo else "wrong"
            return web.json_response({"validationResponse": code})
        self.at.append(asyncio.get_running_loop().time())
        self.headers.append(dict(request.headers))
        self.events.append(body)
        if self.stall_s:
            await asyncio.sleep(self.stall_s.pop(0))
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)


@asynccontextmanager
async def _delivering(
    switches: EventGridSwitches | None = None, **subscription: Any
) -> AsyncIterator[tuple[EventGrid, Webhook]]:
    webhook = Webhook()
    app = web.Application()
    app.router.add_route("*", "/hook", webhook.answer)
    async with serve(app) as url, EventGrid(RESOURCE_ID, switches) as grid:
        webhook.url = f"{url}/hook"
        await grid.subscribe(Subscription(webhook.url, **subscription))
        yield grid, webhook


def _call() -> Event:
    to, from_ = "4:+15550001111", "4:+14255550123"
    data = incoming_call_data(to, from_, "19e93701-0000", incoming_call_context("x"))
    return Event(subject(to, from_), data)


@pytest.mark.parametrize("schema", ["eventgrid", "cloudevents"])
def test_an_incoming_call_is_delivered_in_its_schema_with_the_headers(schema: Schema) -> None:
    async def body() -> None:
        async with _delivering(schema=schema) as (grid, webhook):
            event = _call()
            grid.publish(event)
            await asyncio.sleep(1)
            (headers,), (delivered,) = webhook.headers, webhook.events
            assert headers["aeg-event-type"] == "Notification"
            assert headers["aeg-delivery-count"] == "0"
            if schema == "eventgrid":
                (wire,) = delivered
                assert (wire["topic"], wire["eventType"]) == (RESOURCE_ID, event.type)
                assert wire["eventTime"].endswith("Z")
            else:
                wire = delivered
                assert (wire["source"], wire["type"]) == (RESOURCE_ID, event.type)
                assert wire["specversion"] == "1.0"
                assert headers["Content-Type"].startswith("application/cloudevents+json")
            assert wire["data"] == event.data
            assert wire["subject"] == "/caller/4:+14255550123/recipient/4:+15550001111"

    run(body())


@pytest.mark.parametrize("schema", ["eventgrid", "cloudevents"])
def test_an_endpoint_that_does_not_pass_the_handshake_gets_nothing(schema: Schema) -> None:
    async def body() -> None:
        async with _delivering() as (grid, webhook):
            webhook.echo = False
            with pytest.raises(HandshakeFailed):
                await grid.subscribe(Subscription(webhook.url, name="other", schema=schema))
            with pytest.raises(HandshakeFailed):
                await grid.subscribe(Subscription("http://127.0.0.1:1/", name="nobody"))
            grid.publish(_call())
            await asyncio.sleep(1)
            assert len(webhook.events) == 1

    run(body())


def test_a_failed_delivery_is_repeated_after_10_and_30_seconds() -> None:
    async def body() -> None:
        async with _delivering(max_attempts=3) as (grid, webhook):
            webhook.statuses = [500, 500, 200]
            grid.publish(_call())
            await asyncio.sleep(100)
            assert webhook.at == pytest.approx([0.0, 10.0, 40.0], abs=0.01)
            assert [h["aeg-delivery-count"] for h in webhook.headers] == ["0", "1", "2"]
            assert len({event[0]["id"] for event in webhook.events}) == 1
            assert grid.dead_letters == []

    run(body())


def test_after_the_last_attempt_the_event_is_a_dead_letter() -> None:
    async def body() -> None:
        async with _delivering() as (grid, webhook):
            webhook.statuses = [500, 503, 200]
            grid.publish(_call())
            await asyncio.sleep(100)
            assert len(webhook.events) == 2
            (letter,) = grid.dead_letters
            assert letter.to_json()["deadLetterReason"] == "MaxDeliveryAttemptsExceeded"
            assert letter.to_json()["deliveryAttempts"] == 2
            assert letter.event["data"]["correlationId"] == "19e93701-0000"

    run(body())


def test_an_event_is_given_up_when_its_time_to_live_ends() -> None:
    async def body() -> None:
        async with _delivering(max_attempts=30, ttl_s=35) as (grid, webhook):
            webhook.statuses = [500] * 30
            grid.publish(_call())
            await asyncio.sleep(500)
            assert len(webhook.events) == 2
            assert grid.dead_letters[0].reason == "TimeToLiveExceeded"

    run(body())


@pytest.mark.parametrize("status", [400, 401, 403, 413])
def test_some_refusals_are_final(status: int) -> None:
    async def body() -> None:
        async with _delivering() as (grid, webhook):
            webhook.statuses = [status]
            grid.publish(_call())
            await asyncio.sleep(500)
            assert len(webhook.events) == 1
            assert grid.dead_letters[0].reason == "UndeliverableDueToStatus"

    run(body())


def test_an_answer_later_than_30_seconds_is_none_and_busy_is_waited_for() -> None:
    async def body() -> None:
        async with _delivering(max_attempts=3, ttl_s=600) as (grid, webhook):
            webhook.stall_s = [45]
            webhook.statuses = [503, 200]
            grid.publish(_call())
            await asyncio.sleep(300)
            assert webhook.at == pytest.approx([0.0, 40.0, 70.0], abs=0.01)
            assert [delivery.status for delivery in grid.deliveries] == [None, 503, 200]

    run(body())


def test_waits_before_retries_are_random_and_equal_for_equal_seeds() -> None:
    async def body(seed: int) -> list[float]:
        switches = EventGridSwitches(jitter_s=5.0, seed=seed)
        async with _delivering(switches, max_attempts=3, ttl_s=600) as (grid, webhook):
            webhook.statuses = [500, 500, 200]
            grid.publish(_call())
            await asyncio.sleep(100)
            return webhook.at

    first, again, other = (run(body(seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert 10 < first[1] <= 15.1
    assert 40 < first[2] <= 50.1


def test_one_event_may_come_a_hundred_times() -> None:
    async def body() -> None:
        switches = EventGridSwitches(copies=100, spread_s=2.0, delay_s=0.5)
        async with _delivering(switches) as (grid, webhook):
            grid.publish(_call())
            await asyncio.sleep(5)
            assert len(webhook.events) == 100
            assert len({event[0]["id"] for event in webhook.events}) == 1
            assert min(webhook.at) >= 0.5
            assert max(webhook.at) <= 2.6

    run(body())
