"""The rules of the call record, under any interleaving that Hypothesis can think of.

The machine drives the product's own `Ledger`, `recover` and `end_call` (see `call_world`) and lets
parties die between write and effect, replies get lost, callbacks come late or twice. What must hold
is checked after every single step, and at the end: the caller is never left in silence for long,
and a call that is over has an ended record and no message.
"""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from switchboard.decisions import Decision, Do, Leave, Why, Write
from switchboard.end_reason import EndReason
from switchboard.ledger import Ledger, Left, Verdict, Waited
from switchboard.moves import (
    AcsView,
    Answer,
    AnswerAccepted,
    AnswerRefused,
    Apologise,
    Checkpoint,
    Closed,
    DeleteMessage,
    Ending,
    Event,
    Finished,
    FirstFrame,
    HangUp,
    IncomingCall,
    LetGo,
    MediaDown,
    MediaRefused,
    Replaced,
    Restarted,
    RestartStreaming,
    SetAside,
    SocketLost,
    StillHeard,
    StopThenStart,
    Surfaced,
    Transfer,
)
from switchboard.record import (
    Answered,
    CallRecord,
    Closing,
    Ended,
    Live,
    Lost,
    MessageRef,
    Ringing,
    State,
    TurnRecord,
)
from switchboard.session import SessionDescriptor
from switchboard.transitions import step
from tests.switchboard.call_azure import (
    CALL_ID,
    CONNECTION,
    Process,
    Socket,
    WorldMessages,
    WorldRecords,
)
from tests.switchboard.call_machine import CallMachine
from tests.switchboard.call_world import BrokenRule, World, descriptor


def record(state: State, **fields: Any) -> CallRecord:
    """A call in this state; ACS knows it as CONNECTION unless said otherwise."""
    plain: dict[str, Any] = {
        "connection_id": CONNECTION,
        "setup": SETUP,
        "descriptor": descriptor("+15550100"),
    }
    return CallRecord(
        call_id=CALL_ID,
        state=state,
        media_token_hash="m",
        callback_token_hash="c",
        **(plain | fields),
    )


def state_after(decision: Decision) -> State:
    assert isinstance(decision, Write), decision
    return decision.record.state


SETUP, MINE = MessageRef("setup", "r1"), MessageRef("mine", "r2")
LIVE = Live(1, "socket-1", MINE.id)
LOST = Lost(1, EndReason.MEDIA_FAILED)
CLOSING = Closing(1, EndReason.MEDIA_FAILED)
ENDED = Ended(EndReason.CALLER_HUNG_UP)
APOLOGY = Apologise(descriptor().agent.apology)


def test_a_second_delivery_within_eight_seconds_is_left_alone() -> None:
    assert step(record(Ringing(1)), IncomingCall(), waited_s=7.9) == Leave(Why.TOO_SOON)


def test_a_claim_that_came_to_nothing_for_eight_seconds_is_taken_over() -> None:
    decision = step(record(Ringing(1)), IncomingCall(), waited_s=8.0)
    assert decision == Write(record(Ringing(2)), (Answer(2),))


@pytest.mark.parametrize("state", [Answered(), LIVE, LOST, CLOSING, ENDED])
def test_a_delivery_after_the_answer_changes_nothing(state: State) -> None:
    assert isinstance(step(record(state), IncomingCall(), waited_s=100.0), Leave)


def test_a_refusal_that_proves_nothing_happened_ends_the_call() -> None:
    ringing = record(Ringing(1), setup=None, connection_id=None)
    decision = step(ringing, AnswerRefused(1, True, SETUP))
    assert state_after(decision) == Ended(EndReason.ANSWER_REFUSED)
    assert isinstance(decision, Write)
    assert decision.then == (DeleteMessage(SETUP),)


@pytest.mark.parametrize(
    "refusal",
    [AnswerRefused(1, False, SETUP), AnswerRefused(2, True, SETUP)],
    ids=["no proof", "an earlier attempt may have been accepted"],
)
def test_a_doubtful_refusal_leaves_the_call_to_its_setup_message(refusal: AnswerRefused) -> None:
    ringing = record(Ringing(refusal.attempt), setup=None, connection_id=None)
    assert isinstance(step(ringing, refusal), Leave)


