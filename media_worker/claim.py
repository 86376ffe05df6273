"""This process's claim on one call: its name in the record and its message on the queue.

An outage of storage never ends a call: what could not be written is said again with the next
renewal, and meanwhile the caller is heard.
"""

import asyncio
import secrets
from collections.abc import Callable

from media_worker import log
from media_worker.leg import CallOutcome, Ended
from media_worker.limits import ANNOUNCE_S, FINISH_PAUSES_S, TAKE_S
from switchboard import moves, record
from switchboard.decisions import Why
from switchboard.end_reason import EndReason
from switchboard.ledger import Decided, Ledger, Left, StorageUnavailable, Verdict, Versioned
from switchboard.record import MessageRef, RecordError, TurnRecord

OUTAGE = (StorageUnavailable, RecordError)
"""What the ledger raises; the claim answers it with patience."""


class Claim:
    """One call's claim, from the door to the end. `epoch` and `message` are its newest."""

    def __init__(self, ledger: Ledger, call_id: str) -> None:
        self.call_id = call_id
        self.epoch = 0
        """0 until the call is taken, or if storage was out when it was."""
        self.message: MessageRef | None = None
        self._ledger = ledger
        self._writing = asyncio.Lock()
        """One event at a time, so that each is made of the newest epoch."""
        self._connection_id = ""
        self._names: list[str] = []
        """What the record may call us: one name for each socket, the newest last."""

    @property
    def is_made(self) -> bool:
        """Whether a socket has spoken for us."""
        return bool(self._names)

    async def announce(self) -> None:
        """Sends the live message, between the door and the first frame: from then on the call is
        on the queue because of us."""
        try:
            async with asyncio.timeout(ANNOUNCE_S):
                self.message = await self._ledger.messages.send_live(self.call_id)
        except (StorageUnavailable, TimeoutError):
            self.log_outage("announce")

    async def take(self, connection_id: str) -> bool:
        """A socket of this connection spoke: the call is ours. False: somebody is ending it, or
        the connection is another's."""
        self._names.append(secrets.token_hex(8))
        self._connection_id = connection_id
        return await self._take()

    async def make_good(self) -> bool:
        """Says in the record what it missed, if storage was out when the newest socket spoke.
        False: too late."""
        return self.epoch > 0 or not self.is_made or await self._take()

    async def _take(self) -> bool:
        connection_id, verdict = self._connection_id, None
        try:
            async with asyncio.timeout(TAKE_S):
                verdict = await self._decide(
                    lambda: moves.FirstFrame(self._names[-1], self.message, connection_id)
                )
        except TimeoutError:
            self.log_outage("take")
        why = verdict.why if isinstance(verdict, Left) else None
        if isinstance(verdict, Decided) and isinstance(verdict.record.state, record.Ended):
            why = Why.ENDED  # which leaves our message to be deleted, and that was done
        if why is not None:
            log.event("call_not_taken", "warning", call_id=self.call_id, outcome=why)
            return False
        log.event("call_taken", call_id=self.call_id, epoch=self.epoch, connection_id=connection_id)
        return True

    async def still_heard(self) -> bool:
        """The record says that nobody hears the caller, but we do: says so. False: too late."""
        verdict = await self._decide(
            lambda: moves.StillHeard(
                self.epoch, self._names[-1], self.message.id if self.message else None
            )
        )
        return not isinstance(verdict, Left)

    async def standing(self) -> record.State | None:
        """How the record stands if that is news: None when the call is ours, as far as is known.

        Raises what `OUTAGE` names.
        """
        # Not its ETag first: to ask the SDK for that alone takes as much CPU as to read the record,
        # and every turn of the conversation changes it.
        found = await self._ledger.records.get(self.call_id)
        if found is None or self._is_ours(found):  # None: removed by hand, so nobody took it
            return None
        return found.record.state

    async def is_held_elsewhere(self) -> bool:
        """Whether another process's socket spoke last."""
        try:
            found = await self._ledger.records.get(self.call_id)
        except OUTAGE:
            self.log_outage("read")
            return False
        live = found is not None and isinstance(found.record.state, record.Live)
        return found is not None and live and not self._is_ours(found)

    async def renew(self) -> None:
        """Keeps the live message hidden; one that was lost is replaced and named in the record.

        Raises what `OUTAGE` names.
        """
        messages = self._ledger.messages
        if self.message is not None:
            self.message = await messages.renew(self.message)
        if self.message is None:
            self.message = fresh = await messages.send_live(self.call_id)
            log.event("live_message_replaced", call_id=self.call_id, epoch=self.epoch)
            await self._decide(lambda: moves.Replaced(self.epoch, fresh.id))

    async def keep_turns(self, turns: tuple[TurnRecord, ...]) -> Why | None:
        """Writes the turns so far; tells why that was refused. Nothing is written while the
        record does not know that the call is ours."""
        if not await self.make_good():
            return Why.SUPERSEDED
        if self.epoch == 0:
            return None
        verdict = await self._decide(lambda: moves.Checkpoint(self.epoch, turns))
        return verdict.why if isinstance(verdict, Left) else None

    async def finish(self, outcome: CallOutcome) -> None:
        """Writes the end of a call that is gone and deletes its message, with patience."""
        if not isinstance(outcome.ending, Ended):
            return
        reason = outcome.ending.reason
        for pause in (*FINISH_PAUSES_S, 0.0):
            await self.make_good()
            verdict = await self._decide(
                lambda: moves.Finished(
                    self.epoch, reason, self.message, outcome.turns, outcome.usage
                )
            )
            if verdict is not None:
                break
            await asyncio.sleep(pause)

    async def release(self) -> None:
        """Deletes the live message, unless it is the call's own still."""
        if (message := self.message) is not None:
            await self._decide(lambda: moves.LetGo(message))

    async def end_reason(self) -> EndReason | None:
        """The call's end as it stands in the record; None: it has not ended, or cannot be read."""
        try:
            return await self._ledger.end_reason(self.call_id)
        except OUTAGE:
            self.log_outage("read")
            return None

    def _is_ours(self, found: Versioned) -> bool:
        state = found.record.state
        return isinstance(state, record.Live) and state.owner in self._names

    async def _decide(self, make: Callable[[], moves.Event]) -> Verdict | None:
        """The verdict on an event, its effects done; None: storage is out."""
        async with self._writing:
            event = make()
            try:
                verdict = await self._ledger.decide(self.call_id, event)
            except OUTAGE:
                self.log_outage(type(event).__name__)
                return None
            if isinstance(verdict, Decided) and verdict.record.epoch:
                self.epoch = verdict.record.epoch
        for effect in verdict.effects if isinstance(verdict, Decided) else ():
            assert isinstance(effect, moves.DeleteMessage), "an owner's events delete, no more"
            await self._delete(effect.message)
        return verdict

    async def _delete(self, message: MessageRef) -> None:
        if message == self.message:
            self.message = None
        try:
            await self._ledger.messages.delete(message)
        except StorageUnavailable:
            self.log_outage("delete")  # it surfaces, is nobody's, and is deleted then

    def log_outage(self, doing: str) -> None:
        """One line for one thing that storage did not do."""
        log.event("storage_unavailable", "warning", call_id=self.call_id, error=doing)
