"""Ends a call under a claim that was won: apology, transfer or hang-up, then the record's end."""

from enum import Enum
from typing import assert_never

from switchboard import limits
from switchboard.decisions import Why
from switchboard.ledger import Decided, Ledger, Left
from switchboard.moves import Apologise, Closed, Effect, HangUp, StillClosing, Transfer
from switchboard.operations import AcsCalls, Acted
from switchboard.record import CallRecord, Closing
from switchboard.transfer import Sleep, transfer


class Recovered(Enum):
    """How a recovery ended."""

    HEALTHY = "healthy"
    """Somebody hears the caller, or nothing is wrong as far as ACS says: nothing was done."""
    GONE = "gone"
    """The call is over at ACS, and its owner is to write the end (`Finished`)."""
    ENDED = "ended"
    """This recovery ended the call, and its record."""
    OVER = "over"
    """The record was `ended` by another party."""
    LEFT = "left"
    """Another party is ending the call, or it is being transferred, or the limits of this
    recovery were reached: the message in the queue stays and brings the next one."""


def left_as(why: Why) -> Recovered:
    """How a recovery ends that leaves the record as it stands."""
    match why:
        case Why.HEALTHY | Why.SUPERSEDED | Why.LOST | Why.FOREIGN:
            return Recovered.HEALTHY
        case Why.GONE:
            return Recovered.GONE
        case Why.ENDED:
            return Recovered.OVER
        case Why.CLOSING | Why.TRANSFERRING | Why.TOO_SOON | Why.NO_RECORD:
            return Recovered.LEFT
        case _:
            assert_never(why)


class Closer:
    """Ends one call for the caller, then its record, under a claim it has won. Between its acts it
    renews the claim: a closer so slow that another took over does nothing more."""

    def __init__(self, ledger: Ledger, acs: AcsCalls, record: CallRecord, sleep: Sleep) -> None:
        assert isinstance(record.state, Closing)
        assert record.connection_id is not None, "a call that an answer or media reached has one"
        self._ledger, self._acs, self._sleep = ledger, acs, sleep
        self._call_id, self._connection_id = record.call_id, record.connection_id
        self._claim = record.state.claim
        self._claim_is_fresh = True

    async def run(self, effects: tuple[Effect, ...]) -> Recovered:
        transferred = False
        for effect in effects:
            if not await self._still_ours():
                return Recovered.LEFT
            match effect:
                case Apologise(text):
                    await self._say(text)
                case Transfer(number):
                    transferred = await self._transfer(number)
                case HangUp():
                    pass
                case _:
                    raise AssertionError(f"{effect} does not go with a closing call")
        if not transferred:
            if not await self._still_ours():
                return Recovered.LEFT
            if await self._acs.hang_up(self._connection_id) not in (Acted.DONE, Acted.GONE):
                return Recovered.LEFT
        match await self._ledger.decide(self._call_id, Closed(self._claim, transferred)):
            case Decided():
                return Recovered.ENDED
            case Left(why):
                return left_as(why)

    async def _say(self, text: str) -> None:
        self._claim_is_fresh = False
        if await self._acs.apologise(self._connection_id, text) is Acted.DONE:
            await self._still_ours()
            await self._sleep(spoken_s(text))
            self._claim_is_fresh = False

    async def _transfer(self, number: str) -> bool:
        self._claim_is_fresh = False
        return await transfer(self._acs, self._connection_id, number, self._sleep, self._watching)

    async def _watching(self, polled: int) -> bool:
        self._claim_is_fresh = False
        return polled % limits.CLOSING_REFRESH_POLLS != 0 or await self._still_ours()

    async def _still_ours(self) -> bool:
        if not self._claim_is_fresh:
            verdict = await self._ledger.decide(self._call_id, StillClosing(self._claim))
            self._claim_is_fresh = isinstance(verdict, Decided)
        return self._claim_is_fresh


def spoken_s(text: str) -> float:
    """How long ACS needs to say `text`, at most `APOLOGY_MAX_S`."""
    whole = limits.SPEECH_START_S + len(text) * limits.SPEECH_S_PER_CHARACTER
    return min(limits.APOLOGY_MAX_S, whole)
