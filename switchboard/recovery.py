"""The one procedure for a call whose media is in doubt, and for ending a call.

Three callers: the callback Function, an owner whose socket died, a worker that received a surfaced
message. All of them wait, ask ACS what is true now, decide on the record, and act only on a write
they won.
"""

import asyncio
from typing import assert_never

from switchboard import limits
from switchboard.closing import Closer, Recovered, left_as
from switchboard.decisions import Why
from switchboard.ledger import Decided, Ledger, Left, Surfacing, Versioned, Waited
from switchboard.moves import (
    AcsView,
    Answer,
    Apologise,
    ConnectedWithoutMedia,
    DeleteMessage,
    Doubt,
    Effect,
    Ending,
    HangUp,
    MediaDown,
    Restarted,
    RestartRefused,
    RestartStreaming,
    SetAside,
    StopThenStart,
    Surfaced,
    Transfer,
)
from switchboard.operations import AcsCalls, Acted
from switchboard.record import Answered, CallRecord, Closing, Ended, Live, Lost, Ringing
from switchboard.transfer import Sleep
from switchboard.transitions import patience

__all__ = [
    "Recovered",
    "carry_out",
    "end_call",
    "recover",
    "recover_surfaced",
]


async def recover(
    ledger: Ledger, acs: AcsCalls, call_id: str, doubt: Doubt, *, sleep: Sleep = asyncio.sleep
) -> Recovered:
    """Sees `doubt` through to one of `Recovered`. May take a minute when a transfer rings.

    Raises `StorageUnavailable` and `RecordError`; the call's message in the queue then brings the
    next recovery.
    """
    for _ in range(limits.RECOVERY_ROUNDS):
        seen = await ledger.records.get(call_id)
        if seen is None:
            return await _without_record(ledger, doubt)
        asked_s = patience(seen.record, doubt)
        await sleep(max(0.0, asked_s - _known_unchanged_s(seen)))
        view = await _view(acs, seen.record, doubt)
        verdict = await ledger.decide(call_id, doubt, acs=view, waited=Waited(seen.etag, asked_s))
        match verdict:
            case Left(Why.TOO_SOON):
                continue
            case Left(why):
                return left_as(why)
            case Decided(CallRecord(state=Closing()) as record, effects):
                outcome = await Closer(ledger, acs, record, sleep).run(effects)
                over = outcome in (Recovered.ENDED, Recovered.OVER)
                if over and isinstance(doubt, Surfaced):
                    await ledger.messages.delete(doubt.message)
                return outcome
            case Decided(CallRecord(state=Lost()) as record, effects):
                went_on = await _restart(ledger, acs, record, effects, doubt)
                if went_on is None:
                    return Recovered.HEALTHY
                doubt = went_on
            case Decided(record):
                await carry_out(ledger, acs, verdict)
                if not isinstance(record.state, Ended):
                    return Recovered.HEALTHY
                before = isinstance(seen.record.state, Ended)
                return Recovered.OVER if before else Recovered.ENDED
            case _:
                assert_never(verdict)
    return Recovered.LEFT


async def recover_surfaced(
    ledger: Ledger, acs: AcsCalls, surfacing: Surfacing, *, sleep: Sleep = asyncio.sleep
) -> Recovered:
    """What to do with a message that the queue handed out: `recover`, unless it is not ours.

    Raises as `recover` does.
    """
    surfaced = surfacing.surfaced
    if surfacing.call_id is None:
        await ledger.messages.set_aside(surfaced.message, surfaced.text, "not a session message")
        return Recovered.LEFT
    return await recover(ledger, acs, surfacing.call_id, surfaced, sleep=sleep)


async def end_call(
    ledger: Ledger, acs: AcsCalls, call_id: str, ending: Ending, *, sleep: Sleep = asyncio.sleep
) -> Recovered:
    """An owner's way to hang up: `closing` is won first, then the caller hears the apology (if
    any) and is transferred or hung up on, then the record ends. `ENDED`: delete the live message
    (`LetGo` says so too). `LEFT`: keep it, it brings whoever finishes this. `HEALTHY`: the call
    is another owner's. Raises as `recover` does."""
    match await ledger.decide(call_id, ending):
        case Left(why):
            return left_as(why)
        case Decided(record, effects):
            return await Closer(ledger, acs, record, sleep).run(effects)


async def carry_out(ledger: Ledger, acs: AcsCalls, decided: Decided) -> None:
    """Does what a decision of `ledger.decide` asks for, save answering and recovering: hangs up,
    deletes a message, sets one aside. Raises as `recover` does."""
    for effect in decided.effects:
        match effect:
            case HangUp():
                if decided.record.connection_id is not None:
                    await acs.hang_up(decided.record.connection_id)
            case DeleteMessage(message):
                await ledger.messages.delete(message)
            case SetAside(message, text, why):
                await ledger.messages.set_aside(message, text, why)
            case Answer() | RestartStreaming() | StopThenStart() | Apologise() | Transfer():
                raise AssertionError(f"{effect} has its own procedure")
            case _:
                assert_never(effect)


def _known_unchanged_s(seen: Versioned) -> float:
    """The storage's word for it counts in states that nobody touches while all is well; a live
    record may be old and well, and two seconds are too few for a clock of whole ones."""
    match seen.record.state:
        case Ringing() | Answered() | Closing():
            return seen.age_s
        case Live() | Lost() | Ended():
            return 0.0
        case _:
            assert_never(seen.record.state)


async def _view(acs: AcsCalls, record: CallRecord, doubt: Doubt) -> AcsView:
    connection_id = record.connection_id
    if connection_id is None and isinstance(doubt, MediaDown | ConnectedWithoutMedia):
        connection_id = doubt.connection_id
    foreign = isinstance(doubt, Surfaced) and not record.owns(doubt.message.id)
    if connection_id is None or foreign or isinstance(record.state, Ended):
        return AcsView.UNKNOWN  # nothing to ask about, or nothing that the answer would change
    return await acs.view(connection_id)


async def _without_record(ledger: Ledger, doubt: Doubt) -> Recovered:
    if isinstance(doubt, Surfaced):
        await ledger.messages.set_aside(doubt.message, doubt.text, "its call has no record")
    return Recovered.LEFT


async def _restart(
    ledger: Ledger, acs: AcsCalls, record: CallRecord, effects: tuple[Effect, ...], doubt: Doubt
) -> Doubt | None:
    """Brings the media back, if `effects` say so. The doubt to go on with; None: it was wrong."""
    assert record.connection_id is not None, "a call in doubt has a connection"
    for effect in effects:
        match effect:
            case StopThenStart():
                await acs.stop_and_start(record.connection_id)
            case RestartStreaming():
                match await acs.restart(record.connection_id):
                    case Acted.DONE:
                        return Restarted(record.epoch)
                    case Acted.REFUSED:
                        await ledger.decide(record.call_id, RestartRefused(record.epoch))
                        return None
                    case Acted.GONE | Acted.FAILED:
                        return doubt
            case _:
                raise AssertionError(f"{effect} does not go with a lost call")
    return doubt
