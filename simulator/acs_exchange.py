"""What the calls of one simulated ACS share, and what an answer asks of it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from simulator.acs_callbacks import Issuer
from simulator.acs_switches import INVALID, AcsSwitches, Refusal
from simulator.acs_wire import AUDIO_FORMATS


@dataclass(frozen=True)
class Exchange:
    """The parts that every call needs."""

    switches: AcsSwitches
    issuer: Issuer
    http: aiohttp.ClientSession
    start: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None] | None]
    """Runs something beside, for no longer than the service; None once that is closing."""
    publish: Callable[[str, dict[str, Any]], Awaitable[None]]
    """Hands Event Grid an IncomingCall: subject and data."""
    numbers: frozenset[str]
    """Raw ids that ring here: a call redirected or transferred to one comes back to us."""
    bot: str
    """Raw id of the identity that answers."""


class Refused(Exception):
    """An operation is refused; the REST API answers so."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"{refusal.status}/{refusal.code} {refusal.message}")
        self.refusal = refusal


def invalid(what: str) -> Refused:
    """The request says something that ACS cannot take."""
    return Refused(Refusal(INVALID.status, INVALID.code, what))


def reply_to(body: dict[str, Any]) -> tuple[str | None, str | None]:
    """An operation's own context and callback URI, for the events that come of it."""
    return body.get("operationContext"), body.get("operationCallbackUri")


@dataclass(frozen=True)
class MediaOptions:
    """`mediaStreamingOptions` of an answer."""

    url: str
    rate: int
    start: bool
    bidirectional: bool
    dtmf: bool


@dataclass(frozen=True)
class Answer:
    """An answer request, validated."""

    callback_uri: str
    operation_context: str | None
    media: MediaOptions | None
    speech: bool
    """A Cognitive Services endpoint was given: text can be played."""


def parse_answer(body: dict[str, Any], switches: AcsSwitches) -> Answer:
    """Reads the body of `:answer`. Raises Refused."""
    callback_uri = body.get("callbackUri")
    if not isinstance(callback_uri, str) or not secure(callback_uri, "http", switches):
        raise invalid("The field CallbackUri is invalid.")
    intelligence = body.get("callIntelligenceOptions") or {}
    options = body.get("mediaStreamingOptions")
    return Answer(
        callback_uri,
        body.get("operationContext"),
        None if options is None else _media(options, switches),
        bool(intelligence.get("cognitiveServicesEndpoint")),
    )


def secure(url: str, scheme: str, switches: AcsSwitches) -> bool:
    """Whether ACS would call this URL: `https` or `wss`; plain only to this machine, by switch."""
    parts = urlsplit(url)
    if not parts.hostname:
        return False
    plain_is_fine = switches.insecure_loopback and parts.hostname == "127.0.0.1"
    return parts.scheme == f"{scheme}s" or (parts.scheme == scheme and plain_is_fine)


def _media(options: dict[str, Any], switches: AcsSwitches) -> MediaOptions:
    if options.get("transportType") != "websocket":
        raise invalid("mediaStreamingOptions.transportType must be websocket.")
    if options.get("contentType") != "audio":
        raise invalid("mediaStreamingOptions.contentType must be audio.")
    if options.get("audioChannelType") not in ("mixed", "unmixed"):
        raise invalid("mediaStreamingOptions.audioChannelType must be mixed or unmixed.")
    url = options.get("transportUrl")
    if not isinstance(url, str) or not secure(url, "ws", switches):
        raise invalid("mediaStreamingOptions.transportUrl is invalid.")
    asked = options.get("audioFormat") or "pcm16KMono"
    if asked not in AUDIO_FORMATS:
        raise invalid("mediaStreamingOptions.audioFormat is invalid.")
    return MediaOptions(
        url,
        switches.audio_rate or AUDIO_FORMATS[asked],
        start=bool(options.get("startMediaStreaming")),
        bidirectional=bool(options.get("enableBidirectional")),
        dtmf=bool(options.get("enableDtmfTones")),
    )
