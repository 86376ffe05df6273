import asyncio
from dataclasses import replace

import pytest

from simulator.acs_switches import AcsSwitches
from simulator.script import AfterAgent, CallerScript, Expect, Say, Stay, Step, Utterance
from simulator.storage import Fault
from switchboard.end_reason import EndReason
from switchboard.ledger import Decided
from switchboard.moves import FirstFrame
from switchboard.record import Ended, Live, Lost
from tests.media_worker.stage import (
    HANGS_UP,
    METADATA,
    SILENT_FRAME,
    STAYS,
    Answered,
    Stage,
    break_off,
    stage,
)
from tests.virtual_time import run

GOODBYE = Utterance("Goodbye.")
SAYS_GOODBYE = CallerScript(
    (Step(Say(GOODBYE), AfterAgent()), Step(Stay(), limit_s=60.0)),
    Expect(ended_by="agent"),
)
"""A caller to whom the agent says goodbye, and hangs up."""


async def talking(here: Stage, call: Answered) -> None:
    """Waits until the call is taken and its setup message is gone."""

    def taken() -> bool:
        carried = here.worker.worker.calls.get(call.call_id)
        return carried is not None and carried.owner.claim.epoch > 0

    await here.until(taken)
    await asyncio.sleep(5)


async def live(here: Stage, call: Answered) -> Live:
    state = (await here.record(call.call_id)).state
    assert isinstance(state, Live)
    return state


def test_a_live_call_has_one_message_that_its_record_names_and_that_never_surfaces() -> None:
    async def scenario() -> None:
        async with stage() as here:
            call = await here.ring(STAYS)
            await talking(here, call)
            for _ in range(12):
                await asyncio.sleep(10)
                (message,) = here.storage.messages("sessions")
                assert message.id == (await live(here, call)).message_id
                assert message.dequeue_count == 0
            assert (await live(here, call)).epoch == 1

    run(scenario())


def test_a_dropped_socket_comes_back_and_the_agent_remembers_the_call() -> None:
    async def scenario() -> None:
        async with stage() as here:
            call = await here.ring(STAYS)
            await talking(here, call)
            await break_off(call)
            await asyncio.sleep(4)
            assert (await live(here, call)).epoch == 2
            assert here.worker.live_calls == 1
            assert len(here.voice.sessions) == 1
            await call.simulated.hang_up()
            await here.until(lambda: here.worker.live_calls == 0)
            assert (await here.record(call.call_id)).state == Ended(EndReason.CALLER_HUNG_UP)
            assert here.messages == 0

    run(scenario())


def test_a_socket_that_acs_opens_anew_replaces_the_dropped_one() -> None:
    async def scenario() -> None:
        async with stage(AcsSwitches(reconnects=1, reconnect_after_s=0.2)) as here:
            call = await here.ring(STAYS)
            await talking(here, call)
            await break_off(call)
            await asyncio.sleep(4)
            assert (await live(here, call)).epoch == 2
            assert len(here.voice.sessions) == 1

    run(scenario())


def test_a_later_socket_of_the_call_takes_it_and_the_former_is_closed() -> None:
    async def scenario() -> None:
        async with stage() as here:
            call = await here.ring(STAYS, media_url="ws://127.0.0.1:9")
            assert call.simulated.connection is not None
            connection_id = call.simulated.connection.id
            first = await here.knock(call.call_id, call.token, connection_id=connection_id)
            await first.send_str(METADATA)
            await talking(here, call)
            second = await here.knock(call.call_id, call.token, connection_id=connection_id)
            assert (await live(here, call)).epoch == 1  # a socket that did not speak takes nothing
            await second.send_str(METADATA)
            await second.send_str(SILENT_FRAME)
            while not first.closed:
                await first.receive()
            assert first.close_code == 4409
            assert (await live(here, call)).epoch == 2
            assert len(here.voice.sessions) == 1

    run(scenario())


def test_when_the_media_cannot_be_mended_the_caller_hears_the_apology_and_is_transferred() -> None:
    async def scenario() -> None:
        async with stage(AcsSwitches(restart_works=False)) as here:
            call = await here.ring(STAYS, fallback_number="+15550100099")
            await talking(here, call)
            await break_off(call)
            outcome = await call.simulated.ended()
            assert outcome.ended_by == "transfer"
            assert call.simulated.timeline.first("passed_on") is not None
            await here.until(lambda: here.worker.live_calls == 0)
            assert (await here.record(call.call_id)).state == Ended(EndReason.TRANSFERRED)
            await asyncio.sleep(120)
            assert here.messages == 0

    run(scenario())


def test_an_owner_that_was_superseded_leaves_the_record_alone_and_closes() -> None:
    async def scenario() -> None:
        async with stage() as here:
            call = await here.ring(STAYS)
            await talking(here, call)
            assert call.simulated.connection is not None
            message = await here.ledger.messages.send_live(call.call_id)
            theirs = FirstFrame("another worker", message, call.simulated.connection.id)
            assert isinstance(await here.ledger.decide(call.call_id, theirs), Decided)
            await here.until(lambda: here.worker.live_calls == 0, 15)
            assert await live(here, call) == Live(2, "another worker", message.id)
            assert [left.id for left in here.storage.messages("sessions")] == [message.id]

    run(scenario())


