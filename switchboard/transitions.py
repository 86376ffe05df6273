"""What may become of a call record: `step` decides, its callers write and only then act. No I/O.

The rules are those of docs/ledger.md. In short: whoever wins the write acts on it; the worker whose
socket spoke last owns the call; all others can only ask Azure Communication Services (ACS) for a
new socket, or end the call.
"""

from dataclasses import replace
from typing import assert_never

from switchboard import limits
from switchboard.decisions import Decision, Do, Leave, Why, Write
from switchboard.end_reason import EndReason
from switchboard.moves import (
    AcsView,
    Answer,
    AnswerAccepted,
    AnswerRefused,
    Apologise,
    Checkpoint,
    Closed,
    ConnectedWithoutMedia,
    DeleteMessage,
    Doubt,
    Effect,
    Ending,
    Event,
    Finished,
    FirstFrame,
    HandOver,
    HangUp,
    IncomingCall,
    LetGo,
    MediaDown,
    MediaRefused,
    Parting,
    Replaced,
    Restarted,
    RestartRefused,
    RestartStreaming,
    SetAside,
    SocketLost,
    StillClosing,
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
)


def patience(record: CallRecord, event: Event) -> float:
    """Seconds for which the record must be known to be unchanged before `event` counts."""
    match event, record.state:
        case Surfaced(message), _ if not record.owns(message.id):
            return 0.0
        case IncomingCall(), Ringing():
            return limits.RECLAIM_RINGING_S
        case Surfaced(), Ringing():
            return limits.SETUP_HIDDEN_S
        case Surfaced(), Closing():
            return limits.RECLAIM_CLOSING_S
        case Surfaced(), Answered() | Live() | Lost(streaming=True):
            return limits.OWNER_SILENT_S
        case ConnectedWithoutMedia(), Ringing() | Answered():
            return limits.MEDIA_AFTER_CONNECT_S
        case MediaDown() | SocketLost(), Ringing() | Answered() | Live():
            return limits.GRACE_S
        case _, Lost(epoch) if isinstance(event, Doubt) and epoch <= limits.EPOCHS_MAX:
            return limits.LOST_S
        case _:
            return 0.0


def step(
    record: CallRecord, event: Event, acs: AcsView = AcsView.UNKNOWN, waited_s: float = 0.0
) -> Decision:
    """What `event` makes of `record`. `waited_s`: how long the record is known to be unchanged."""
    if waited_s < patience(record, event):
        return Leave(Why.TOO_SOON)
    match event:
        case IncomingCall() | AnswerAccepted() | AnswerRefused() | MediaRefused():
            return _before_media(record, event)
        case FirstFrame():
            return _first_frame(record, event)
        case StillHeard() | Replaced() | Checkpoint() | Ending() | Finished():
            return _owner(record, event)
        case LetGo(message):
            return _let_go(record, message)
        case StillClosing() | Closed():
            return _closer(record, event)
        case RestartRefused(epoch):
            return _restart_refused(record, epoch)
        case MediaDown() | ConnectedWithoutMedia() | SocketLost() | HandOver() | Restarted():
            return _doubt(record, event, acs)
        case Surfaced():
            return _surfaced(record, event, acs)
        case _:
            assert_never(event)


def _before_media(
    record: CallRecord, event: IncomingCall | AnswerAccepted | AnswerRefused | MediaRefused
) -> Decision:
    match event, record.state:
        case IncomingCall(), Ringing(attempt):
            return Write(replace(record, state=Ringing(attempt + 1)), (Answer(attempt + 1),))
        case AnswerAccepted(connection_id, setup), Ringing() | Answered() if record.setup is None:
            bound = replace(record, state=Answered(), connection_id=connection_id, setup=setup)
            return Write(bound)
        case AnswerAccepted(connection_id, setup), Ended() if _knew_no_answer(record):
            also = (DeleteMessage(setup),) if setup else ()
            return Write(replace(record, connection_id=connection_id), (HangUp(), *also))
        case AnswerRefused(attempt=1, proof=True, setup=setup), Ringing(1):
            also = (DeleteMessage(setup),) if setup else ()
            return Write(record.ending(EndReason.ANSWER_REFUSED), also)
        case MediaRefused(claim), Ringing() | Answered() | Lost() if claim != record.media_refusal:
            return Write(replace(record, media_refusal=claim))
        case ((AnswerAccepted() | AnswerRefused()), _) if event.setup is not None:
            return _let_go(record, event.setup)
        case _:
            return Leave(_standing(record))


