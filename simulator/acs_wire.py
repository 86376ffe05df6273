"""The JSON of Call Automation and of audio streaming, as ACS speaks it. No I/O.

Shapes are those of the REST specification 2025-06-15 and 2026-03-12 (azure-rest-api-specs,
CallAutomation), of events recorded in the SDKs' test suites, and of the audio-streaming docs.
"""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

API_VERSIONS = frozenset(
    {
        "2023-03-06",
        "2023-10-15",
        "2024-04-15",
        "2024-09-15",
        "2025-05-15",
        "2025-06-15",
        "2026-03-12",
    }
)
"""What the SDK 1.6.0 knows."""

AUDIO_FORMATS = {"pcm16KMono": 16000, "pcm24KMono": 24000}
TONES = dict(
    zip(
        "0123456789ABCD#*",
        (
            *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
            *("a", "b", "c", "d", "pound", "asterisk"),
        ),
        strict=True,
    )
)
"""Digits as pressed, and the names of their tones in requests and events."""

_PHONE = re.compile(r"\+?\d{2,15}")
_RAW_ID = re.compile(r"4:(\+?\d{2,15}|anonymous)|(8|28):\S+")


def raw_id_of(target: str) -> str:
    """A raw id from whatever a person writes: a number, `anonymous`, or a raw id itself.

    Raises ValueError for anything else.
    """
    if target == "anonymous":
        return "4:anonymous"
    if _RAW_ID.fullmatch(target):
        return target
    digits = re.sub(r"[ ().-]", "", target)
    if _PHONE.fullmatch(digits):
        return f"4:+{digits.removeprefix('+')}"
    raise ValueError(
        f"{target!r} is nobody to call: write a number as +15550100001, or anonymous, or a raw id "
        "as 8:acs:..."
    )


def identifier(raw_id: str) -> dict[str, Any]:
    """A communication identifier with `kind` and `rawId`, as every response carries it."""
    if raw_id == "4:anonymous":
        phone = {"value": "anonymous", "isAnonymous": True}
        return {"kind": "phoneNumber", "rawId": raw_id, "phoneNumber": phone}
    if raw_id.startswith("4:"):
        return {"kind": "phoneNumber", "rawId": raw_id, "phoneNumber": {"value": raw_id[2:]}}
    if raw_id.startswith("8:orgid:"):
        user = {"userId": raw_id[len("8:orgid:") :], "isAnonymous": False, "cloud": "public"}
        return {"kind": "microsoftTeamsUser", "rawId": raw_id, "microsoftTeamsUser": user}
    if raw_id.startswith("8:"):
        return {"kind": "communicationUser", "rawId": raw_id, "communicationUser": {"id": raw_id}}
    return {"kind": "unknown", "rawId": raw_id}


def raw_id_in(model: Any) -> str | None:
    """The raw id in an identifier that a client sent; phone numbers may lack `rawId`."""
    if not isinstance(model, dict):
        return None
    if isinstance(model.get("rawId"), str):
        return str(model["rawId"])
    phone = model.get("phoneNumber") or {}
    return f"4:{phone['value']}" if isinstance(phone.get("value"), str) else None


def error_body(code: str, message: str) -> dict[str, Any]:
    """The body of a refusal."""
    return {"error": {"code": code, "message": message, "details": []}}


def result(code: int, sub_code: int, message: str) -> dict[str, Any]:
    """`resultInformation` of an event."""
    return {"code": code, "subCode": sub_code, "message": message}


DONE = result(200, 0, "Action completed successfully.")


def iso_time(wall: float, *, digits: int = 7, zone: str = "+00:00") -> str:
    """Wall time the way .NET prints it, with seven decimals."""
    moment = datetime.fromtimestamp(wall, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{f'{moment.microsecond:06}0'[:digits]}{zone}"


def cloud_event(
    kind: str, event_id: str, connection_id: str, wall: float, data: dict[str, Any]
) -> dict[str, Any]:
    """One callback event; `kind` without the `Microsoft.Communication.` prefix."""
    name = f"Microsoft.Communication.{kind}"
    return {
        "id": event_id,
        "source": f"calling/callConnections/{connection_id}",
        "type": name,
        "data": {"version": "2026-03-12", **data, "publicEventType": name},
        "time": iso_time(wall),
        "specversion": "1.0",
        "datacontenttype": "application/json",
        "subject": f"calling/callConnections/{connection_id}",
    }


def audio_metadata(subscription_id: str, rate: int) -> str:
    """The first packet on a media socket; `length` is the bytes of one 20 ms frame."""
    metadata = {
        "subscriptionId": subscription_id,
        "encoding": "PCM",
        "sampleRate": rate,
        "channels": 1,
        "length": rate // 50 * 2,
    }
    return json.dumps({"kind": "AudioMetadata", "audioMetadata": metadata})


def audio_data(pcm: bytes, wall: float, *, silent: bool) -> str:
    """One frame of the caller's voice; mixed audio names no participant."""
    data = base64.b64encode(pcm).decode()
    stamp = iso_time(wall, digits=3, zone="Z")
    flag = "true" if silent else "false"
    return (
        f'{{"kind":"AudioData","audioData":{{"timestamp":"{stamp}","data":"{data}",'
        f'"silent":{flag}}}}}'
    )


def dtmf_data(digit: str) -> str:
    """A digit that the caller pressed, on the media socket."""
    return json.dumps({"kind": "DtmfData", "dtmfData": {"data": digit}})


@dataclass(frozen=True)
class Audio:
    pcm: bytes


@dataclass(frozen=True)
class Stop:
    """StopAudio: forget what is queued."""


@dataclass(frozen=True)
class Tolerated:
    """A kind that ACS does not know, and ignores."""

    kind: str


@dataclass(frozen=True)
class Faulty:
    """Something that no client library of Microsoft's would send."""

    why: str


FromServer: TypeAlias = Audio | Stop | Tolerated | Faulty


def parse_from_server(message: str | bytes) -> FromServer:
    """Reads a packet sent to ACS. Keys and kinds are matched in any case, as the SDKs differ."""
    if isinstance(message, bytes):
        return Faulty("binary message")
    try:
        packet = _lower_keys(json.loads(message))
    except (ValueError, RecursionError):
        return Faulty("not JSON")
    if not isinstance(packet, dict) or not isinstance(packet.get("kind"), str):
        return Faulty("no kind")
    match packet["kind"].lower():
        case "stopaudio":
            return Stop()
        case "audiodata":
            return _audio(packet.get("audiodata"))
        case _:
            return Tolerated(packet["kind"])


def _audio(body: Any) -> FromServer:
    data = _lower_keys(body).get("data") if isinstance(body, dict) else None
    if not isinstance(data, str):
        return Faulty("audio without data")
    try:
        pcm = base64.b64decode(data, validate=True)
    except binascii.Error:
        return Faulty("audio is not base64")
    return Audio(pcm) if len(pcm) % 2 == 0 else Faulty("half a sample")


def _lower_keys(value: Any) -> Any:
    return {key.lower(): item for key, item in value.items()} if isinstance(value, dict) else value