def test_a_false_alarm_about_a_call_whose_caller_is_heard_is_corrected() -> None:
    async def scenario() -> None:
        async with stage() as here:
            call = await here.ring(STAYS)
            await talking(here, call)
            found = await here.ledger.records.get(call.call_id)
            assert found is not None
            lost = replace(found.record, state=Lost(1, EndReason.WORKER_LOST))
            assert await here.ledger.records.put(lost.stamped("reaper", 99), found.etag)
            await asyncio.sleep(11)
            assert (await live(here, call)).epoch == 2
            assert len(here.voice.sessions) == 1
            assert here.worker.live_calls == 1

    run(scenario())


def test_an_outage_of_the_queue_longer_than_the_message_hides_does_not_touch_the_call() -> None:
    async def scenario() -> None:
        async with stage() as here:
            call = await here.ring(STAYS)
            await talking(here, call)
            outage = Fault(times=10_000, path="sessions*", status=503)
            here.storage.faults.append(outage)
            await asyncio.sleep(90)
            outage.times = 0
            await asyncio.sleep(90)
            state = await live(here, call)
            assert here.worker.live_calls == 1
            (message,) = here.storage.messages("sessions")
            assert message.id == state.message_id

    run(scenario())


def test_an_outage_of_the_records_does_not_touch_the_call_and_its_turns_are_kept() -> None:
    async def scenario() -> None:
        async with stage() as here:
            call = await here.ring(HANGS_UP)
            await here.until(lambda: here.worker.live_calls == 1)
            outage = Fault(times=10_000, operation="*Blob*", status=503)
            here.storage.faults.append(outage)
            outcome = await call.simulated.ended()
            assert outcome.as_scripted, outcome.faults
            await asyncio.sleep(3)
            outage.times = 0
            await here.until(lambda: here.worker.live_calls == 0)
            record = await here.record(call.call_id)
            assert record.state == Ended(EndReason.CALLER_HUNG_UP)
            assert [turn.speaker for turn in record.turns][:2] == ["agent", "caller"]
            await asyncio.sleep(120)
            assert here.messages == 0

    run(scenario())


def test_a_live_message_that_was_lost_is_replaced_and_named_in_the_record() -> None:
    async def scenario() -> None:
        async with stage() as here:
            call = await here.ring(STAYS)
            await talking(here, call)
            lost = (await live(here, call)).message_id
            here.storage.queues.queues["sessions"].messages.clear()
            await asyncio.sleep(15)
            (message,) = here.storage.messages("sessions")
            assert message.id == (await live(here, call)).message_id != lost

    run(scenario())


def test_a_call_taken_while_the_records_are_out_is_recorded_when_they_are_back() -> None:
    async def scenario() -> None:
        async with stage() as here:
            call = await here.ring(STAYS, media_url="ws://127.0.0.1:9")
            assert call.simulated.connection is not None
            connection_id = call.simulated.connection.id
            socket = await here.knock(call.call_id, call.token, connection_id=connection_id)
            outage = Fault(times=10_000, operation="*Blob*", status=503)
            here.storage.faults.append(outage)
            await socket.send_str(METADATA)
            await asyncio.sleep(2)
            outage.times = 0
            for _ in range(750):
                await socket.send_str(SILENT_FRAME)
                await asyncio.sleep(0.02)
            assert (await live(here, call)).epoch == 1

    run(scenario())


def test_a_storage_that_does_not_answer_does_not_keep_the_caller_waiting() -> None:
    async def scenario() -> None:
        async with stage() as here:
            # After the stage's own writes: the claim and the answer, and the setup message.
            here.storage.faults += [
                Fault(operation="PutBlob", skip=2, times=3, delay_s=10.0),
                Fault(operation="PutMessage", skip=1, times=3, delay_s=10.0),
            ]
            call = await here.ring(HANGS_UP)
            outcome = await call.simulated.ended()
            assert outcome.as_scripted, outcome.faults
            greeted = call.simulated.timeline.first("agent_speech_started")
            answered = call.simulated.timeline.first("answered")
            assert greeted is not None
            assert answered is not None
            assert 4.0 <= greeted.at - answered.at < 5.0
            await here.until(lambda: here.worker.live_calls == 0)
            record = await here.record(call.call_id)
            assert record.state == Ended(EndReason.CALLER_HUNG_UP)
            assert len(here.voice.sessions) == 1
            await asyncio.sleep(120)
            assert here.messages == 0

    run(scenario())


@pytest.mark.parametrize("says_goodbye", [False, True])
def test_a_call_taken_while_the_records_are_out_goes_on_as_ours_when_they_are_back(
    says_goodbye: bool,
) -> None:
    script = SAYS_GOODBYE if says_goodbye else HANGS_UP

    async def scenario() -> None:
        async with stage() as here:
            here.voice.know(GOODBYE)
            # The live message is slow, so that the outage begins between the door and the taking.
            here.storage.faults.append(Fault(operation="PutMessage", skip=1, delay_s=0.5))
            call = await here.ring(script)
            await here.until(lambda: here.worker.live_calls == 1)
            outage = Fault(times=10_000, operation="*Blob*", status=503)
            here.storage.faults.append(outage)
            await here.until(lambda: bool(here.voice.sessions))
            await asyncio.sleep(1.5)
            carried = here.worker.worker.calls[call.call_id]
            assert carried.owner.claim.epoch == 0
            outage.times = 0
            outcome = await call.simulated.ended()
            assert outcome.as_scripted, outcome.faults
            await here.until(lambda: here.worker.live_calls == 0)
            reason = EndReason.AGENT_ENDED if says_goodbye else EndReason.CALLER_HUNG_UP
            assert (await here.record(call.call_id)).state == Ended(reason)
            assert len(here.voice.sessions) == 1

    run(scenario())