def _first_frame(record: CallRecord, event: FirstFrame) -> Decision:
    match record.state:
        case Ended():
            return _let_go(record, event.message) if event.message else Leave(Why.ENDED)
        case Closing():
            return Leave(Why.CLOSING)  # and its message stays: it may be the call's last one
        case _ if record.connection_id not in (None, event.connection_id):
            return Leave(Why.FOREIGN)
        case Live(owner=event.owner):
            return Do(())
        case Ringing() | Answered() | Lost() | Live():
            message_id = event.message.id if event.message else None
            taken = replace(record, connection_id=event.connection_id, media_refusal=None)
            taken = replace(taken, state=Live(record.epoch + 1, event.owner, message_id))
            if record.epoch == 0 and record.setup is not None and message_id is not None:
                return Write(taken, (DeleteMessage(record.setup),))
            return Write(taken)
        case _:
            assert_never(record.state)


def _owner(
    record: CallRecord, event: StillHeard | Replaced | Checkpoint | Ending | Finished
) -> Decision:
    match event, record.state:
        case StillHeard(epoch, owner, message_id), Lost(at) if at == epoch:
            return Write(replace(record, state=Live(at + 1, owner, message_id)))
        case Replaced(epoch, message_id), Live(at, owner, _) if at == epoch:
            return Write(replace(record, state=Live(at, owner, message_id)))
        case Checkpoint(epoch, turns), Live(at) if at == epoch:
            return Write(replace(record, turns=turns))
        case Ending(epoch, reason), Live(at) | Lost(at) if at == epoch:
            kept = replace(record, turns=event.turns, usage=event.usage)
            return _close(kept, Closing(1, reason), event.parting)
        case Finished(epoch, reason), Live(at) | Lost(at) if at == epoch:
            kept = replace(record, turns=event.turns, usage=event.usage)
            then = (DeleteMessage(event.message),) if event.message else ()
            return Write(kept.ending(reason), then)
        case _:
            return Leave(_standing(record, event.epoch))


def _let_go(record: CallRecord, message: MessageRef) -> Decision:
    """A message may go when it is not the call's own. In `lost` and `closing` any may be the last
    one, and bring the recovery that ends the call."""
    if record.owns(message.id):
        return Leave(_standing(record))
    return Do((DeleteMessage(message),))


def _closer(record: CallRecord, event: StillClosing | Closed) -> Decision:
    match event, record.state:
        case StillClosing(claim), Closing(at) if at == claim:
            return Write(record)
        case Closed(claim, transferred), Closing(at, cause) if at == claim:
            return Write(record.ending(EndReason.TRANSFERRED if transferred else cause))
        case _:
            return Leave(_standing(record))


def _restart_refused(record: CallRecord, epoch: int) -> Decision:
    match record.state:
        case Lost(at) as lost if at == epoch:
            return Write(replace(record, state=replace(lost, streaming=True)))
        case _:
            return Leave(_standing(record, epoch))


