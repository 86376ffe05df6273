"""Load for a bridge: N callers on one side, an AI service on the other, one clock for both.

A call's latency is counted in samples: the n-th sample that comes out is compared with when the
frame that holds it was sent, so audio held back inside a bridge counts as latency.
"""

import asyncio
import base64
import bisect
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import ClientSession, TCPConnector, WSMsgType, web

FRAME_S = 0.020
DELTA_S = 0.200
"""What the services send at once: 200 ms of speech, five times a second."""


@dataclass
class Flow:
    """One direction of one call."""

    sent_until: list[float] = field(default_factory=list)
    """Seconds of audio sent, after each message."""
    sent_at: list[float] = field(default_factory=list)
    received: float = 0.0
    """Seconds of audio received."""
    latencies_ms: list[float] = field(default_factory=list)

    def sent(self, seconds: float, now: float) -> None:
        before = self.sent_until[-1] if self.sent_until else 0.0
        self.sent_until.append(before + seconds)
        self.sent_at.append(now)

    def came(self, seconds: float, now: float) -> None:
        """Notes `seconds` of audio received; its last sample's sending time gives the latency."""
        self.received += seconds
        i = bisect.bisect_left(self.sent_until, self.received - 1e-6)
        if i < len(self.sent_at):
            self.latencies_ms.append((now - self.sent_at[i]) * 1000)


class NotCarried(Exception):
    """A bridge did not carry all of the audio: its figures would mean nothing."""


@dataclass(frozen=True)
class Latencies:
    """What was measured in a window, in milliseconds, each list in ascending order."""

    inbound: list[float]
    outbound: list[float]
    late: list[float]
    """How late the load itself was: a large figure means the machine, not the bridge."""


def percentile(values: list[float], share: float) -> float:
    """Of ascending values, at least one."""
    return values[min(len(values) - 1, int(share * len(values)))]


@dataclass
class Board:
    """What is being measured, by call name."""

    inbound: dict[str, Flow] = field(default_factory=dict)
    outbound: dict[str, Flow] = field(default_factory=dict)
    late_ms: list[float] = field(default_factory=list)

    def forget(self) -> None:
        """Drops what was measured so far: the warm-up."""
        self.late_ms.clear()
        for flow in (*self.inbound.values(), *self.outbound.values()):
            flow.latencies_ms.clear()

    def read(self, calls: int, seconds: float) -> Latencies:
        """What was measured in the last `seconds`.

        Raises:
            NotCarried: less than 95 % of some call's audio came through.
        """
        for side, flows, period in (
            ("inbound", self.inbound, FRAME_S),
            ("outbound", self.outbound, DELTA_S),
        ):
            came = [len(flow.latencies_ms) * period / seconds for flow in flows.values()]
            if len(came) != calls or min(came) < 0.95:
                share = min(came, default=0.0)
                raise NotCarried(f"{side}: {len(came)} of {calls} calls, of one {share:.0%}")
        inbound, outbound = (
            sorted(ms for flow in flows.values() for ms in flow.latencies_ms)
            for flows in (self.inbound, self.outbound)
        )
        return Latencies(inbound, outbound, sorted(self.late_ms))


def seconds_of(text_length: int, rate: int) -> float:
    """Seconds of 16-bit mono audio in base64 text without padding."""
    return text_length * 3 // 4 / 2 / rate