def test_the_answer_that_returns_after_the_first_frame_erases_nothing() -> None:
    live = record(LIVE, setup=None)
    assert step(live, AnswerAccepted(CONNECTION, SETUP)) == Do((DeleteMessage(SETUP),))


def test_a_setup_message_stays_while_nobody_has_another() -> None:
    lost = record(Lost(0, EndReason.MEDIA_FAILED), setup=None)
    assert isinstance(step(lost, AnswerAccepted(CONNECTION, SETUP)), Leave)


def test_an_answer_that_took_effect_after_the_end_is_hung_up_once() -> None:
    never = record(Ended(EndReason.NEVER_ANSWERED), connection_id=None, setup=None)
    decision = step(never, AnswerAccepted(CONNECTION, SETUP))
    assert isinstance(decision, Write)
    assert decision.then == (HangUp(), DeleteMessage(SETUP))
    again = step(decision.record, MediaDown(CONNECTION), AcsView.SILENT, 100.0)
    assert again == Leave(Why.ENDED)


def test_the_first_frame_takes_the_call_and_ends_the_setup_message() -> None:
    decision = step(record(Answered()), FirstFrame("socket-1", MINE, CONNECTION))
    assert decision == Write(record(LIVE), (DeleteMessage(SETUP),))


def test_a_later_socket_takes_the_call_the_same_way() -> None:
    decision = step(record(LIVE), FirstFrame("socket-2", None, CONNECTION))
    assert state_after(decision) == Live(2, "socket-2", None)


@pytest.mark.parametrize("state", [CLOSING, ENDED])
def test_no_frame_takes_a_call_that_is_closing_or_over(state: State) -> None:
    decision = step(record(state), FirstFrame("socket-2", MINE, CONNECTION))
    assert not isinstance(decision, Write)


def test_a_socket_of_another_connection_takes_nothing() -> None:
    decision = step(record(Answered()), FirstFrame("socket-1", MINE, "another"))
    assert decision == Leave(Why.FOREIGN)


def test_an_owner_held_to_be_lost_that_hears_the_caller_takes_the_call_again() -> None:
    decision = step(record(LOST), StillHeard(1, "socket-1", MINE.id))
    assert state_after(decision) == Live(2, "socket-1", MINE.id)


@pytest.mark.parametrize(
    "event",
    [
        Checkpoint(1, ()),
        Replaced(1, "m"),
        StillHeard(1, "socket-1", "m"),
        Ending(1, EndReason.AGENT_ENDED),
        Finished(1, EndReason.CALLER_HUNG_UP, MINE),
    ],
)
def test_a_superseded_owner_changes_nothing(event: Event) -> None:
    assert step(record(Live(2, "socket-2", "m2")), event) == Leave(Why.SUPERSEDED)


@pytest.mark.parametrize("view", [AcsView.SILENT, AcsView.UNKNOWN])
def test_a_late_callback_restarts_only_what_acs_does_not_call_active(view: AcsView) -> None:
    decision = step(record(LIVE), MediaDown(CONNECTION), view, 0.5)
    assert decision == Write(record(LOST), (RestartStreaming(),))
    for fine in (AcsView.STREAMING, AcsView.GONE, AcsView.TRANSFERRING):
        assert isinstance(step(record(LIVE), MediaDown(CONNECTION), fine, 0.5), Leave)


def test_an_owner_without_a_socket_does_not_believe_that_streaming_is_on() -> None:
    decision = step(record(LIVE), SocketLost(1), AcsView.STREAMING, 0.5)
    assert decision == Write(record(LOST), (StopThenStart(),))


def test_two_seconds_of_loss_end_in_one_apology_and_the_fallback_number() -> None:
    assert step(record(LOST), Restarted(1), AcsView.STREAMING, 1.9) == Leave(Why.TOO_SOON)
    decision = step(record(LOST), Restarted(1), AcsView.STREAMING, 2.0)
    assert decision == Write(record(CLOSING), (APOLOGY, Transfer("+15550100")))


def test_without_a_fallback_number_the_apology_ends_in_a_hang_up() -> None:
    lost = record(LOST, descriptor=descriptor(None))
    decision = step(lost, Restarted(1), AcsView.SILENT, 2.0)
    assert isinstance(decision, Write)
    assert decision.then == (APOLOGY, HangUp())


