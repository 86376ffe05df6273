"""What an admin sees of a call: one trace, and metrics that say what the caller went through."""

import asyncio
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from media_worker.app import serving
from media_worker.settings import Settings
from simulator.audio import placeholder
from simulator.script import (
    AfterAgent,
    AfterWait,
    AgentScript,
    CallerScript,
    DuringAgent,
    Expect,
    HangUp,
    Say,
    Stay,
    Step,
    Utterance,
)
from simulator.voice_live_switches import VoiceLiveSwitches
from switchboard.record import CallRecord
from tests.calls import test_person
from tests.calls.test_recovery import TWO_QUESTIONS, drop_socket
from tests.calls.test_takeover import ASKS_AGAIN_LATER, lead_to
from tests.calls.whole import whole
from tests.media_worker.telemetry.collected import Collected, tree
from tests.virtual_time import run

PATIENT = CallerScript((Step(Stay(), AfterWait(0)),), Expect(greeted=False))
GREETING = "Hello, you have reached Harbour Cycles."
LONG_GREETING = AgentScript((), {GREETING: Utterance(GREETING, placeholder(GREETING * 9, 24_000))})
INTERRUPTS = CallerScript(
    (
        Step(Say(Utterance("Stop.")), DuringAgent(2000)),
        Step(HangUp(), AfterAgent(), limit_s=60),
    ),
    Expect(ended_by="caller", interruptions=1),
)
RECEPTION = ("reception", "voice_live")


def of_trace(span: ReadableSpan) -> str:
    """As in a `traceparent`: trace id and the parent's span id."""
    assert span.context is not None
    assert span.parent is not None
    return f"{span.context.trace_id:032x}-{span.parent.span_id:016x}"


def answered_in(record: CallRecord) -> str:
    """Trace id and span id of the invocation that answered this call."""
    assert record.descriptor.traceparent is not None
    return record.descriptor.traceparent[3:-3]


def seconds(span: ReadableSpan) -> float:
    assert span.start_time is not None
    assert span.end_time is not None
    return (span.end_time - span.start_time) / 1e9


def test_a_call_is_one_trace_from_the_answer_to_the_end(tmp_path: Path) -> None:
    async def scenario() -> None:
        seen = Collected()
        async with whole(tmp_path, telemetry=seen.telemetry) as system:
            await (await system.call(TWO_QUESTIONS)).ended()
            await system.settled()
            (record,) = system.records()
        call = seen.one("switchboard.call")
        assert of_trace(call) == answered_in(record)
        assert sorted(tree(seen.spans())) == [
            ("switchboard.call", "remote"),
            ("switchboard.call.take", "switchboard.call"),
            ("switchboard.media.resume", "switchboard.call"),
            ("switchboard.recovery", "switchboard.call"),
            *[("switchboard.turn", "switchboard.call")] * 3,
            ("telephony.agent_session.connect", "switchboard.call"),
            ("telephony.media.connect", "switchboard.call"),
        ]
        phases = ["media_connected", "agent_session_ready", "bridging", "completed"]
        assert [event.name for event in call.events] == phases
        assert call.attributes == {
            "switchboard.call_id": record.call_id,
            "switchboard.agent": "reception",
            "switchboard.bridge": "voice_live",
            "switchboard.resumed": False,
            "switchboard.end_reason": "caller_hung_up",
            "telephony.phase": "completed",
        }
        agent = [turn for turn in record.turns if turn.speaker == "agent"]
        for span, turn in zip(seen.spans("switchboard.turn"), agent, strict=True):
            attributes = span.attributes or {}
            assert attributes["switchboard.turn.status"] == "completed"
            assert attributes["switchboard.turn.interrupted"] is False
            assert attributes.get("switchboard.turn.reply_ms") == turn.reply_latency_ms
            assert attributes["gen_ai.usage.output_tokens"]
            first = span.events[0].timestamp
            assert call.start_time is not None
            assert (first - call.start_time) / 1e6 == turn.started_ms
            assert span.end_time is not None
            assert (span.end_time - call.start_time) / 1e6 == turn.ended_ms

    run(scenario())


