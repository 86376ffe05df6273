"""A bare client of Speech's WebSocket protocol, for virtual time and for breaking its rules."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from simulator.speech_service import Speech
from simulator.speech_service_wire import audio_message

VOICE = "en-US-AvaMultilingualNeural"
SSML = (
    "<speak version='1.0' xmlns='http://www.w3.org/2001/10/synthesis' xml:lang='en-US'>"
    "<voice name='{voice}'>{text}</voice></speak>"
)
V1, V2 = "/tts/cognitiveservices/websocket/v1", "/cognitiveservices/websocket/v2"


@dataclass
class Heard:
    """Of one turn: the paths of its messages in order, its audio, the metadata."""

    paths: list[str] = field(default_factory=list)
    pcm: bytearray = field(default_factory=bytearray)
    words: list[str] = field(default_factory=list)

    @property
    def audio(self) -> bytes:
        return bytes(self.pcm)

    @property
    def ended(self) -> bool:
        return "turn.end" in self.paths


class Socket:
    """What came is in `heard`, by request id; `close_code` once the socket is closed."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.heard: dict[str, Heard] = {}
        self._socket = socket

    @property
    def close_code(self) -> int | None:
        return self._socket.close_code

    async def send(self, path: str, request_id: str | None, body: str | dict[str, Any]) -> None:
        head = f"X-Timestamp:2026-11-23T10:00:00.000Z\r\nPath:{path}\r\n"
        if request_id:
            head += f"X-RequestId:{request_id}\r\n"
        text = body if isinstance(body, str) else json.dumps(body)
        await self._socket.send_str(f"{head}\r\n{text}")

    async def send_bytes(self, data: bytes) -> None:
        await self._socket.send_bytes(data)

    async def configure(self) -> None:
        await self.send("speech.config", None, {"context": {}})

    async def context(self, request_id: str, *, streaming: str | None = None, **audio: Any) -> None:
        """`streaming`: the voice of a turn whose text is streamed."""
        options = dict.fromkeys(
            ("wordBoundaryEnabled", "punctuationBoundaryEnabled", "sessionEndEnabled"), True
        )
        usual = {"outputFormat": "raw-24khz-16bit-mono-pcm", "metadataOptions": options}
        synthesis: dict[str, Any] = {"audio": {**usual, **audio}}
        if streaming is not None:
            synthesis["input"] = {"bidirectionalStreamingMode": True, "voiceName": streaming}
        await self.send("synthesis.context", request_id, {"synthesis": synthesis})

    async def speak(self, request_id: str, text: str, *, voice: str = VOICE) -> None:
        await self.context(request_id)
        await self.send("ssml", request_id, SSML.format(voice=voice, text=text))

    async def stream(self, request_id: str, *pieces: str, end: bool = True) -> None:
        await self.context(request_id, streaming=VOICE)
        for piece in pieces:
            await self.send("text.piece", request_id, piece)
        if end:
            await self.send("text.end", request_id, "")

    async def until_end(self, request_id: str) -> Heard:
        """Listens until this turn has ended, or the socket is closed."""
        while not self.heard.setdefault(request_id, Heard()).ended:
            if not await self._receive():
                break
        return self.heard[request_id]

    async def until_audio(self, request_id: str) -> Heard:
        while not self.heard.setdefault(request_id, Heard()).pcm and await self._receive():
            pass
        return self.heard[request_id]

    async def until_closed(self) -> int | None:
        while await self._receive():
            pass
        return self.close_code

    async def _receive(self) -> bool:
        message = await self._socket.receive()
        if message.type is aiohttp.WSMsgType.BINARY:
            size = int.from_bytes(message.data[:2], "big")
            headers, pcm = _headers(message.data[2 : 2 + size].decode()), message.data[2 + size :]
            stream = headers["x-streamid"]
            assert message.data == audio_message(headers["x-requestid"], stream, pcm)
            self._of(headers).pcm += pcm
        elif message.type is aiohttp.WSMsgType.TEXT:
            head, _, body = message.data.partition("\r\n\r\n")
            headers = _headers(head)
            self._of(headers).words += [
                entry["Data"]["text"]["Text"]
                for entry in json.loads(body).get("Metadata", [])
                if entry["Type"] == "WordBoundary"
            ]
        else:
            return False
        return True

    def _of(self, headers: dict[str, str]) -> Heard:
        heard = self.heard.setdefault(headers["x-requestid"], Heard())
        heard.paths.append(headers["path"])
        return heard


def _headers(head: str) -> dict[str, str]:
    return {
        name.lower(): value
        for name, _, value in (line.partition(":") for line in head.split("\r\n") if line)
    }


@asynccontextmanager
async def connected(service: Speech, path: str = V2) -> AsyncIterator[Socket]:
    """A connection with a key that has sent its speech.config."""
    headers = {"Ocp-Apim-Subscription-Key": service.key}
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(service.url + path, headers=headers, protocols=["USP"]) as ws,
    ):
        socket = Socket(ws)
        await socket.configure()
        yield socket
