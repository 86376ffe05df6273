"""What a call asks of the process around it: the `Owner` of `media_worker.leg`.

The claim is its word in the ledger; here are the sockets that come and go, the recovery, and the
end. Renewals run beside the call.
"""

import asyncio
from collections.abc import Sequence

from media_worker import log
from media_worker.claim import OUTAGE, Claim
from media_worker.leg import CallOutcome, Ended, Gone, Resumed, SocketLost, Superseded
from media_worker.limits import RECOVERY_PAUSES_S, RESUME_S
from media_worker.socket_leg import REPLACED, SocketLeg
from switchboard import moves, record
from switchboard.decisions import Why
from switchboard.end_reason import EndReason
from switchboard.ledger import Ledger
from switchboard.limits import RENEW_EVERY_S
from switchboard.operations import AcsCalls
from switchboard.record import TurnRecord
from switchboard.recovery import Recovered, end_call, recover
from switchboard.transfer import transfer


class Ownership:
    """The `Owner` of one call, for as long as this process carries it.

    `group` outlives the call: what was begun in the ledger is seen through even if the call stops
    waiting for it.
    """

    def __init__(
        self,
        call_id: str,
        connection_id: str,
        leg: SocketLeg,
        *,
        ledger: Ledger,
        acs: AcsCalls,
        group: asyncio.TaskGroup,
    ) -> None:
        self.call_id = call_id
        self.connection_id = connection_id
        self.leg = leg
        """The newest leg that spoke, or the first one."""
        self.claim = Claim(ledger, call_id)
        self._ledger = ledger
        self._acs = acs
        self._group = group
        self._turns: tuple[TurnRecord, ...] = ()
        self.next: SocketLeg | None = None
        """A socket that has taken the call and is not with the call yet."""
        self._recovery: asyncio.Task[None] | None = None
        self._recovered: Recovered | None = None
        """The result of the newest recovery; None: under way, or storage was out."""
        self._news = asyncio.Event()
        """The next socket, or the recovery's result, is there."""
        self._ending = False
        """The call is being ended by us: nothing is taken, replaced or let go any more."""

    # --- taking and keeping -----------------------------------------------------------------------

    async def first_frame(self) -> bool:
        """Takes the call. True also when storage is out: the caller is here, and the renewals say
        it again."""
        return await self.claim.take(self.connection_id)

    async def replace(self, leg: SocketLeg, connection_id: str) -> bool:
        """A further socket of this call has spoken: it takes the call and the former is closed.
        False: it came too late."""
        if self._ending or not await self.claim.take(connection_id):
            return False
        former, self.leg, self.next = self.leg, leg, leg
        self.connection_id = connection_id
        self._news.set()
        await former.close(REPLACED)
        return True

    async def keep(self) -> None:
        """Renews the claim; returns when the call is no longer ours, so that it be let go."""
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            try:
                if not await self._is_ours():
                    return
                await self.claim.renew()
            except OUTAGE:
                self.claim.log_outage("renewal")

    async def _is_ours(self) -> bool:
        if not self.claim.is_made:
            return True  # the leg did not speak yet
        if self.claim.epoch == 0:  # storage was out when it did
            return await self.claim.make_good()
        state = await self.claim.standing()
        if state is None or self._is_at_work():
            return True
        if isinstance(state, record.Lost) and await self.claim.still_heard():
            return True
        name = record.state_name(state)
        log.event("call_superseded", call_id=self.call_id, state=name)
        return False

    async def checkpoint(self, turns: Sequence[TurnRecord]) -> bool:
        """Keeps the turns. False only when somebody else has the call or has ended it."""
        self._turns = tuple(turns)
        refused = await self.claim.keep_turns(self._turns)
        if refused is None or self._is_at_work():
            return True
        return refused is Why.LOST and await self.claim.still_heard()

    def _is_at_work(self) -> bool:
        """Whether the record changes by our own doing: by a recovery, or an end. A call whose leg
        is closed is about to ask for one."""
        return self._ending or self.leg.is_closed or self._is_recovering()

    # --- losing -----------------------------------------------------------------------------------

    async def socket_lost(self) -> SocketLost:
        """Waits for the next socket, which the recovery asks for, within `RESUME_S`."""
        if self.next is None:
            self._doubt(moves.SocketLost(self.claim.epoch))
        try:
            async with asyncio.timeout(RESUME_S):
                while not await self._is_decided():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            pass
        if self.next is not None:
            leg, self.next = self.next, None
            return Resumed(leg)
        if self._recovered is Recovered.GONE:
            return Gone()
        if self._recovered in (Recovered.ENDED, Recovered.OVER):
            return Gone(await self.claim.end_reason() or EndReason.MEDIA_FAILED)
        return Superseded()

    def hand_over(self) -> None:
        """Begins to move the call to another worker, in a pause of the conversation. Should ACS
        come back to this one, the call goes on here."""
        self._doubt(moves.HandOver(self.claim.epoch, self._turns))

    async def _is_decided(self) -> bool:
        """Whether there is nothing to wait for: the next socket is here, the call is over, or it
        is somebody else's."""
        if self.next is not None or self._recovered is None:
            return self.next is not None
        return self._recovered is not Recovered.HEALTHY or await self.claim.is_held_elsewhere()

    def _doubt(self, doubt: moves.Doubt) -> None:
        """Starts the recovery, unless one is under way."""
        if not self._is_recovering():
            self._recovered = None
            self._recovery = self._group.create_task(self._recover(doubt))

    async def _recover(self, doubt: moves.Doubt) -> None:
        for pause in (*RECOVERY_PAUSES_S, 0.0):
            try:
                self._recovered = await recover(self._ledger, self._acs, self.call_id, doubt)
            except OUTAGE:
                self.claim.log_outage("recovery")
                # Nothing may be done about the call without its record, but its end can be seen.
                if await self._acs.view(self.connection_id) is moves.AcsView.GONE:
                    self._recovered = Recovered.GONE
            if self._recovered is not None:
                log.event("call_recovered", call_id=self.call_id, outcome=self._recovered.value)
                break
            await asyncio.sleep(pause)
        self._news.set()

    def _is_recovering(self) -> bool:
        return self._recovery is not None and not self._recovery.done()

    async def transfer(self, number: str) -> bool:
        """Asks ACS, and watches what becomes of it: half a minute at most."""
        return await transfer(self._acs, self.connection_id, number, asyncio.sleep)

    # --- ending -----------------------------------------------------------------------------------

    async def part(self, outcome: CallOutcome, parting: moves.Parting) -> None:
        """Ends the call in the record, then at ACS."""
        await asyncio.shield(self._group.create_task(self._end(outcome, parting)))

    async def _end(self, outcome: CallOutcome, parting: moves.Parting) -> None:
        self._ending = True
        await self.claim.make_good()
        reason = outcome.ending.reason if isinstance(outcome.ending, Ended) else EndReason.FAULT
        ending = moves.Ending(self.claim.epoch, reason, parting, outcome.turns, outcome.usage)
        try:
            await end_call(self._ledger, self._acs, self.call_id, ending)
        except OUTAGE:
            self.claim.log_outage("end")
            await self._acs.hang_up(self.connection_id)

    async def finish(self, outcome: CallOutcome) -> None:
        """The last act, after the call and all that `group` did for it: the record says how the
        call ended if that is ours to say, and our message is gone unless it is the call's own."""
        if not self._ending:
            await self.claim.finish(outcome)
        await self.claim.release()
