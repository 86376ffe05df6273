"""A leg, a bridge and an owner in memory, for calls in virtual time."""

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Literal

from media_worker.bridges import AgentAudio, AgentTurnEnded, AgentTurnStarted, Bridge, BridgeEvent
from media_worker.bridges import Ready as BridgeReady
from media_worker.call import Call
from media_worker.leg import CallOutcome, Gone, SocketLost
from switchboard.agents import Agent, Silence, VoiceLiveAgent
from switchboard.moves import Parting
from switchboard.record import TurnRecord
from switchboard.session import SessionDescriptor

RATE = 24000
METADATA = json.dumps(
    {
        "kind": "AudioMetadata",
        "audioMetadata": {"encoding": "PCM", "sampleRate": RATE, "channels": 1, "length": 960},
    }
).encode()
FRAME_AUDIO = base64.b64encode(bytes(960))
FRAME = json.dumps(
    {"kind": "AudioData", "audioData": {"data": FRAME_AUDIO.decode(), "silent": True}}
).encode()
QUIET = VoiceLiveAgent(name="test", model="m", silence=Silence(prompts=()))


def tone(key: str) -> bytes:
    return json.dumps({"kind": "DtmfData", "dtmfData": {"data": key}}).encode()


def audio(turn: str, seconds: float, sample: int = 0) -> AgentAudio:
    pcm = sample.to_bytes(2, "little") * int(RATE * seconds)
    return AgentAudio(turn, base64.b64encode(pcm))


def turn(name: str, seconds: float) -> list[BridgeEvent]:
    """A whole turn, faster than real time."""
    usage = {"total_tokens": 7}
    return [
        AgentTurnStarted(name),
        audio(name, seconds),
        AgentTurnEnded(name, "completed", usage),
    ]


class ScriptedLeg:
    """The caller: what the test puts in; `sent` is what arrived, with its time."""

    def __init__(self, *messages: bytes) -> None:
        self._in: asyncio.Queue[bytes | None] = asyncio.Queue()
        for message in messages:
            self._in.put_nowait(message)
        self.sent: list[tuple[float, dict[str, Any]]] = []
        self.closed: int | None = None
        self.stuck = False

    def put(self, *messages: bytes | None) -> None:
        for message in messages:
            self._in.put_nowait(message)

    async def talk(self, seconds: float) -> None:
        """Frames every 20 ms."""
        for _ in range(round(seconds * 50)):
            self.put(FRAME)
            await asyncio.sleep(0.02)

    async def receive(self) -> bytes | None:
        if self.closed is not None and self._in.empty():
            return None
        message = await self._in.get()
        if message is None:
            self.closed = self.closed or 1006
        return message

    async def send(self, data: bytes) -> None:
        if self.closed is not None:
            raise ConnectionResetError
        self.sent.append((asyncio.get_running_loop().time(), json.loads(data)))
        while self.stuck:
            await asyncio.sleep(0.1)
            if self.closed is not None:
                raise ConnectionResetError

    async def close(self, code: int) -> None:
        self.closed = self.closed or code
        self.put(None)

    def kinds(self) -> list[str]:
        return [message["Kind"] for _, message in self.sent]


class ScriptedBridge:
    """The agent: reports what the test emits; `asked` is what the call wanted of it."""

    def __init__(self, *events: BridgeEvent) -> None:
        self._out: asyncio.Queue[BridgeEvent | None] = asyncio.Queue()
        self.emit(BridgeReady(None, resumed=False), *events)
        self.heard: list[bytes] = []
        self.asked: list[tuple[Any, ...]] = []
        self.rate = 0
        self.open = False
        self.own_apology: bytes | None = None

    def emit(self, *events: BridgeEvent | None) -> None:
        for event in events:
            self._out.put_nowait(event)

    async def events(self) -> AsyncGenerator[BridgeEvent, None]:
        while (event := await self._out.get()) is not None:
            yield event

    async def send_audio(self, audio: bytes) -> None:
        self.heard.append(audio)

    async def interrupt(self, turn: str, heard_ms: int) -> None:
        self.asked.append(("interrupt", turn, heard_ms))

    async def cancel(self, turn: str) -> None:
        self.asked.append(("cancel", turn))

    async def say(self, text: str) -> None:
        self.asked.append(("say", text))

    async def prompt(self, text: str, *, speaker: Literal["caller", "system"]) -> None:
        self.asked.append(("prompt", speaker, text))

    async def answer(self, call: str, output: str, *, react: bool) -> None:
        self.asked.append(("answer", call, react))

    def apology(self) -> bytes | None:
        return self.own_apology

    async def renew(self) -> None:
        self.asked.append(("renew", asyncio.get_running_loop().time()))

    @asynccontextmanager
    async def opened(self, agent: Agent, rate: int) -> AsyncIterator[Bridge]:
        self.rate, self.open = rate, True
        try:
            yield self
        finally:
            self.open = False


class ScriptedOwner:
    """The ledger and Call Automation: agrees to everything unless told otherwise."""

    def __init__(self) -> None:
        self.takes = True
        self.keeps = True
        self.lost: SocketLost = Gone()
        self.lost_after_s = 0.1
        self.saved: list[Sequence[TurnRecord]] = []
        self.did: list[str] = []
        self.reaches = True
        self.rings_s = 5.0
        self.transferred_at = 0.0

    async def first_frame(self) -> bool:
        await asyncio.sleep(0.03)
        return self.takes

    async def checkpoint(self, turns: Sequence[TurnRecord]) -> bool:
        self.saved.append(turns)
        return self.keeps

    async def socket_lost(self) -> SocketLost:
        await asyncio.sleep(self.lost_after_s)
        return self.lost

    async def transfer(self, number: str) -> bool:
        self.did.append(f"transfer to {number}")
        self.transferred_at = asyncio.get_running_loop().time()
        await asyncio.sleep(self.rings_s)
        return self.reaches

    async def part(self, outcome: CallOutcome, parting: Parting) -> None:
        self.did.append(parting)


class Stage:
    """A call between the three, run as a task of the test's own group."""

    def __init__(
        self,
        *events: BridgeEvent,
        agent: Agent = QUIET,
        playout_delay_ms: int = 0,
        earlier: Sequence[TurnRecord] = (),
        earlier_s: float = 0.0,
        fallback_number: str | None = None,
    ) -> None:
        self.leg = ScriptedLeg(METADATA)
        self.bridge = ScriptedBridge(*events)
        self.owner = ScriptedOwner()
        self.call = Call(
            replace(descriptor(agent), fallback_number=fallback_number),
            self.leg,
            self.bridge.opened,
            self.owner,
            playout_delay_ms=playout_delay_ms,
            earlier=earlier,
            earlier_s=earlier_s,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator["asyncio.Task[CallOutcome]"]:
        """The running call; leaving waits for its end, a minute at most."""
        async with asyncio.timeout(4000), asyncio.TaskGroup() as tasks:
            yield tasks.create_task(self.call.run())


def descriptor(agent: Agent, rate: int = RATE) -> SessionDescriptor:
    return SessionDescriptor(
        call_id="20261123-0123456789abcdef01234567",
        called="4:+15550100001",
        caller="4:+15550100099",
        caller_name="",
        correlation_id="c",
        server_call_id="s",
        rung_at=1795000000.0,
        agent=agent,
        directory_generation="0" * 12,
        fallback_number=None,
        traceparent=None,
        audio_rate=rate,
    )
