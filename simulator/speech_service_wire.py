"""The messages of Speech's WebSocket protocol ("USP"), text to speech. No I/O.

Captured from azure-cognitiveservices-speech 1.53.0: headers `Name:Value` ended by CRLF, an empty
line, the body. Binary messages begin with the length of their headers (two bytes, big-endian) and
have no empty line. Header names are matched in any case.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

TICKS_PER_S = 10_000_000
"""Offsets and durations count 100 ns."""
MESSAGE_LIMIT = 65_536
"""Of the service's own words: "Websocket message size cannot exceed 65536 bytes", code 1007."""
AUDIO_LIMIT_S = 600
"""Speech service quotas: ten minutes of audio per turn; what is longer is cut."""
RATES = {
    "raw-8khz-16bit-mono-pcm": 8000,
    "raw-16khz-16bit-mono-pcm": 16000,
    "raw-24khz-16bit-mono-pcm": 24000,
    "raw-48khz-16bit-mono-pcm": 48000,
}
"""The output formats that the simulator speaks, in hertz."""
BoundaryType = Literal["WordBoundary", "PunctuationBoundary"]


class Breach(Exception):
    """The connection must be closed: `code` and the reason that the peer is told."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


@dataclass(frozen=True)
class Message:
    """From the client; `path` in lower case."""

    path: str
    request_id: str | None
    body: str

    def json(self) -> dict[str, Any]:
        """The body as an object. Raises Breach."""
        try:
            table = json.loads(self.body)
        except ValueError as error:
            raise Breach(1007, f"{self.path}: the body is not JSON ({error})") from None
        if not isinstance(table, dict):
            raise Breach(1007, f"{self.path}: the body is not a JSON object")
        return table


@dataclass(frozen=True)
class Boundary:
    """A word or a punctuation mark and when it is spoken, in ticks from the turn's first sample."""

    text: str
    offset: int
    duration: int
    kind: BoundaryType = "WordBoundary"


def parse(text: str) -> Message:
    """Reads a text message. Raises Breach."""
    if len(text.encode()) > MESSAGE_LIMIT:
        raise Breach(1007, f"Websocket message size cannot exceed {MESSAGE_LIMIT} bytes")
    head, blank, body = text.partition("\r\n\r\n")
    headers: dict[str, str] = {}
    for line in head.split("\r\n"):
        name, colon, value = line.partition(":")
        if not colon:
            raise Breach(1007, "a header without a colon")
        headers[name.strip().lower()] = value.strip()
    if not blank or not headers.get("path"):
        raise Breach(1007, "a message without Path, or without an empty line after its headers")
    return Message(headers["path"].lower(), headers.get("x-requestid"), body)


def text_message(path: str, request_id: str, body: Mapping[str, Any]) -> str:
    return (
        f"X-RequestId:{request_id}\r\nContent-Type:application/json; charset=utf-8\r\n"
        f"Path:{path}\r\n\r\n{json.dumps(body)}"
    )


def audio_message(request_id: str, stream_id: str, pcm: bytes) -> bytes:
    """A piece of audio; without samples, the end of it."""
    kind = "Content-Type:audio/x-wav\r\n" if pcm else ""
    head = f"X-RequestId:{request_id}\r\n{kind}X-StreamId:{stream_id}\r\nPath:audio\r\n".encode()
    return struct.pack(">H", len(head)) + head + pcm


def boundary_metadata(boundary: Boundary) -> dict[str, Any]:
    text = {
        "Text": boundary.text,
        "Length": len(boundary.text),
        "BoundaryType": boundary.kind,
    }
    return {
        "Type": "WordBoundary",
        "Data": {"Offset": boundary.offset, "Duration": boundary.duration, "text": text},
    }


def ticks(samples: int, rate: int) -> int:
    """The duration of `samples` at `rate` hertz in ticks."""
    return samples * TICKS_PER_S // rate