def test_hearsay_closes_nothing_on_which_acs_does_not_speak() -> None:
    assert isinstance(step(record(LOST), MediaDown(CONNECTION), AcsView.UNKNOWN, 2.0), Leave)
    on = record(replace(LOST, streaming=True))
    assert isinstance(step(on, MediaDown(CONNECTION), AcsView.SILENT, 2.0), Leave)


def test_a_call_lost_too_often_is_closed_without_another_restart() -> None:
    decision = step(record(Live(6, "socket-6", "m")), SocketLost(6), AcsView.SILENT, 0.5)
    assert isinstance(decision, Write)
    assert decision.then == ()
    closing = step(decision.record, SocketLost(6), AcsView.SILENT, 0.0)
    assert state_after(closing) == CLOSING


def test_a_surfaced_message_that_the_record_does_not_name_is_deleted() -> None:
    assert step(record(LIVE), Surfaced(SETUP, 1)) == Do((DeleteMessage(SETUP),))
    assert step(record(ENDED), Surfaced(MINE, 1)) == Do((DeleteMessage(MINE),))


@pytest.mark.parametrize("view", [AcsView.STREAMING, AcsView.SILENT, AcsView.UNKNOWN])
def test_the_owner_of_a_surfaced_message_is_dead_whatever_acs_says(view: AcsView) -> None:
    assert step(record(LIVE), Surfaced(MINE, 1), view, 9.9) == Leave(Why.TOO_SOON)
    lost = record(Lost(1, EndReason.WORKER_LOST))
    assert step(record(LIVE), Surfaced(MINE, 1), view, 10.0) == Write(lost, (StopThenStart(),))


def test_a_ring_that_nobody_answered_ends_when_its_message_surfaces() -> None:
    ringing = record(Ringing(2), setup=None, connection_id=None)
    assert step(ringing, Surfaced(SETUP, 1), waited_s=44.0) == Leave(Why.TOO_SOON)
    decision = step(ringing, Surfaced(SETUP, 1), waited_s=45.0)
    assert state_after(decision) == Ended(EndReason.NEVER_ANSWERED)


def test_a_dead_closers_call_is_hung_up_without_a_second_apology() -> None:
    decision = step(record(CLOSING), Surfaced(MINE, 1), AcsView.STREAMING, 15.0)
    assert decision == Write(record(replace(CLOSING, claim=2)), (HangUp(),))
    assert step(record(replace(CLOSING, claim=2)), Closed(1, True)) == Leave(Why.CLOSING)


@pytest.mark.parametrize("state", [LOST, CLOSING])
def test_nobody_who_lets_go_of_a_lost_or_closing_call_may_delete_its_message(state: State) -> None:
    assert isinstance(step(record(state), LetGo(MINE)), Leave)


def test_a_message_that_kills_its_receivers_is_set_aside_and_its_call_hung_up() -> None:
    decision = step(record(LIVE), Surfaced(MINE, 6, "text"), AcsView.SILENT, 10.0)
    assert state_after(decision) == Ended(EndReason.FAULT)
    assert isinstance(decision, Write)
    assert decision.then == (HangUp(), SetAside(MINE, "text", "received too often"))


def test_a_door_that_refused_the_media_is_the_reason_of_the_loss() -> None:
    refused = step(record(Answered()), MediaRefused("aud"))
    assert isinstance(refused, Write)
    lost = step(refused.record, MediaDown(CONNECTION), AcsView.SILENT, 0.5)
    assert state_after(lost) == Lost(0, EndReason.MEDIA_REFUSED)


def test_an_agent_that_failed_is_apologised_for_and_one_that_said_goodbye_is_not() -> None:
    failed = step(record(LIVE), Ending(1, EndReason.BRIDGE_FAILED, parting="apologise"))
    assert isinstance(failed, Write)
    assert failed.then == (APOLOGY, Transfer("+15550100"))
    goodbye = step(record(LIVE), Ending(1, EndReason.AGENT_ENDED))
    assert isinstance(goodbye, Write)
    assert goodbye.then == (HangUp(),)


def test_the_words_of_an_agent_without_transcript_end_with_the_call() -> None:
    agent = replace(descriptor().agent, transcript=False)
    turns = (TurnRecord(speaker="agent", text="hello", heard_text="hel", ended_ms=900.0),)
    live = record(LIVE, descriptor=replace(descriptor(), agent=agent), turns=turns)
    ended = step(live, Finished(1, EndReason.CALLER_HUNG_UP, MINE, turns))
    assert isinstance(ended, Write)
    assert ended.record.turns == (TurnRecord(speaker="agent", ended_ms=900.0),)