class Service:
    """The AI service's end: says what a session needs, then speaks at real-time pace for ever."""

    def __init__(self, board: Board, rate: int) -> None:
        self.board, self.rate = board, rate
        self.app = web.Application()
        self.app.router.add_get("/voice-live/realtime", self._session)
        samples = int(DELTA_S * rate)
        noise = random.Random(7).randbytes(samples * 2)
        self._delta = json.dumps(
            {
                "type": "response.audio.delta",
                "event_id": "e",
                "response_id": "r1",
                "item_id": "i1",
                "output_index": 0,
                "content_index": 0,
                "delta": base64.b64encode(noise).decode(),
            }
        )

    async def _session(self, request: web.Request) -> web.WebSocketResponse:
        call = request.query["model"]
        socket = web.WebSocketResponse(compress=False, max_msg_size=0)
        await socket.prepare(request)
        loop = asyncio.get_running_loop()
        await socket.send_str(
            json.dumps({"type": "session.created", "event_id": "e", "session": {}})
        )
        async with asyncio.TaskGroup() as tasks:
            speech = None
            async for message in socket:
                text = message.data
                if text.startswith('{"type":"input_audio_buffer.append"') or '"audio"' in text[:60]:
                    length = _text_length(text, text.index('"audio"') + 7)
                    flow = self.board.inbound.get(call)
                    if flow:
                        flow.came(seconds_of(length, self.rate), loop.time())
                    continue
                kind = json.loads(text)["type"]
                if kind == "session.update":
                    event = {"type": "session.updated", "event_id": "e", "session": {}}
                    await socket.send_str(json.dumps(event))
                elif kind == "response.create" and speech is None:
                    speech = tasks.create_task(self._speak(socket, call))
            if speech:
                speech.cancel()
        return socket

    async def _speak(self, socket: web.WebSocketResponse, call: str) -> None:
        loop = asyncio.get_running_loop()
        response = {
            "id": "r1",
            "object": "realtime.response",
            "status": "in_progress",
            "output": [],
        }
        await socket.send_str(
            json.dumps({"type": "response.created", "event_id": "e", "response": response})
        )
        next_at = loop.time()
        while True:
            flow = self.board.outbound.get(call)
            if flow:
                flow.sent(DELTA_S, loop.time())
            await socket.send_str(self._delta)
            next_at += DELTA_S
            await asyncio.sleep(max(0.0, next_at - loop.time()))


async def caller(
    url: str, headers: dict[str, str], call: str, board: Board, rate: int, until: float
) -> None:
    """One caller: 20 ms frames on absolute deadlines `until` then (loop time); everything heard is
    noted."""
    loop = asyncio.get_running_loop()
    pcm = random.Random(call).randbytes(int(rate * FRAME_S) * 2)
    audio = {
        "timestamp": "2026-11-23T10:00:00.000Z",
        "participantRawID": "",
        "data": base64.b64encode(pcm).decode(),
        "silent": False,
    }
    frame = json.dumps({"kind": "AudioData", "audioData": audio}, separators=(",", ":"))
    inbound, outbound = (
        board.inbound.setdefault(call, Flow()),
        board.outbound.setdefault(call, Flow()),
    )
    async with (
        ClientSession(connector=TCPConnector(limit=0)) as session,
        session.ws_connect(url, headers=headers, compress=0, max_msg_size=0) as socket,
    ):
        metadata = {
            "subscriptionId": "s",
            "encoding": "PCM",
            "sampleRate": rate,
            "channels": 1,
            "length": len(pcm),
        }
        await socket.send_str(json.dumps({"kind": "AudioMetadata", "audioMetadata": metadata}))

        async def listen() -> None:
            async for message in socket:
                length = _audio_length(message.data) if message.type is WSMsgType.TEXT else 0
                if length:
                    outbound.came(seconds_of(length, rate), loop.time())

        async with asyncio.TaskGroup() as tasks:
            ear = tasks.create_task(listen())
            next_at = loop.time()
            while next_at < until:
                board.late_ms.append((loop.time() - next_at) * 1000)
                inbound.sent(FRAME_S, loop.time())
                await socket.send_str(frame)
                next_at += FRAME_S
                await asyncio.sleep(max(0.0, next_at - loop.time()))
            ear.cancel()


def _audio_length(text: str) -> int:
    """Characters of base64 in an ACS audio message, whatever its spaces and capitals; else 0."""
    start = text[:120].lower().rfind('"data"')
    if start < 0:
        return 0
    return _text_length(text, start + 6)


def _text_length(text: str, start: int) -> int:
    """Characters of the JSON string that begins after `start`, without base64's padding."""
    first = text.index('"', start) + 1
    last = text.index('"', first)
    return last - first - text.count("=", last - 2, last)


@asynccontextmanager
async def listening(app: web.Application) -> AsyncIterator[str]:
    """Serves `app` on a free port of 127.0.0.1; gives its base URL."""
    runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()
