"""Waits for one call and tells its phases: from its record, which both deployables write.

What the record has no time for (the answer) is told as it was seen, to within a poll.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import AzureError

from doctor.limits import FIRST_CALL_ENDS_S, FIRST_CALL_POLL_S
from doctor.patient import Patient
from doctor.runbook import mend_for
from doctor.stores import records, records_needs, records_refused
from doctor.verdicts import Fail, Finding, NotChecked, Ok, Verdict
from doctor.worker_log import HOW, claim_mend, lines_of, token_verdict
from switchboard.clock import wall_now
from switchboard.end_reason import EndReason
from switchboard.ledger import StorageUnavailable
from switchboard.record import CallRecord, Ended, RecordError, state_name
from switchboard.storage import RecordBlobs

if TYPE_CHECKING:
    from azure.storage.blob.aio import ContainerClient

_WELL = {EndReason.CALLER_HUNG_UP, EndReason.AGENT_ENDED, EndReason.TOO_LONG}
"""Endings of a call that went well, if the agent was heard in it."""

_NO_CALL = (
    "Look for call_rejected and call_ignored in the Functions app's log; if it has neither, Event "
    "Grid delivers nothing: az eventgrid system-topic event-subscription list."
)


@dataclass
class Followed:
    """A call as it was watched. Times are wall time, Unix seconds."""

    call_id: str
    claimed: float
    """When its record was made, by Storage's clock, in whole seconds."""

    record: CallRecord | None = None
    seen: dict[str, float] = field(default_factory=dict)
    """When each state was first seen."""


@dataclass(frozen=True)
class Told:
    """What is found of the call; None: none came that could be followed."""

    findings: Sequence[Finding]
    call: Followed | None = None

    def to_json(self) -> dict[str, Any] | None:
        """The call's times as numbers, in seconds after the ring; None: it has no such time."""
        if self.call is None or self.call.record is None:
            return None
        record, rang = self.call.record, self.call.record.descriptor.rung_at
        agent = next((turn for turn in record.turns if turn.speaker == "agent"), None)
        heard = None
        if agent is not None and record.started is not None:
            heard = record.started + agent.started_ms / 1000
        return {
            "call_id": record.call_id,
            "rang": rang,
            "claimed_s": max(0, round(self.call.claimed - rang)),  # Storage tells whole seconds
            "seen_s": {state: round(at - rang, 1) for state, at in self.call.seen.items()},
            "first_frame_s": _after(rang, record.started),
            "agent_s": _after(rang, heard),
            "reply_latency_ms": _latencies(record),
            "ended_s": _after(rang, record.ended),
            "reason": record.state.reason if isinstance(record.state, Ended) else None,
        }


def _after(rang: float, at: float | None) -> float | None:
    return None if at is None else round(at - rang, 3)


def _latencies(record: CallRecord) -> list[float]:
    known = (turn.reply_latency_ms for turn in record.turns)
    return [round(latency, 1) for latency in known if latency is not None]


async def first_call(
    patient: Patient,
    limit_s: float,
    worker_log: Iterable[str] | None,
    say: Callable[[str], None],
) -> Told:
    """Waits up to `limit_s` for a call to begin, then to its end. `say` is told what is waited
    for; `worker_log`: its lines, if there are any to look into, read when the call has ended."""
    if (lacking := patient.lacks(records_needs(patient))) is not None:
        missing = Fail(lacking.why, "Set it (docs/configuration.md).")
        return Told([Finding("first_call.rang", "the records' container", missing)])
    try:
        async with records(patient) as container:
            say(f"Waiting for a call, for {limit_s:g} s at most …")
            found = await _awaited(container, limit_s)
            if found is None:
                nothing = Fail(f"no new record within {limit_s:g} s", _NO_CALL)
                return Told([Finding("first_call.rang", "a call", nothing)])
            say(f"Call {found.call_id} rings; following it to its end …")
            await _follow(found, RecordBlobs(container))
    except AzureError as error:
        refused = records_refused(patient, error)
        return Told([Finding("first_call.rang", "the records' container", refused)])
    except (StorageUnavailable, RecordError) as error:
        unread = Fail(str(error), "See what doctor says of the records' container.")
        return Told([Finding("first_call.rang", "the call's record", unread)])
    return Told(list(phases(found, worker_log)), found)


async def _awaited(container: "ContainerClient", limit_s: float) -> Followed | None:
    now = asyncio.get_running_loop().time
    deadline = now() + limit_s
    known = set(await _calls(container))
    while now() < deadline:
        await asyncio.sleep(FIRST_CALL_POLL_S)
        fresh = {name: at for name, at in (await _calls(container)).items() if name not in known}
        if fresh:
            name = min(fresh, key=lambda name: (fresh[name], name))
            return Followed(name.removeprefix("calls/").removesuffix(".json"), fresh[name])
    return None


async def _calls(container: "ContainerClient") -> dict[str, float]:
    """The records of today's calls, with the time at which each was made."""
    today = datetime.fromtimestamp(wall_now(), UTC).strftime("%Y%m%d")
    blobs = container.list_blobs(name_starts_with=f"calls/{today}-")
    return {blob.name: blob.creation_time.timestamp() async for blob in blobs}