# --- any interleaving -----------------------------------------------------------------------------

SETTINGS = settings(
    max_examples=500,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    report_multiple_bugs=False,
    print_blob=False,
    suppress_health_check=list(HealthCheck),
)


def test_the_rules_hold_under_any_interleaving() -> None:
    run_state_machine_as_test(CallMachine, settings=SETTINGS)


# --- six mistakes that the machine must find ------------------------------------------------------


class Refused(Exception):
    """A write was answered by 409 or 412."""


class BelievesRefusals(Ledger):
    """Takes a refused write as lost, though it may be its own that was sent twice."""

    async def _won(self, record: CallRecord, etag: str | None) -> bool:
        if not await super()._won(record, etag):
            raise Refused
        return True

    async def open(self, descriptor: SessionDescriptor, media: str, callback: str) -> Verdict:
        try:
            return await super().open(descriptor, media, callback)
        except Refused:
            return Left(Why.HEALTHY, None)

    async def decide(
        self,
        call_id: str,
        event: Event,
        *,
        acs: AcsView = AcsView.UNKNOWN,
        waited: Waited | None = None,
    ) -> Verdict:
        try:
            return await super().decide(call_id, event, acs=acs, waited=waited)
        except Refused:
            return Left(Why.SUPERSEDED, None)


class RefusalTakenAsLost(World):
    def make_ledger(self, name: str) -> Ledger:
        return BelievesRefusals(WorldRecords(self), WorldMessages(self), by=name)


class WritesLater(Ledger):
    """Acts on what it decided at once, and lets the write follow when it may."""

    world: World

    async def _won(self, record: CallRecord, etag: str | None) -> bool:
        late = self.world.records.put(record, etag)
        self.world.spawn("late write", self.world.network, late)
        return True


class ActsBeforeTheWrite(World):
    def make_ledger(self, name: str) -> Ledger:
        ledger = WritesLater(WorldRecords(self), WorldMessages(self), by=name)
        ledger.world = self
        return ledger


class DrawsTokens(World):
    def token(self, attempt: str) -> str:
        return f"token of {attempt}"


class TakesTheCallAtTheUpgrade(World):
    async def before_taking(self, socket: Socket) -> bool:
        await self.turn()
        return not socket.closed


class DeletesWhenLettingGoOfClosing(World):
    async def let_go(self, process: Process, message: MessageRef) -> None:
        await super().let_go(process, message)
        seen = await process.ledger.records.get(CALL_ID)
        if seen is not None and isinstance(seen.record.state, Closing):
            await process.ledger.messages.delete(message)


class Trusting(Ledger):
    """Believes ACS about a call whose message surfaced."""

    async def decide(
        self,
        call_id: str,
        event: Event,
        *,
        acs: AcsView = AcsView.UNKNOWN,
        waited: Waited | None = None,
    ) -> Verdict:
        if isinstance(event, Surfaced) and acs is AcsView.STREAMING:
            return Left(Why.HEALTHY, None)
        return await super().decide(call_id, event, acs=acs, waited=waited)


class BelievesActive(World):
    def make_ledger(self, name: str) -> Ledger:
        return Trusting(WorldRecords(self), WorldMessages(self), by=name)


@pytest.mark.parametrize(
    ("mistake", "broken"),
    [
        (RefusalTakenAsLost, "whoever won the claim answers|nobody lets go|in silence|has ended"),
        (ActsBeforeTheWrite, "apology|hangs up|transferred|has heard|in silence|message exists"),
        (DrawsTokens, "all answers are one answer"),
        (TakesTheCallAtTheUpgrade, "who owns the call has heard the caller"),
        (DeletesWhenLettingGoOfClosing, "in silence|has ended|message exists"),
        (BelievesActive, "nobody is left in silence"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_the_machine_finds_a_planted_mistake(mistake: type[World], broken: str) -> None:
    class Mistaken(CallMachine):
        make_world = mistake

    with pytest.raises(BrokenRule, match=broken):
        run_state_machine_as_test(Mistaken, settings=settings(SETTINGS, max_examples=2000))
