"""The calls of one process: a media socket comes through the doors, is carried, and is logged."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import assert_never

from aiohttp import web

from media_worker import doors, log
from media_worker.bridges import OpenBridge
from media_worker.call import Call
from media_worker.doors import Knock, Refusal
from media_worker.edge import contained
from media_worker.leg import CallOutcome, Ended, LetGo
from media_worker.limits import DOOR_S, FIRST_FRAME_S
from media_worker.ownership import Ownership
from media_worker.settings import Settings
from media_worker.socket_leg import REPLACED, SocketLeg, media_socket
from switchboard import moves
from switchboard.acs_jwt import AcsTokens, Refused, Verified
from switchboard.clock import wall_now
from switchboard.end_reason import EndReason
from switchboard.ledger import Ledger, StorageUnavailable
from switchboard.operations import AcsCalls
from switchboard.record import CallRecord, RecordError
from switchboard.session import is_call_id, tokens_match


@dataclass
class Carried:
    """A call that this process carries."""

    call: Call
    owner: Ownership
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Worker:
    """Takes media sockets; `calls` are those in progress, by call id."""

    def __init__(
        self,
        settings: Settings,
        *,
        ledger: Ledger,
        acs: AcsCalls,
        tokens: AcsTokens,
        bridge_for: Callable[[CallRecord], OpenBridge],
    ) -> None:
        """`bridge_for`: how the call of this record opens its bridge."""
        self.settings = settings
        self.calls: dict[str, Carried] = {}
        self.draining = False
        self._ledger = ledger
        self._acs = acs
        self._tokens = tokens
        self._bridge_for = bridge_for
        now = asyncio.get_running_loop().time()
        self._handshakes = {Verified: doors.Handshakes(now), Refused: doors.Handshakes(now)}
        self._busy = 0
        self._at_the_door = 0
        self._changed = asyncio.Event()

    @property
    def live_calls(self) -> int:
        """Calls in progress, until the last word about them is written."""
        return self._busy

    async def media(self, request: web.Request) -> web.StreamResponse:
        """`GET /media/{call_id}/{token}`: the WebSocket of one call, or a refusal before the
        upgrade. Draining never refuses: the caller is already answered."""
        knock = Knock.of(request.match_info, request.headers)
        socket = media_socket()
        if not socket.can_prepare(request):
            return _refused(Refusal(426, "upgrade", "a WebSocket handshake"), knock)
        admitted = await self._admit(knock, request.headers.get("Authorization"))
        if isinstance(admitted, Refusal):
            return _refused(admitted, knock)
        self._at_the_door += 1
        try:
            await socket.prepare(request)
        finally:
            self._at_the_door -= 1
        leg, connection_id = SocketLeg(socket, request.transport), knock.connection_id or ""
        while (carried := self.calls.get(admitted.call_id)) is not None:
            if not await self._join(carried, leg, connection_id):
                return socket
            admitted = await self._newest(admitted)
        await self._carry(admitted, leg, connection_id)
        return socket

    async def emptied(self, limit_s: float) -> bool:
        """Waits until no call is in progress; False: there still is one after `limit_s`."""
        try:
            async with asyncio.timeout(limit_s):
                while self._busy:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    # --- the doors --------------------------------------------------------------------------------

    async def _admit(self, knock: Knock, authorization: str | None) -> CallRecord | Refusal:
        if (odd := doors.shape(knock)) is not None:
            return odd
        try:
            async with asyncio.timeout(DOOR_S):
                return await self._admit_call(knock, authorization)
        except (StorageUnavailable, RecordError, TimeoutError) as error:
            return Refusal(503, "record", "readable", type(error).__name__)

    async def _admit_call(self, knock: Knock, authorization: str | None) -> CallRecord | Refusal:
        verdict = await self._tokens.verify(authorization)
        # Strangers have a bucket of their own: a flood of them keeps no caller out.
        if not self._handshakes[type(verdict)].take(asyncio.get_running_loop().time()):
            return doors.TOO_MANY
        refusal = doors.identity(verdict, self.settings.media_auth)
        found = await self._ledger.records.get(knock.call_id)
        record = found.record if found else None
        if refusal is None:
            if isinstance(verdict, Refused):
                log.event(
                    "media_token_doubtful",
                    "warning",
                    call_id=knock.call_id,
                    claim=verdict.claim,
                    expected=verdict.expected,
                    received=verdict.received,
                )
            refusal = doors.admission(knock, record)
        if refusal is None:
            others = self._busy + self._at_the_door - (knock.call_id in self.calls)
            refusal = doors.room(others, self.settings.max_calls)
        if refusal is None:
            assert record is not None, "a call without a record is not admitted"
            return record
        if record is not None and tokens_match(knock.token, record.media_token_hash):
            # No stranger: the recovery will want to know why this call has no media.
            await self._ledger.decide(knock.call_id, moves.MediaRefused(refusal.claim))
        return refusal

    # --- the call ---------------------------------------------------------------------------------

    async def _join(self, carried: Carried, leg: SocketLeg, connection_id: str) -> bool:
        """A further socket of a call in progress; returns when it is done. True: the call was let
        go while this socket came, which the call never had: it begins anew here."""
        if not await leg.spoke(FIRST_FRAME_S):
            await leg.close(REPLACED)
            return False
        if carried.over.is_set():
            return True
        if not await carried.owner.replace(leg, connection_id):
            await leg.close(REPLACED)
            return False
        await _first_of(leg.closed, carried.over.wait)
        return carried.owner.next is leg and not leg.is_closed

    async def _newest(self, record: CallRecord) -> CallRecord:
        """The record as it stands, which knows what was said since this one was read."""
        with suppress(StorageUnavailable, RecordError):
            if (found := await self._ledger.records.get(record.call_id)) is not None:
                return found.record
        return record

    async def _carry(self, record: CallRecord, leg: SocketLeg, connection_id: str) -> None:
        """Carries a call from its first socket to the last word about it."""
        began = asyncio.get_running_loop().time()
        self._busy += 1
        try:
            async with asyncio.TaskGroup() as group:
                owner = Ownership(
                    record.call_id,
                    connection_id,
                    leg,
                    ledger=self._ledger,
                    acs=self._acs,
                    group=group,
                )
                outcome = await self._run(record, leg, owner, group)
            await owner.finish(outcome)
            if owner.next is None:
                await owner.leg.close(1000)
            reason = await owner.claim.end_reason()
            _log_end(record, outcome, reason, asyncio.get_running_loop().time() - began)
        finally:
            self._busy -= 1
            self._changed.set()

    async def _run(
        self, record: CallRecord, leg: SocketLeg, owner: Ownership, group: asyncio.TaskGroup
    ) -> CallOutcome:
        call = Call(
            record.descriptor,
            leg,
            self._bridge_for(record),
            owner,
            playout_delay_ms=self.settings.playout_delay_ms,
            earlier=record.turns,
            earlier_s=max(0.0, wall_now() - record.started) if record.started else 0.0,
        )
        carried = self.calls[record.call_id] = Carried(call, owner)
        keeper = group.create_task(_keep(owner, call))
        try:
            await owner.claim.announce()
            outcome = await contained("call", call.run(), call_id=record.call_id)
            if outcome is None:
                outcome = CallOutcome(Ended(EndReason.FAULT))
                await owner.part(outcome, "apologise")
            return outcome
        finally:
            keeper.cancel()
            del self.calls[record.call_id]
            carried.over.set()


async def _keep(owner: Ownership, call: Call) -> None:
    await owner.keep()
    call.let_go()


async def _first_of(*waits: Callable[[], Awaitable[object]]) -> None:
    """Returns when the first of `waits` does; the others are cancelled."""

    async def wait_for(wait: Callable[[], Awaitable[object]]) -> None:
        await wait()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(wait_for(wait)) for wait in waits]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()


def _refused(refusal: Refusal, knock: Knock) -> web.Response:
    """The answer names what failed; what was expected is for the log."""
    log.event(
        "media_refused",
        "warning",
        call_id=knock.call_id if is_call_id(knock.call_id) else "",
        status=refusal.status,
        claim=refusal.claim,
        expected=refusal.expected,
        received=refusal.received,
    )
    headers = {"Retry-After": "1"} if refusal.status in (429, 503) else {}
    body = {"error": "refused", "claim": refusal.claim}
    return web.json_response(body, status=refusal.status, headers=headers)


def _log_end(
    record: CallRecord, outcome: CallOutcome, reason: EndReason | None, duration_s: float
) -> None:
    """The last line of a call; `call_left` when it goes on elsewhere or somebody else ends it."""
    match outcome.ending:
        case Ended(seen):
            name, why = "call_ended", str(reason or seen)
        case LetGo(left):
            name, why = ("call_ended", str(reason)) if reason else ("call_left", left)
        case _:
            assert_never(outcome.ending)
    replies = [turn.reply_latency_ms for turn in outcome.turns]
    log.event(
        name,
        call_id=record.call_id,
        correlation_id=record.descriptor.correlation_id,
        traceparent=record.descriptor.traceparent or "",
        agent=record.descriptor.agent.name,
        bridge=record.descriptor.agent.bridge,
        reason=why,
        error=outcome.failure,
        duration_s=round(duration_s, 3),
        greeting_ms=round(outcome.greeting_ms or 0.0, 1),
        turns=len(outcome.turns),
        interruptions=sum(turn.interrupted for turn in outcome.turns),
        reply_latency_ms=[round(latency, 1) for latency in replies if latency is not None],
        frames_in=outcome.frames_in,
        frames_out=outcome.frames_out,
        frames_skipped=outcome.frames_skipped,
        usage=dict(outcome.usage),
    )