def _doubt(
    record: CallRecord,
    event: MediaDown | ConnectedWithoutMedia | SocketLost | HandOver | Restarted,
    acs: AcsView,
) -> Decision:
    hearsay = isinstance(event, MediaDown | ConnectedWithoutMedia)
    if isinstance(event, MediaDown | ConnectedWithoutMedia) and record.connection_id is None:
        bound = replace(record, connection_id=event.connection_id)
        if _knew_no_answer(record):
            return Write(bound, (HangUp(),))
        record = bound
    match record.state, event:
        case Closing() | Ended(), _:
            return Leave(_standing(record))
        case _, SocketLost(epoch) | HandOver(epoch) | Restarted(epoch) if epoch != record.epoch:
            return Leave(Why.SUPERSEDED)
        case Live(), ConnectedWithoutMedia():
            return Leave(Why.HEALTHY)
        case _ if acs in (AcsView.GONE, AcsView.TRANSFERRING):
            return Leave(Why(acs.value))
        case _ if hearsay and acs is AcsView.STREAMING:
            return Leave(Why.HEALTHY)
        case Lost(streaming=streaming), _ if hearsay and (streaming or acs is AcsView.UNKNOWN):
            return Leave(Why.HEALTHY)
        case Lost(_, cause), _:
            return _close(record, Closing(1, cause), "apologise")
        case Ringing() | Answered() | Live(), HandOver(_, turns):
            return _lose(replace(record, turns=turns), StopThenStart())
        case Ringing() | Answered() | Live(), _:
            return _lose(record, RestartStreaming() if hearsay else StopThenStart())
        case _:
            assert_never(record.state)


def _surfaced(record: CallRecord, event: Surfaced, acs: AcsView) -> Decision:
    delete = DeleteMessage(event.message)
    if not record.owns(event.message.id):
        return Do((delete,))
    if event.dequeue_count > limits.DEQUEUES_MAX:
        aside = SetAside(event.message, event.text, "received too often")
        return Write(record.ending(EndReason.FAULT), (HangUp(), aside))
    match record.state, acs:
        case Ringing(), _:
            return Write(record.ending(EndReason.NEVER_ANSWERED), (delete,))
        case _, AcsView.TRANSFERRING:
            return Leave(Why.TRANSFERRING)
        case Live(), AcsView.GONE:
            return Write(record.ending(EndReason.WORKER_LOST), (delete,))
        case Closing(_, cause) | Lost(_, EndReason.WORKER_LOST as cause), AcsView.GONE:
            return Write(record.ending(cause), (delete,))
        case _, AcsView.GONE:
            return Write(record.ending(EndReason.CALLER_HUNG_UP), (delete,))
        case Closing(claim, cause), _:
            return _close(record, Closing(claim + 1, cause), "hang_up")
        case Lost(streaming=True) as lost, _:
            return Write(replace(record, state=replace(lost, streaming=False)), (StopThenStart(),))
        case Lost(_, cause), _:
            return _close(record, Closing(1, cause), "apologise")
        case Live(), _:
            return _lose(record, StopThenStart(), EndReason.WORKER_LOST)
        case _:
            return _lose(record, StopThenStart())


def _lose(record: CallRecord, then: Effect, cause: EndReason | None = None) -> Write:
    refused = record.media_refusal is not None
    cause = cause or (EndReason.MEDIA_REFUSED if refused else EndReason.MEDIA_FAILED)
    lost = replace(record, state=Lost(record.epoch, cause))
    return Write(lost, (then,) if record.epoch <= limits.EPOCHS_MAX else ())


def _close(record: CallRecord, closing: Closing, parting: Parting) -> Write:
    """An apology is for a caller whom we fail, so it comes with the way to a person."""
    descriptor = record.descriptor
    number = descriptor.fallback_number if parting != "hang_up" else None
    then = (Transfer(number) if number else HangUp(),)
    words = (Apologise(descriptor.agent.apology),) if parting == "apologise" else ()
    return Write(replace(record, state=closing), words + then)


def _knew_no_answer(record: CallRecord) -> bool:
    """Whether the call was ended without anybody knowing that an answer had taken effect."""
    ends = (Ended(EndReason.NEVER_ANSWERED), Ended(EndReason.ANSWER_REFUSED))
    return record.connection_id is None and record.state in ends


def _standing(record: CallRecord, epoch: int | None = None) -> Why:
    """Why a party leaves the record as it stands; `epoch`: the one it thought to own."""
    match record.state:
        case Ended():
            return Why.ENDED
        case Closing():
            return Why.CLOSING
        case Lost(at):
            return Why.LOST if epoch in (None, at) else Why.SUPERSEDED
        case Ringing() | Answered() | Live():
            return Why.HEALTHY if epoch is None else Why.SUPERSEDED
        case _:
            assert_never(record.state)
