"""Event Grid, as it delivers a system topic's events to a webhook.

Source: Event Grid docs "delivery and retry", "endpoint validation with the Event Grid schema" and
"with CloudEvents schema", "dead-letter"; for IncomingCall the Azure Communication Services page
recommends 2 attempts and one minute of life.
"""

import asyncio
import json
import random
import uuid
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Literal

import aiohttp

from simulator.acs_wire import iso_time
from simulator.clock import wall_now
from simulator.incoming import INCOMING_CALL

RESPONSE_LIMIT_S = 30.0
"""A delivery that is not answered in 30 s has failed."""
RETRY_AFTER_S = (10.0, 30.0, 60.0, 300.0, 600.0, 1800.0, 3600.0)
"""After each failure; the last is repeated."""
SUCCESS = frozenset({200, 201, 202, 203, 204})
NEVER_AGAIN = frozenset({400, 401, 403, 413})
"""These webhook answers are not retried but dead-lettered at once."""
LEAST_WAIT_S = {404: 300.0, 408: 120.0, 503: 30.0}

Schema = Literal["eventgrid", "cloudevents"]


@dataclass(frozen=True)
class Event:
    """One event of a topic, in neither schema yet."""

    subject: str
    data: dict[str, Any]
    type: str = INCOMING_CALL
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    wall: float = field(default_factory=wall_now)
    """When it happened: wall time."""

    def to_json(self, topic: str, schema: Schema) -> dict[str, Any]:
        """The event as it is delivered. `topic` is the resource's ARM id."""
        time = iso_time(self.wall, zone="Z")
        common = {"id": self.id, "subject": self.subject, "data": self.data}
        if schema == "cloudevents":
            return {
                **common,
                "specversion": "1.0",
                "type": self.type,
                "source": topic,
                "time": time,
            }
        return {
            **common,
            "topic": topic,
            "eventType": self.type,
            "eventTime": time,
            "dataVersion": "1.0",
            "metadataVersion": "1",
        }


@dataclass(frozen=True)
class Subscription:
    """Where a topic's events go. Defaults: what the IncomingCall docs recommend."""

    endpoint: str
    name: str = "incoming-call"
    schema: Schema = "eventgrid"
    max_attempts: int = 2
    ttl_s: float = 60.0
    types: tuple[str, ...] = (INCOMING_CALL,)


@dataclass
class EventGridSwitches:
    """At-least-once delivery has many faces."""

    delay_s: float = 0.0
    """Before the first delivery."""
    copies: int = 1
    """How often each event is delivered, each copy with retries of its own."""
    spread_s: float = 0.0
    """The copies come at random moments within so many seconds."""
    jitter_s: float = 0.0
    """Added at random to each wait before a retry, which is randomised in Azure."""
    seed: int = 1


@dataclass(frozen=True)
class DeadLetter:
    """An event that was given up, as the dead-letter container would hold it."""

    event: dict[str, Any]
    reason: Literal["MaxDeliveryAttemptsExceeded", "TimeToLiveExceeded", "UndeliverableDueToStatus"]
    attempts: int
    last_outcome: str

    def to_json(self) -> dict[str, Any]:
        """The dead-letter record's own properties added to the event."""
        return {
            **self.event,
            "deadLetterReason": self.reason,
            "deliveryAttempts": self.attempts,
            "lastDeliveryOutcome": self.last_outcome,
        }


@dataclass(frozen=True)
class Delivery:
    """One attempt: when (loop time), which, and the status it got (None: no answer in time)."""

    at: float
    event_id: str
    number: int
    status: int | None


class HandshakeFailed(Exception):
    """The endpoint did not prove that it wants the events."""