def test_the_metrics_are_what_the_caller_went_through(tmp_path: Path) -> None:
    async def scenario() -> None:
        seen = Collected()
        async with whole(tmp_path, telemetry=seen.telemetry) as system:
            calls = [await system.call(TWO_QUESTIONS) for _ in range(2)]
            await asyncio.sleep(5)
            assert seen.numbers("switchboard.calls.live") == {(): 2}
            await asyncio.sleep(0)
            for call in calls:
                await call.ended()
            await system.settled()
            records = system.records()
        assert seen.numbers("switchboard.calls.live") == {(): 0}
        assert seen.numbers("switchboard.calls.ended") == {(*RECEPTION, "caller_hung_up"): 2}
        assert seen.numbers("switchboard.bridge.errors") == {}
        latencies = [
            turn.reply_latency_ms
            for record in records
            for turn in record.turns
            if turn.reply_latency_ms is not None
        ]
        assert seen.histogram("switchboard.turn.reply_ms") == {
            RECEPTION: (4, min(latencies), max(latencies))
        }
        first = [span.events[0].timestamp / 1e6 for span in seen.spans("switchboard.turn")][:2]
        rung = [record.descriptor.rung_at * 1000 for record in records]
        waits = [round(at - since, 1) for at, since in zip(first, rung, strict=True)]
        assert seen.histogram("switchboard.call.setup_ms") == {
            RECEPTION: (2, min(waits), max(waits))
        }
        count, least, greatest = seen.histogram("switchboard.loop.lag_ms")[()]
        assert count > 40
        assert (least, greatest) == (0, 0)

    run(scenario())


def test_an_interruption_is_measured_from_the_callers_first_sound(tmp_path: Path) -> None:
    async def scenario() -> None:
        seen = Collected()
        async with whole(tmp_path, scripts=[LONG_GREETING], telemetry=seen.telemetry) as system:
            call = await system.call(INTERRUPTS)
            assert (await call.ended()).as_scripted
            await system.settled()
            assert call.line is not None
            ((stopped_at, _),) = call.line.stops
            spoke = call.timeline.first("caller_speech_started")
            assert spoke is not None
            stop_ms = (stopped_at - spoke.at) * 1000
        ((count, *measured),) = seen.histogram("switchboard.barge_in.stop_ms").values()
        assert count == 1
        assert measured == pytest.approx([stop_ms, stop_ms])
        cut = seen.spans("switchboard.turn")[0]
        assert (cut.attributes or {})["switchboard.turn.interrupted"] is True
        assert cut.end_time is not None
        heard_ms = (cut.attributes or {})["switchboard.turn.heard_ms"]
        assert heard_ms == round((cut.end_time - cut.events[0].timestamp) / 1e6)

    run(scenario())


def test_a_call_that_changes_its_worker_stays_in_its_trace_and_counts_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        before, after = Collected(), Collected()
        async with whole(tmp_path, telemetry=before.telemetry) as system:
            env = system.world.endpoints.worker_env(port=0)
            async with serving(Settings.from_env(env), after.telemetry) as other:
                call = await system.call(ASKS_AGAIN_LATER)
                await asyncio.sleep(8)
                lead_to(other, call, away_from=system.worker)
                await system.worker.drain(6)
                assert after.numbers("switchboard.calls.live") == {(): 1}
                await call.ended()
                while other.live_calls:
                    await asyncio.sleep(0.1)
            await system.settled()
            (record,) = system.records()
        for seen, resumed in ((before, False), (after, True)):
            span = seen.one("switchboard.call")
            assert of_trace(span) == answered_in(record)
            assert (span.attributes or {})["switchboard.resumed"] is resumed
            assert all(
                s.context and span.context and s.context.trace_id == span.context.trace_id
                for s in seen.spans()
            )
        left = before.one("switchboard.call").attributes or {}
        assert left["switchboard.left"] == "unrecorded"
        handed_on = before.one("switchboard.recovery").attributes or {}
        assert handed_on["switchboard.doubt"] == "HandOver"
        assert before.numbers("switchboard.calls.ended") == {}
        assert after.numbers("switchboard.calls.ended") == {(*RECEPTION, "caller_hung_up"): 1}
        assert before.histogram("switchboard.call.setup_ms")[RECEPTION][0] == 1
        assert after.histogram("switchboard.call.setup_ms") == {}

    run(scenario())


