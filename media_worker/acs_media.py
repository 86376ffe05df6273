"""The messages of Azure Communication Services' audio streaming WebSocket: bytes in, frames out.

Source: Microsoft Learn, "Audio streaming with Call Automation", and the parsers of the official
.NET and JavaScript SDKs, whose spellings of the keys differ: names are matched in any case. Audio
is 16-bit little-endian mono PCM in base64; it is checked here, but stays base64.
"""

from collections import deque
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec

from media_worker.limits import ACS_MESSAGE_BYTES, BAD_FRAMES, BAD_FRAMES_S, MAX_FRAME_BYTES

STOP_AUDIO = b'{"Kind":"StopAudio","AudioData":null,"StopAudio":{}}'
"""Empties the service's playout queue."""

TONES = frozenset("0123456789*#ABCD")
_NAMED_TONES = {
    "star": "*",
    "asterisk": "*",
    "pound": "#",
    "hash": "#",
    **dict(
        zip(
            ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
            "0123456789",
            strict=True,
        )
    ),
}
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_AUDIO_BEFORE = b'{"Kind":"AudioData","AudioData":{"Data":"'
_AUDIO_AFTER = b'"},"StopAudio":null}'
_PART = (ACS_MESSAGE_BYTES - len(_AUDIO_BEFORE) - len(_AUDIO_AFTER)) // 8 * 8
"""Base64 characters in one message: 8 of them are three whole samples."""


class CallerAudio(msgspec.Struct, frozen=True, gc=False):  # 50 a second: cheaper than a dataclass
    """Usually 20 ms of the caller, silence included: a detector must hear the silence too."""

    audio: bytes
    """Base64 text: a whole number of samples, valid."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """The stream's first message."""

    encoding: str
    sample_rate: int
    channels: int


@dataclass(frozen=True, slots=True)
class Tone:
    """One key pressed: a digit, `*`, `#` or A to D."""

    tone: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message of a kind that this version has no use for."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """No message of this protocol; `why` holds nothing of its content."""

    why: str


Frame: TypeAlias = CallerAudio | Metadata | Tone | Unknown | Malformed
UNKNOWN = Unknown()


class _Audio(msgspec.Struct):
    data: str


class _Message(msgspec.Struct):
    kind: str
    audioData: _Audio | None = None


_decode_message = msgspec.json.Decoder(_Message).decode
_decode_anything = msgspec.json.Decoder().decode
_UNREADABLE = (msgspec.DecodeError, UnicodeError, RecursionError)


def decode(message: bytes) -> Frame:
    """What one message says. Never raises: what cannot be read is `Malformed`."""
    if len(message) > MAX_FRAME_BYTES:
        return Malformed("oversized")
    try:
        # The spelling in use, typed and without a dictionary; all others take the long way.
        fast = _decode_message(message)
    except _UNREADABLE:
        return _decode_slowly(message)
    if fast.kind == "AudioData" and fast.audioData is not None:
        return _caller_audio(fast.audioData.data)
    return _decode_slowly(message)


def sample_count(audio: bytes) -> int:
    """Samples in valid base64 text of 16-bit audio, without decoding it."""
    return (len(audio) // 4 * 3 - audio.count(b"=", -2)) // 2


def encode_audio(audio: bytes) -> list[bytes]:
    """The messages that play base64 text of whole samples, one for up to half a second or more."""
    if len(audio) <= _PART:
        return [_AUDIO_BEFORE + audio + _AUDIO_AFTER]
    parts = (audio[at : at + _PART] for at in range(0, len(audio), _PART))
    return [_AUDIO_BEFORE + part + _AUDIO_AFTER for part in parts]


def _caller_audio(data: str) -> CallerAudio | Unknown | Malformed:
    try:
        audio = data.encode("ascii")
    except UnicodeEncodeError:
        return Malformed("base64")
    if not audio:
        return UNKNOWN
    padding = audio.translate(None, _BASE64)
    if len(audio) % 4 or (padding and not (padding in (b"=", b"==") and audio.endswith(padding))):
        return Malformed("base64")
    if (len(audio) // 4 * 3 - len(padding)) % 2:
        return Malformed("odd length")
    return CallerAudio(audio)


def _decode_slowly(message: bytes) -> Frame:
    try:
        fields = _decode_anything(message)
    except _UNREADABLE:
        return Malformed("not JSON")
    if not isinstance(fields, dict):
        return Malformed("not an object")
    fields = _lower(fields)
    kind = fields.get("kind")
    if not isinstance(kind, str):
        return Malformed("no kind")
    match kind.lower():
        case "audiodata":
            data = _inner(fields, "audiodata").get("data")
            return _caller_audio(data) if isinstance(data, str) else Malformed("no audio")
        case "audiometadata":
            return _metadata(_inner(fields, "audiometadata"))
        case "dtmfdata":
            return _tone(_inner(fields, "dtmfdata").get("data"))
        case _:
            return UNKNOWN


def _metadata(fields: dict[str, Any]) -> Metadata | Malformed:
    encoding, rate, channels = (fields.get(n) for n in ("encoding", "samplerate", "channels"))
    if isinstance(channels, str):  # "mono" in an older SDK's model
        channels = {"mono": 1, "stereo": 2}.get(channels.lower())
    if not isinstance(encoding, str) or type(rate) is not int or type(channels) is not int:
        return Malformed("metadata")
    return Metadata(encoding.upper(), rate, channels)


def _tone(data: object) -> Tone | Malformed:
    if not isinstance(data, str):
        return Malformed("tone")
    tone = _NAMED_TONES.get(data.lower(), data.upper())
    return Tone(tone) if tone in TONES else Malformed("tone")


def _inner(fields: dict[str, Any], name: str) -> dict[str, Any]:
    inner = fields.get(name)
    return _lower(inner) if isinstance(inner, dict) else {}


def _lower(fields: dict[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in fields.items()}


class BadFrames:
    """Counts malformed frames; a glitch is skipped, a broken peer is not listened to."""

    def __init__(self) -> None:
        self.count = 0
        self._recent: deque[float] = deque(maxlen=BAD_FRAMES)

    def add(self, now: float) -> bool:
        """One more at `now` (loop seconds). True: too many of late, close the leg."""
        self.count += 1
        self._recent.append(now)
        return len(self._recent) == BAD_FRAMES and now - self._recent[0] <= BAD_FRAMES_S