async def _follow(call: Followed, blobs: RecordBlobs) -> None:
    until = asyncio.get_running_loop().time() + FIRST_CALL_ENDS_S
    while asyncio.get_running_loop().time() < until:
        found = await blobs.get(call.call_id)
        if found is not None:
            call.record = found.record
            call.seen.setdefault(state_name(found.record.state), wall_now())
            if isinstance(found.record.state, Ended):
                return
        await asyncio.sleep(FIRST_CALL_POLL_S)


# --- what it tells --------------------------------------------------------------------------------


def phases(call: Followed, worker_log: Iterable[str] | None) -> Iterator[Finding]:
    """The call's phases in their order, each after the ring."""
    record = call.record
    if record is None:
        gone = Fail("it was made and then removed", "Does a lifecycle rule delete records?")
        yield Finding("first_call.record", "the call's record", gone)
        return
    rang = record.descriptor.rung_at
    clock = datetime.fromtimestamp(rang, UTC).strftime("%H:%M:%S")
    claimed_s = max(0.0, call.claimed - rang)
    answered = [at for state, at in call.seen.items() if state != "ringing"]
    yield Finding("first_call.rang", "the phone rang", Ok(f"at {clock} UTC, by the event's time"))
    late = f"+{claimed_s:.0f} s, to the second, by Storage's clock"
    yield Finding("first_call.claimed", "claimed by the Functions app", Ok(late))
    yield Finding("first_call.answered", "answered", _answered(record, answered, rang))
    yield Finding("first_call.token", "the media token", _token(record, worker_log))
    yield Finding("first_call.media", "media at the worker", _media(call, record, rang))
    yield Finding("first_call.agent", "the agent's first audio", _agent(record, rang))
    yield Finding("first_call.replies", "replies to the caller", _replies(record))
    yield Finding("first_call.ended", "the end", _end(record))


def _answered(record: CallRecord, seen: Sequence[float], rang: float) -> Verdict:
    if record.connection_id is None:
        ended = isinstance(record.state, Ended)
        reason = record.state.reason if isinstance(record.state, Ended) else None
        _, mend = mend_for(reason) if reason else ("", "Look at the Functions app's log.")
        return Fail("no" if ended else "not yet", mend)
    at = min(seen, default=rang)
    return Ok(f"seen at +{max(0.0, at - rang):.1f} s (looked every {FIRST_CALL_POLL_S:g} s)")


def _token(record: CallRecord, worker_log: Iterable[str] | None) -> Verdict:
    if worker_log is not None:
        verdict = token_verdict(lines_of(worker_log, record.call_id))
        if not isinstance(verdict, NotChecked):
            return verdict
    if record.media_refusal is not None:
        return Fail(
            f"the door refused its {record.media_refusal}", claim_mend(record.media_refusal)
        )
    if record.started is None:
        return NotChecked("no socket came through the door", HOW)
    return NotChecked("the door let it in; whether in doubt (MEDIA_AUTH=prefer) its log says", HOW)


def _media(call: Followed, record: CallRecord, rang: float) -> Verdict:
    if record.started is None and record.connection_id is None:
        return NotChecked("it was not answered")
    if record.started is None and record.media_refusal is not None:
        return NotChecked("the door refused its socket")
    if record.started is None:
        _, mend = mend_for(EndReason.MEDIA_FAILED)
        return Fail("no frame came", mend)
    live = call.seen.get("live")
    owned = (
        "" if live is None else f", the call live at a worker when looked at +{live - rang:.1f} s"
    )
    return Ok(f"the first frame at +{record.started - rang:.2f} s{owned}")


def _agent(record: CallRecord, rang: float) -> Verdict:
    first = next((turn for turn in record.turns if turn.speaker == "agent"), None)
    if record.started is None:
        return NotChecked("there was no media")
    if first is None:
        if record.descriptor.agent.greeting is None and not record.turns:
            return NotChecked("it waits for the caller, who said nothing")
        _, mend = mend_for(EndReason.BRIDGE_FAILED)
        return Fail("the caller heard nothing of the agent", mend)
    at = record.started + first.started_ms / 1000
    return Ok(f"at +{at - rang:.2f} s, {first.started_ms:.0f} ms after the first frame")


def _replies(record: CallRecord) -> Verdict:
    latencies = _latencies(record)
    if not latencies:
        return NotChecked("the caller said nothing that was answered")
    cut = sum(turn.interrupted for turn in record.turns)
    shown = ", ".join(f"{latency:.0f} ms" for latency in latencies)
    return Ok(f"after {shown}; interruptions: {cut}")


def _end(record: CallRecord) -> Verdict:
    if not isinstance(record.state, Ended):
        return NotChecked("the call still goes on")
    what, mend = mend_for(record.state.reason)
    after = ""
    if record.ended is not None and record.started is not None:
        after = f" after {record.ended - record.started:.1f} s"
    if record.state.reason in _WELL:
        return Ok(f"{record.state.reason}{after}. {what}")
    return Fail(f"{record.state.reason}{after}. {what}", mend)