class EventGrid:
    """One system topic with its subscriptions; an async context manager."""

    def __init__(self, topic: str, switches: EventGridSwitches | None = None) -> None:
        self.topic = topic
        self.switches = switches or EventGridSwitches()
        self.deliveries: list[Delivery] = []
        self.dead_letters: list[DeadLetter] = []
        self._random = random.Random(self.switches.seed)
        self._subscriptions: dict[str, Subscription] = {}
        self._stack = AsyncExitStack()
        self._tasks = asyncio.TaskGroup()
        self._running: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "EventGrid":
        await self._stack.enter_async_context(self._tasks)
        connector = aiohttp.TCPConnector(limit=0)
        self._http = await self._stack.enter_async_context(
            aiohttp.ClientSession(connector=connector)
        )
        return self

    async def __aexit__(self, *error: object) -> None:
        for task in self._running:
            task.cancel()
        await self._stack.aclose()  # not told of `error`, which would come back as a group

    async def subscribe(self, subscription: Subscription) -> None:
        """Creates (or replaces) a subscription, after the handshake. Raises HandshakeFailed."""
        try:
            async with asyncio.timeout(RESPONSE_LIMIT_S):
                if subscription.schema == "cloudevents":
                    await self._ask_for_deliveries(subscription)
                else:
                    await self._validate(subscription)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise HandshakeFailed(f"{subscription.endpoint}: {error!r}") from error
        self._subscriptions[subscription.name] = subscription

    async def _validate(self, subscription: Subscription) -> None:
        """SubscriptionValidation: 200 with the code, and nothing else, proves it."""
        code = str(uuid.uuid4())
        event = Event(
            "",
            {"validationCode": code, "validationUrl": "https://eventgrid.invalid/validate"},
            type="Microsoft.EventGrid.SubscriptionValidationEvent",
        ).to_json(self.topic, "eventgrid")
        headers = self._headers(subscription, "SubscriptionValidation", 0)
        async with self._http.post(
            subscription.endpoint, data=json.dumps([event]), headers=headers
        ) as response:
            text = await response.text()
            try:
                echoed = json.loads(text).get("validationResponse")
            except (ValueError, AttributeError):
                echoed = None
            if response.status != 200 or echoed != code:
                raise HandshakeFailed(f"{subscription.endpoint}: {response.status} {text[:200]}")

    async def _ask_for_deliveries(self, subscription: Subscription) -> None:
        """The CloudEvents webhook handshake."""
        headers = {"WebHook-Request-Origin": "eventgrid.azure.net", "WebHook-Request-Rate": "120"}
        async with self._http.options(subscription.endpoint, headers=headers) as response:
            allowed = response.headers.get("WebHook-Allowed-Origin")
            if response.status != 200 or allowed not in ("*", "eventgrid.azure.net"):
                raise HandshakeFailed(f"{subscription.endpoint}: {response.status}, {allowed}")

    def publish(self, event: Event) -> None:
        """Takes an event; delivery to every subscription begins at once, beside the caller."""
        for subscription in self._subscriptions.values():
            if event.type in subscription.types:
                for copy in range(self.switches.copies):
                    spread = self.switches.spread_s
                    late = self._random.uniform(0, spread) if copy and spread else 0.0
                    self._start(self._deliver_late(event, subscription, late))

    async def publish_call(self, subject: str, data: dict[str, Any]) -> None:
        """What `Acs` takes as `publish`."""
        self.publish(Event(subject, data))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._tasks.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _deliver_late(self, event: Event, subscription: Subscription, late: float) -> None:
        await asyncio.sleep(self.switches.delay_s + late)
        await self.deliver(event, subscription)

    async def deliver(self, event: Event, subscription: Subscription) -> bool:
        """Delivers with retries; False if the event was given up, and dead-lettered."""
        loop = asyncio.get_running_loop()
        wire = event.to_json(self.topic, subscription.schema)
        given_up = wall_now() + subscription.ttl_s
        for number in range(subscription.max_attempts):
            began = loop.time()
            status = await self._attempt(wire, subscription, number)
            self.deliveries.append(Delivery(began, event.id, number, status))
            outcome = "TimedOut" if status is None else f"HTTP {status}"
            if status in SUCCESS:
                return True
            if status in NEVER_AGAIN:
                self._bury(wire, "UndeliverableDueToStatus", number + 1, outcome)
                return False
            if number + 1 == subscription.max_attempts:
                self._bury(wire, "MaxDeliveryAttemptsExceeded", number + 1, outcome)
                return False
            wait = RETRY_AFTER_S[min(number, len(RETRY_AFTER_S) - 1)]
            wait = max(wait, LEAST_WAIT_S.get(status or 0, 0.0))
            wait += self._random.uniform(0, self.switches.jitter_s)
            if wall_now() + wait > given_up:
                self._bury(wire, "TimeToLiveExceeded", number + 1, outcome)
                return False
            await asyncio.sleep(wait)
        return False

    def _bury(self, wire: dict[str, Any], reason: Any, attempts: int, outcome: str) -> None:
        self.dead_letters.append(DeadLetter(wire, reason, attempts, outcome))

    async def _attempt(
        self, wire: dict[str, Any], subscription: Subscription, number: int
    ) -> int | None:
        single = subscription.schema == "cloudevents"
        body = json.dumps(wire if single else [wire])
        headers = self._headers(subscription, "Notification", number)
        try:
            async with asyncio.timeout(RESPONSE_LIMIT_S):
                async with self._http.post(
                    subscription.endpoint, data=body, headers=headers
                ) as response:
                    await response.read()
                    return response.status
        except (TimeoutError, aiohttp.ClientError, OSError):
            return None

    def _headers(self, subscription: Subscription, kind: str, number: int) -> dict[str, str]:
        cloud = subscription.schema == "cloudevents"
        return {
            "Content-Type": "application/cloudevents+json; charset=utf-8"
            if cloud
            else "application/json; charset=utf-8",
            "aeg-event-type": kind,
            "aeg-subscription-name": subscription.name.upper(),
            "aeg-delivery-count": str(number),
            "aeg-data-version": "" if cloud else "1.0",
            "aeg-metadata-version": "1",
        }
