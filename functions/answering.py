"""Takes an incoming call: claim, setup message, answer, in this order; each effect after its write.

What may go wrong is either proven to have done nothing, and then the record ends here, or it is
left to the setup message, which surfaces after any ring is over.
"""

import asyncio
import logging
from dataclasses import replace
from typing import assert_never

from functions.decide import Answer, Envelope, Ignore, IncomingCall, Reject, decide
from functions.limits import EVENT_GRID_RETRY_S
from functions.loading import Services
from functions.log import Field, log
from switchboard import moves
from switchboard.acs_calls import Accepted, AnswerRequest, AnswerVerdict, NoVerdict, Refused
from switchboard.clock import wall_now
from switchboard.end_reason import EndReason
from switchboard.ledger import Decided, Left, StorageUnavailable
from switchboard.limits import ANSWER_WITHIN_S, EVENT_MAX_AGE_S
from switchboard.numbers import masked
from switchboard.record import Ended, MessageRef, RecordError
from switchboard.recovery import carry_out
from switchboard.session import (
    SessionDescriptor,
    derive_token,
    repeatability_id,
    token_hash,
    traceparent_of,
)


class TryAgain(Exception):
    """A second delivery of the event, while the phone still rings, could do better."""


async def take(services: Services, event: Envelope, traceparent: str | None = None) -> None:
    """Does what is to be done about one delivery of an event.

    Raises `TryAgain` when another delivery would help, and nothing else that has to do with the
    call: a business decision is never an error to Event Grid.
    """
    settings = services.settings
    decision = decide(
        event,
        await services.directory.current(),
        acs_resource_id=settings.acs_resource_id,
        unmapped=settings.unmapped,
        now=wall_now(),
    )
    match decision:
        case Ignore(why, call_id):
            log("call_ignored", logging.WARNING, call_id=call_id, why=why)
        case Reject(call, why):
            await _reject(services, call, why)
        case Answer():
            await _answer(services, decision, traceparent)
        case _:
            assert_never(decision)
    await services.directory.freshen()  # for the next call: this one has been seen to


async def _reject(services: Services, call: IncomingCall, why: str) -> None:
    token = derive_token(call.context, "callback", call.call_id)
    acted = await services.calls.reject(call.context, repeatability_id(token), call.rung_at)
    log(
        "call_rejected",
        logging.WARNING,
        call_id=call.call_id,
        why=why,
        called=masked(call.called),
        reason=EndReason.REJECTED,
        acted=acted.value,
    )


async def _answer(services: Services, answer: Answer, traceparent: str | None) -> None:
    call = answer.call
    descriptor = SessionDescriptor(
        call_id=call.call_id,
        called=call.called,
        caller=call.caller,
        caller_name=call.caller_name,
        correlation_id=call.correlation_id,
        server_call_id=call.server_call_id,
        rung_at=call.rung_at,
        agent=answer.route.agent,
        directory_generation=answer.generation,
        fallback_number=answer.route.fallback_number,
        traceparent=traceparent_of(call.call_id, traceparent),
        audio_rate=services.settings.audio_rate,
    )
    await _Attempt(services, call, descriptor).make()


class _Attempt:
    """One delivery's attempt at answering; another process may be making another."""

    def __init__(
        self, services: Services, call: IncomingCall, descriptor: SessionDescriptor
    ) -> None:
        self._services = services
        self._call = call
        self._descriptor = descriptor
        self._media_token = derive_token(call.context, "media", call.call_id)
        self._callback_token = derive_token(call.context, "callback", call.call_id)
        self._answer_by = asyncio.get_running_loop().time() + ANSWER_WITHIN_S
        self._setup: MessageRef | None = None

    async def make(self) -> None:
        """Claims the call and, if the claim is won, answers it."""
        hashes = token_hash(self._media_token), token_hash(self._callback_token)
        try:
            claim = await self._services.ledger.open(self._descriptor, *hashes)
        except (StorageUnavailable, RecordError) as error:
            self._log("claim_failed", logging.ERROR, why=str(error))
            self._try_again()
            return
        match claim:
            case Left(why, _):
                self._log("call_left_alone", why=why.value)
            case Decided():
                await self._carry_out(claim)

    async def _carry_out(self, decided: Decided) -> None:
        """Raises StorageUnavailable."""
        for effect in decided.effects:
            if isinstance(effect, moves.Answer):
                await self._send_setup()
                await self._report(effect.attempt, await self._request_answer())
            else:
                rest = replace(decided, effects=(effect,))
                await carry_out(self._services.ledger, self._services.calls, rest)

    async def _send_setup(self) -> None:
        try:
            self._setup = await self._services.ledger.messages.send_setup(self._descriptor)
        except StorageUnavailable as error:
            # Answer all the same: the worker's own message takes its place.
            self._log("setup_message_failed", logging.ERROR, why=str(error))

    async def _request_answer(self) -> AnswerVerdict:
        """The same request, to the byte, whoever makes it for this event."""
        settings, path = self._services.settings, self._call.call_id
        request = AnswerRequest(
            context=self._call.context,
            callback_url=f"{settings.callback_url}/calls/{path}/{self._callback_token}",
            media_url=f"{settings.media_url}/media/{path}/{self._media_token}",
            cognitive_services_endpoint=settings.cognitive_services_endpoint,
            audio_rate=settings.audio_rate,
            repeatability_id=repeatability_id(self._callback_token),
            first_sent=self._call.rung_at,
        )
        try:
            async with asyncio.timeout_at(self._answer_by):
                return await self._services.calls.answer(request)
        except TimeoutError:
            return NoVerdict("out of time")

    async def _report(self, attempt: int, verdict: AnswerVerdict) -> None:
        match verdict:
            case Accepted(connection_id):
                self._log("call_answered", attempt=attempt, connection_id=connection_id)
                await self._record(moves.AnswerAccepted(connection_id, self._setup))
            case Refused(status, sub_code, proof, gone):
                level = logging.WARNING if gone else logging.ERROR
                code = f"{status}/{sub_code}"
                self._log("answer_refused", level, attempt=attempt, code=code, proof=proof)
                await self._record(moves.AnswerRefused(attempt, proof, self._setup))
            case NoVerdict(why):
                self._log("answer_in_doubt", logging.ERROR, attempt=attempt, why=why)
                await self._record(moves.AnswerRefused(attempt, False, self._setup))
                self._try_again()
            case _:
                assert_never(verdict)

    async def _record(self, event: moves.AnswerAccepted | moves.AnswerRefused) -> None:
        try:
            decided = await self._services.ledger.decide(self._call.call_id, event)
            if isinstance(decided, Decided):
                await self._carry_out(decided)
                if decided.record.state == Ended(EndReason.ANSWER_REFUSED):
                    self._log("call_ended", reason=EndReason.ANSWER_REFUSED)
        except (StorageUnavailable, RecordError) as error:
            # Nothing is missing: the socket names the connection, and the setup message surfaces.
            self._log("record_not_written", logging.ERROR, why=str(error))

    def _try_again(self) -> None:
        """Lets the delivery fail if the next one still finds a ringing phone."""
        next_age = wall_now() + EVENT_GRID_RETRY_S - self._call.rung_at
        if next_age < EVENT_MAX_AGE_S:
            raise TryAgain(self._call.call_id)

    def _log(self, event: str, level: int = logging.INFO, **fields: Field) -> None:
        log(event, level, call_id=self._call.call_id, agent=self._descriptor.agent.name, **fields)
