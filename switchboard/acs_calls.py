"""What Switchboard asks of Azure Communication Services about a call, over the real async SDK."""

import logging
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TypeAlias

from azure.communication.callautomation import (
    AudioFormat,
    CallConnectionProperties,
    CallRejectReason,
    MediaStreamingAudioChannelType,
    MediaStreamingContentType,
    MediaStreamingOptions,
    PhoneNumberIdentifier,
    StreamingTransportType,
    TextSource,
)
from azure.communication.callautomation.aio import CallAutomationClient, CallConnectionClient

from switchboard.acs_requests import AcsRefused, AcsUnavailable, patiently
from switchboard.clock import wall_now
from switchboard.moves import AcsView
from switchboard.operations import Acted

_log = logging.getLogger(__name__)

APOLOGY_VOICE = "en-US-AvaMultilingualNeural"
"""Speaks whatever language the apology is written in (Azure Speech, multilingual voices)."""

_PROOFS = frozenset({(400, "8523"), (401, None), (403, None)})
"""Refusals after which nothing can have happened: invalid argument, not signed in, not allowed."""

_GONE = frozenset({(404, "8522"), (400, "8501"), (400, "8528"), (409, "8519"), (400, "8585")})
"""What a ring that is over, or answered already, may be refused with (ACS error tables)."""


@dataclass(frozen=True, kw_only=True)
class AnswerRequest:
    """One answer: made again from the same event, it is the same request to the byte."""

    context: str = field(repr=False)
    callback_url: str = field(repr=False)
    media_url: str = field(repr=False)
    cognitive_services_endpoint: str | None
    audio_rate: int
    repeatability_id: str
    first_sent: float
    """Wall time of the incoming-call event."""


@dataclass(frozen=True)
class Accepted:
    """The call is answered."""

    connection_id: str


@dataclass(frozen=True)
class Refused:
    """The service said no. `proof`: nothing can have happened. `gone`: the ring is over, or
    another attempt's answer took effect."""

    status: int
    sub_code: str
    proof: bool
    gone: bool


@dataclass(frozen=True)
class NoVerdict:
    """The service could not be asked, or its reply was lost."""

    why: str


AnswerVerdict: TypeAlias = Accepted | Refused | NoVerdict


