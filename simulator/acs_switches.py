"""What is not known of ACS, and what can go wrong with it: each a switch.

The defaults are the likeliest readings of the documentation. Whatever the product does must hold
under every setting.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Moment: TypeAlias = Literal["response", "socket", "connected", "participants", "streaming"]
"""After an answer: the REST response, the media socket, and the three callbacks."""

ANSWER_ORDER: tuple[Moment, ...] = ("response", "socket", "connected", "participants", "streaming")

Destiny: TypeAlias = Literal["accepted", "voicemail", "declined", "busy", "no_answer"]
"""What becomes of a transfer or an invitation. Voicemail counts as accepted (azure-sdk-for-js
issue 33159)."""


@dataclass(frozen=True)
class Refusal:
    """An error response: HTTP status, ACS code, words."""

    status: int
    code: str
    message: str = ""


CALL_NOT_FOUND = Refusal(404, "8522", "Call not found")
NOT_ESTABLISHED = Refusal(400, "8501", "Action is not valid before the call is established")
WRONG_STATE = Refusal(400, "8585", "Action is not valid in the current state of the call")
INVALID = Refusal(400, "8523", "Invalid argument")


@dataclass
class Fault:
    """Something that goes wrong with the next `times` requests for `operation` (`*`: any).

    Operations are named as in the URL: answer, reject, redirect, get, hangup, terminate, play,
    transferToParticipant, startMediaStreaming, ... A fault with a `refusal` replaces the operation;
    one without lets it happen, late or with its reply lost.
    """

    operation: str
    refusal: Refusal | None = None
    retry_after: str | None = None
    times: int = 1
    delay_s: float = 0.0
    reply_delay_s: float = 0.0
    lose_reply: bool = False
    """The operation is carried out, then the connection breaks before the response."""


@dataclass
class AcsSwitches:
    """Every field may be changed while calls are in progress."""

    # Ringing and answering
    ring_s: float = 30.0
    """An incoming call rings 30 s (ACS incoming-call-notification docs)."""
    answer_order: tuple[Moment, ...] = ANSWER_ORDER
    moment_delay_s: Mapping[str, float] = field(default_factory=dict)
    """Waited before a Moment of the answer; 20 ms where nothing is said, none before `response`."""
    answered_state: Literal["connecting", "connected"] = "connecting"
    second_answer: Refusal | None = CALL_NOT_FOUND
    """To answering an answered, ended or expired call. None: the first answer's response again."""
    after_redirect: Refusal | None = CALL_NOT_FOUND
    """To a reject or answer after a redirect; None: a reject then succeeds, as older docs say."""
    repeatability: bool = True
    """Whether the same Repeatability-Request-ID gets the first response again, unexecuted."""
    insecure_loopback: bool = True
    """Whether http and ws URLs are taken for 127.0.0.1. ACS takes https and wss only."""
    faults: list[Fault] = field(default_factory=list)

    # Callbacks
    callback_delay_s: Mapping[str, float] = field(default_factory=dict)
    """By event type, without the prefix."""
    callback_copies: Mapping[str, int] = field(default_factory=dict)
    """By event type: 2 sends it twice, 0 never."""
    callback_attempts: int = 1
    """Tries when the callback is not answered with 2xx; nothing about retries is documented."""
    callback_retry_s: float = 1.0
    callback_limit_s: float = 10.0
    """How long ACS waits for a callback's response."""
    callback_after_end: bool = False
    """Whether events still come after CallDisconnected."""

    # Media sockets
    audio_rate: int | None = None
    """In hertz: sends this rate whatever was asked for."""
    metadata: Literal["first", "missing"] = "first"
    media_unreachable: bool = False
    """No socket is even tried: MediaStreamingFailed 8581."""
    media_attempts: int = 1
    """Tries to open a socket before MediaStreamingFailed."""
    media_retry_s: float = 0.5
    media_open_limit_s: float = 5.0
    media_send_limit_s: float = 5.0
    """A socket that takes no frame for so long is given up."""
    reconnects: int = 0
    """How often ACS opens a socket anew after one broke."""
    reconnect_after_s: float = 0.5
    break_event: Literal["MediaStreamingStopped", "MediaStreamingFailed", ""] = (
        "MediaStreamingStopped"
    )
    """The callback when a socket broke for good; empty: none."""
    subscription: Literal["truthful", "absent", "stale"] = "truthful"
    """mediaStreamingSubscription in call properties; stale: once active, active for ever."""
    restart_works: bool = True
    """Whether startMediaStreaming after a stop or a break opens a socket."""
    start_while_active: Refusal | None = WRONG_STATE
    """To startMediaStreaming with a socket open. None: a second socket replaces the first."""
    close_code: int = 1000
    token_life_s: float = 24 * 3600.0
    """Of the socket's JWT (ACS secure-websocket docs: 24 h)."""

    # The way to the caller's ear
    playout_delay_ms: float = 0.0
    echo_db: float | None = None
    """How loud the agent comes back in the caller's audio, beside what was played: -30 is a good
    telephone, -10 a bad loudspeaker. None: not at all."""
    echo_delay_ms: float = 120.0
    stop_audio_delay_ms: float = 0.0
    """From StopAudio's arrival to silence."""
    flush_on_break: bool = False
    """Whether audio still queued is dropped with its socket."""
    reader_pause_s: float = 0.0
    """A slow reader: waits so long after each message."""

    # What becomes of acts on a call
    destinies: Mapping[str, Destiny] = field(default_factory=dict)
    """By raw id of a transfer's or invitation's target; who is not named accepts."""
    dialling_s: float = 0.5
    """Until a transfer or invitation is decided."""
    play_fails: Refusal | None = None
    """PlayFailed with this code instead of sound."""
