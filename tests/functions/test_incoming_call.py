"""From a ringing phone to the answer: the function in the real runtime, in virtual time."""

import asyncio
import dataclasses

import pytest

from simulator.acs_switches import AcsSwitches
from simulator.acs_switches import Fault as AcsFault
from simulator.event_grid import EventGridSwitches, Schema
from switchboard.record import Answered
from switchboard.session import traceparent_of
from tests.functions.deployment import (
    AGENTS,
    CALLER,
    NUMBER,
    OTHER_NUMBER,
    PATIENT,
    deployment,
    leaves_after,
)
from tests.virtual_time import run


@pytest.mark.parametrize("schema", ["eventgrid", "cloudevents"])
def test_a_ringing_phone_is_answered_within_a_second(schema: Schema) -> None:
    async def call() -> None:
        async with deployment(schema=schema) as d:
            ringing = await d.ring(leaves_after(5))
            outcome = await ringing.ended()
            assert (outcome.answered, outcome.ended_by) == (True, "caller")
            answered = ringing.timeline.first("answered")
            assert answered is not None
            assert answered.at - ringing.rang_at < 1
            (record,) = d.records()
            assert record.state == Answered()
            assert record.connection_id is not None
            descriptor = record.descriptor
            assert (descriptor.called, descriptor.caller) == (f"4:{NUMBER}", f"4:{CALLER}")
            assert descriptor.agent.name == "reception"
            assert descriptor.traceparent is not None  # the invocation's, not one of our own making
            assert descriptor.traceparent != traceparent_of(record.call_id, None)
            assert d.sockets[0].startswith(f"/media/{record.call_id}/")
            assert d.statuses() == [202]

    run(call())


@pytest.mark.parametrize("caller", ["anonymous", "8:acs:5b1c1d2e_0001", CALLER])
@pytest.mark.parametrize("called", [NUMBER, OTHER_NUMBER])
def test_every_kind_of_caller_is_answered(caller: str, called: str) -> None:
    async def call() -> None:
        async with deployment() as d:
            outcome = await (await d.ring(leaves_after(1), from_=caller, to=called)).ended()
            assert outcome.answered

    run(call())


def test_a_teams_phone_resource_account_is_answered() -> None:
    async def call() -> None:
        account = "28:orgid:cc123456-5678-5678-1234-ccc123456789"
        async with deployment(agents=AGENTS + f'"{account}" = "sales"\n') as d:
            assert (await (await d.ring(leaves_after(1), to=account)).ended()).answered
            assert d.records()[0].descriptor.agent.name == "sales"

    run(call())


@pytest.mark.parametrize("repeatability", [True, False])
def test_a_hundred_deliveries_make_one_answer_one_record_and_one_message(
    repeatability: bool,
) -> None:
    async def call() -> None:
        deliveries = EventGridSwitches(copies=100, spread_s=6)
        async with deployment(AcsSwitches(repeatability=repeatability), deliveries) as d:
            ringing = await d.ring(leaves_after(10))
            assert (await ringing.ended()).answered
            assert len(ringing.timeline.all("answered")) == 1
            assert len(d.records()) == 1
            assert d.messages() == 1
            assert d.statuses() == [202] * 100

    run(call())


def test_a_call_passed_from_one_number_to_another_is_answered_by_the_second_agent() -> None:
    async def call() -> None:
        switches = AcsSwitches(faults=[AcsFault("answer", delay_s=3)])
        async with deployment(switches) as d:
            ringing = await d.ring(leaves_after(3))
            await ringing.pass_on(f"4:{OTHER_NUMBER}")
            assert (await ringing.ended()).answered
            agents = {record.descriptor.agent.name for record in d.records()}
            assert agents == {"reception", "sales"}

    run(call())


def test_with_managed_identity_over_tls_a_call_is_answered_and_its_callbacks_are_believed() -> None:
    async def call() -> None:
        async with deployment(tokens=True) as d:
            ringing = await d.ring(leaves_after(5))
            assert (await ringing.ended()).answered
            heard = {entry.detail["status"] for entry in ringing.timeline.all("callback")}
            assert heard == {200}
            assert isinstance(d.records()[0].state, Answered)

    run(call())


def test_an_unmapped_number_is_rejected_politely_and_event_grid_is_content() -> None:
    async def call() -> None:
        async with deployment(UNMAPPED="reject") as d:
            ringing = await d.ring(PATIENT, to="+15550100055")
            outcome = await ringing.ended()
            assert outcome.ended_by == "rejected"
            rejected = ringing.timeline.first("rejected")
            assert rejected is not None
            assert rejected.detail["reason"] == "busy"
            await asyncio.sleep(0.1)
            assert d.statuses() == [202]
            assert (d.records(), d.messages()) == ([], 0)

    run(call())


def test_an_identity_that_may_be_anothers_is_left_ringing() -> None:
    async def call() -> None:
        async with deployment() as d:
            ringing = await d.ring(PATIENT, to="28:orgid:another-app")
            assert (await ringing.ended()).ended_by == "nobody"
            assert d.statuses() == [202]
            assert (d.records(), d.messages()) == ([], 0)

    run(call())


def test_an_event_that_comes_too_late_is_not_answered() -> None:
    async def call() -> None:
        async with deployment(event_switches=EventGridSwitches(delay_s=26)) as d:
            assert not (await (await d.ring()).ended()).answered
            assert d.records() == []

    run(call())


def test_an_incomplete_environment_is_told_by_name_and_fails_the_delivery() -> None:
    async def call() -> None:
        async with deployment(MEDIA_URL="", CALLBACK_URL="") as d:
            assert not (await (await d.ring()).ended()).answered
            assert d.statuses()[0] == 500
            assert "MEDIA_URL: is missing" in d.host.failures[0]
            assert "CALLBACK_URL: is missing" in d.host.failures[0]

    run(call())


def test_no_log_line_shows_a_number_a_token_or_the_context(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG", logger="switchboard")

    async def call() -> set[str]:
        async with deployment() as d:
            ringing = await d.ring(leaves_after(5))
            await ringing.ended()
            other = await d.ring(PATIENT, to="28:orgid:another-app")
            await other.ended()
            _, call_id, token = d.sockets[0].strip("/").split("/")
            assert call_id in caplog.text
            return {NUMBER, CALLER, token, ringing.rings[0].context[:100]}

    for secret in run(call()):
        assert secret.removeprefix("+") not in caplog.text


def test_both_urls_carry_tokens_that_only_this_calls_record_knows() -> None:
    async def call() -> None:
        async with deployment() as d:
            await (await d.ring(leaves_after(1))).ended()
            await (await d.ring(leaves_after(1))).ended()
            first, second = d.records()
            hashes = {
                getattr(record, field.name)
                for record in (first, second)
                for field in dataclasses.fields(record)
                if field.name.endswith("token_hash")
            }
            assert len(hashes) == 4
            tokens = {path.rsplit("/", 1)[1] for path in d.sockets}
            stored = b"".join(d.storage.blobs("records").values()).decode()
            assert not any(token in stored for token in tokens)

    run(call())