def test_a_dropped_socket_and_its_recovery_are_in_the_trace(tmp_path: Path) -> None:
    async def scenario() -> None:
        seen = Collected()
        async with whole(tmp_path, telemetry=seen.telemetry) as system:
            call = await system.call(TWO_QUESTIONS)
            await asyncio.sleep(6)
            await drop_socket(call)
            await call.ended()
            await system.settled()
        outcomes = [
            (span.name, (span.attributes or {})["switchboard.outcome"])
            for span in seen.spans()
            if span.name in ("switchboard.media.resume", "switchboard.recovery")
        ]
        assert ("switchboard.media.resume", "resumed") in outcomes
        assert ("switchboard.media.resume", "gone") in outcomes
        assert ("switchboard.recovery", "healthy") in outcomes
        events = [event.name for event in seen.one("switchboard.call").events]
        assert "media_reconnected" in events

    run(scenario())


def test_a_service_that_refuses_is_counted_by_its_code_and_fails_the_trace(tmp_path: Path) -> None:
    async def scenario() -> None:
        seen = Collected()
        refuses = VoiceLiveSwitches(refuse_status=401)
        async with whole(tmp_path, voice_live=refuses, telemetry=seen.telemetry) as system:
            await (await system.call(PATIENT)).ended()
            await system.settled()
        assert seen.numbers("switchboard.bridge.errors") == {("voice_live", "http_401"): 1}
        assert seen.numbers("switchboard.calls.ended") == {(*RECEPTION, "transferred"): 1}
        call, connect = (
            seen.one(name) for name in ("switchboard.call", "telephony.agent_session.connect")
        )
        assert (call.attributes or {})["telephony.phase"] == "failed"
        assert {call.status.status_code, connect.status.status_code} == {StatusCode.ERROR}
        assert (connect.attributes or {})["switchboard.outcome"] == "http_401"
        assert seconds(seen.one("switchboard.call.apologise")) > 1

    run(scenario())


def test_a_refused_socket_is_in_the_trace_of_its_call(tmp_path: Path) -> None:
    async def scenario() -> None:
        seen = Collected()
        other = {"ACS_IMMUTABLE_RESOURCE_ID": "00000000-0000-4000-8000-000000000000"}
        async with whole(tmp_path, worker_env=other, telemetry=seen.telemetry) as system:
            await (await system.call(PATIENT)).ended()
            await system.settled()
            (record,) = system.records()
        refusals = seen.spans("telephony.media.connect")
        assert refusals
        for refusal in refusals:
            assert of_trace(refusal) == answered_in(record)
            assert (refusal.attributes or {})["switchboard.outcome"] == "aud"
            assert refusal.status.status_code is StatusCode.ERROR
        assert not seen.spans("switchboard.call")

    run(scenario())


def test_a_caller_who_is_put_through_has_the_transfer_in_the_trace(tmp_path: Path) -> None:
    async def scenario() -> None:
        seen = Collected()
        wants = CallerScript((test_person.ASK, Step(Stay())), Expect(ended_by="any"))
        async with whole(tmp_path, scripts=[test_person.AGENT], telemetry=seen.telemetry) as system:
            assert (await (await system.call(wants)).ended()).ended_by == "transfer"
            await system.settled()
        transfer = seen.one("telephony.call.transfer")
        assert (transfer.attributes or {})["switchboard.outcome"] == "transferred"
        assert ("telephony.call.transfer", "switchboard.call") in tree(seen.spans())
        assert seen.numbers("switchboard.calls.ended") == {(*RECEPTION, "transferred"): 1}
        assert (seen.one("switchboard.call").attributes or {})["telephony.phase"] == "completed"

    run(scenario())