class CallAutomation:
    """The operations on calls (`operations.AcsCalls` and more), none of which raises for what the
    service does. `client` comes from `azure_clients.acs_client`. Each request takes
    `limits.ACS_REQUEST_S` at most, retries included.
    """

    def __init__(self, client: CallAutomationClient) -> None:
        self._client = client

    async def answer(self, request: AnswerRequest) -> AnswerVerdict:
        """Answers a ringing call with a bidirectional media stream."""
        media = MediaStreamingOptions(
            transport_url=request.media_url,
            transport_type=StreamingTransportType.WEBSOCKET,
            content_type=MediaStreamingContentType.AUDIO,
            audio_channel_type=MediaStreamingAudioChannelType.MIXED,
            start_media_streaming=True,
            enable_bidirectional=True,
            audio_format=AudioFormat.PCM24_K_MONO
            if request.audio_rate == 24000
            else AudioFormat.PCM16_K_MONO,
            enable_dtmf_tones=True,
        )

        async def once() -> CallConnectionProperties:
            return await self._client.answer_call(
                request.context,
                request.callback_url,
                media_streaming=media,
                cognitive_services_endpoint=request.cognitive_services_endpoint,
                headers=_repeatable(request.repeatability_id, request.first_sent),
            )

        try:
            properties = await patiently(once, repeatable=True)
        except AcsRefused as error:
            kinds = {(error.status, error.sub_code), (error.status, None)}
            proof = bool(kinds & _PROOFS) and not error.reply_lost_before
            return Refused(error.status, error.sub_code, proof, gone=bool(kinds & _GONE))
        except AcsUnavailable as error:
            return NoVerdict(str(error))
        connection_id = properties.call_connection_id
        return Accepted(connection_id) if connection_id else NoVerdict("no call connection id")

    async def reject(self, context: str, repeatability_id: str, first_sent: float) -> Acted:
        """Rejects a ringing call: the caller hears the busy tone."""
        headers = _repeatable(repeatability_id, first_sent)
        return await _acted(
            "reject",
            lambda: self._client.reject_call(
                context, call_reject_reason=CallRejectReason.BUSY, headers=dict(headers)
            ),
            answered=False,
        )

    async def view(self, connection_id: str) -> AcsView:
        """What is true of the call now."""
        call = self._call(connection_id)
        try:
            properties = await patiently(call.get_call_properties, repeatable=True)
        except AcsRefused as error:
            if _is_gone(error):
                return AcsView.GONE
            _log.warning("acs view: refused, %s", error)
            return AcsView.UNKNOWN
        except AcsUnavailable as error:
            _log.warning("acs view: %s", error)
            return AcsView.UNKNOWN
        return _view_of(properties)

    async def restart(self, connection_id: str) -> Acted:
        """Starts media streaming; `REFUSED` means that it is on."""
        return await _acted("start streaming", self._call(connection_id).start_media_streaming)

    async def stop_and_start(self, connection_id: str) -> Acted:
        """Stops media streaming, whatever state it is in, then starts it."""
        await _acted(
            "stop streaming", self._call(connection_id).stop_media_streaming, answered=False
        )
        return await self.restart(connection_id)

    async def apologise(self, connection_id: str, text: str) -> Acted:
        """Speaks `text` to everyone on the call; returns when the service agreed to."""
        call = self._call(connection_id)
        source = TextSource(text=text, voice_name=APOLOGY_VOICE)
        return await _acted(
            "play",
            lambda: call.play_media(source, "all", interrupt_call_media_operation=True),
            repeatable=False,  # said twice is worse than not said
        )

    async def transfer(self, connection_id: str, number: str) -> Acted:
        """Asks for a blind transfer of the caller to `number` (E.164)."""
        call = self._call(connection_id)
        target = PhoneNumberIdentifier(number)
        headers = _repeatable(str(uuid.uuid4()), wall_now())
        return await _acted(
            "transfer", lambda: call.transfer_call_to_participant(target, headers=dict(headers))
        )

    async def hang_up(self, connection_id: str) -> Acted:
        """Ends the call for everyone."""
        call = self._call(connection_id)
        headers = _repeatable(str(uuid.uuid4()), wall_now())
        return await _acted("hang up", lambda: call.hang_up(True, headers=dict(headers)))

    def _call(self, connection_id: str) -> CallConnectionClient:
        return self._client.get_call_connection(connection_id)


async def _acted(
    operation: str,
    request: Callable[[], Awaitable[object]],
    *,
    repeatable: bool = True,
    answered: bool = True,
) -> Acted:
    try:
        await patiently(request, repeatable=repeatable, answered=answered)
    except AcsRefused as error:
        _log.info("acs %s: refused, %s", operation, error)
        return Acted.GONE if _is_gone(error) else Acted.REFUSED
    except AcsUnavailable as error:
        _log.warning("acs %s: %s", operation, error)
        return Acted.FAILED
    return Acted.DONE


def _is_gone(error: AcsRefused) -> bool:
    """404, or 400/8528: the call was terminated (ACS error tables)."""
    return error.status == 404 or (error.status, error.sub_code) == (400, "8528")


def _repeatable(repeatability_id: str, first_sent: float) -> dict[str, str]:
    """Given explicitly: the SDK (verified: 1.6.0) keeps what it is given, else draws them anew."""
    return {
        "Repeatability-Request-ID": repeatability_id,
        "Repeatability-First-Sent": formatdate(first_sent, usegmt=True),
    }


def _view_of(properties: CallConnectionProperties) -> AcsView:
    match properties.call_connection_state:
        case "disconnecting" | "disconnected":
            return AcsView.GONE
        case "transferring" | "transferAccepted":
            return AcsView.TRANSFERRING
        case "connecting" | "connected":
            subscription = properties.media_streaming_subscription
            state = subscription.state if subscription is not None else None
            if state is None:
                return AcsView.UNKNOWN
            return AcsView.STREAMING if state == "active" else AcsView.SILENT
        case _:
            return AcsView.UNKNOWN
