"""The bridge against a scripted server; events are those of the Voice Live API reference."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from media_worker.bridges import (
    AgentAudio,
    AgentSaid,
    AgentTurnEnded,
    AgentTurnStarted,
    Bridge,
    BridgeEvent,
    CallerSaid,
    Failed,
    Notice,
    Ready,
    SpeechStarted,
    SpeechStopped,
    ToolCall,
)
from media_worker.bridges.connect import VoiceLiveAccess, http_session
from media_worker.bridges.voice_live.bridge import open_voice_live
from media_worker.limits import KEPT_AUDIO_S, RECONNECTS, SESSION_OPEN_S
from switchboard.agents import VoiceLiveAgent
from tests.virtual_time import WALL_START, run

AGENT = VoiceLiveAgent(name="desk", model="gpt-realtime", greeting="Welcome!")
FRAME = base64.b64encode(bytes(960))
Script = Callable[["Server"], Awaitable[None]]


class Server:
    """Plays a script over each connection; `got` is what it received, audio appends aside."""

    def __init__(self, *scripts: Script) -> None:
        self._scripts = list(scripts)
        self.requests: list[web.Request] = []
        self.got: list[dict[str, Any]] = []
        self.audio: list[bytes] = []
        self.status = 101
        self._socket = web.WebSocketResponse()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        if self.status != 101:
            return web.Response(status=self.status)
        self._socket = web.WebSocketResponse(max_msg_size=0)
        await self._socket.prepare(request)
        await self._scripts.pop(0)(self)
        await self._socket.close()
        return self._socket

    async def send(self, kind: str, **fields: object) -> None:
        await self._socket.send_json({"type": kind, "event_id": "e"} | fields)

    async def send_raw(self, text: str) -> None:
        await self._socket.send_str(text)

    async def expect(self, kind: str) -> dict[str, Any]:
        """The next message of this kind; audio on the way to it is kept in `audio`."""
        async with asyncio.timeout(30):
            while True:
                message = await self._socket.receive_json()
                if message["type"] == "input_audio_buffer.append":
                    self.audio.append(message["audio"].encode())
                else:
                    self.got.append(message)
                if message["type"] == kind:
                    assert isinstance(message, dict)
                    return message

    async def open(self, **session: object) -> None:
        await self.send("session.created", session={"id": "s"} | session)
        await self.expect("session.update")
        await self.send("session.updated", session={"id": "s"})

    async def until_closed(self) -> None:
        async for message in self._socket:
            self.got.append(json.loads(message.data))

    async def turn(self, name: str, item: str = "item", text: str = "Good day.") -> None:
        await self.send("response.created", response={"id": name})
        await self.send("conversation.item.created", previous_item_id=None, item={"id": item})
        where = {"response_id": name, "item_id": item, "content_index": 0}
        await self.send("response.audio_transcript.delta", **where, delta=text)
        await self.send("response.audio.delta", **where, delta=FRAME.decode())

    async def done(self, name: str, status: str = "completed") -> None:
        usage = {"total_tokens": 5}
        await self.send("response.done", response={"id": name, "status": status, "usage": usage})


@asynccontextmanager
async def bridged(
    server: Server, agent: VoiceLiveAgent = AGENT, rate: int = 24000
) -> AsyncIterator[Bridge]:
    app = web.Application()
    app.router.add_get("/voice-live/realtime", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]

    async def bearer() -> str:
        return "token"

    try:
        async with http_session() as http:
            access = VoiceLiveAccess(http, f"http://127.0.0.1:{port}", "2026-07-15", bearer)
            async with open_voice_live(agent, rate, access, "20261123-abc") as bridge:
                yield bridge
    finally:
        await runner.cleanup()


async def heard(
    server: Server,
    agent: VoiceLiveAgent = AGENT,
    until: Callable[[BridgeEvent], bool] = lambda event: isinstance(event, Notice | Failed),
    before: Callable[[Bridge], Awaitable[None]] | None = None,
    on: Callable[[Bridge, BridgeEvent], Awaitable[None]] | None = None,
) -> list[BridgeEvent]:
    """The bridge's events up to the one that `until` names."""
    events: list[BridgeEvent] = []
    async with asyncio.timeout(300), bridged(server, agent) as bridge:
        if before is not None:
            await before(bridge)
        async with aclosing(bridge.events()) as source:
            async for event in source:
                events.append(event)
                if on is not None:
                    await on(bridge, event)
                if until(event):
                    break
    return events


def test_the_session_opens_with_the_agents_settings_and_the_greeting_comes_first() -> None:
    async def script(server: Server) -> None:
        await server.open(expires_at=WALL_START + 3600)
        await server.expect("response.create")
        await server.turn("r1", text="Welcome!")
        await server.done("r1")

    server = Server(script)
    events = run(heard(server))
    (request,) = server.requests
    assert request.path_qs == "/voice-live/realtime?api-version=2026-07-15&model=gpt-realtime"
    assert request.headers["Authorization"] == "Bearer token"
    assert "Sec-WebSocket-Extensions" not in request.headers
    update, greeting = server.got
    assert update["session"]["input_audio_sampling_rate"] == 24000
    content = greeting["response"]["pre_generated_assistant_message"]["content"]
    assert content == [{"type": "text", "text": "Welcome!"}]
    ready, *rest = events
    assert isinstance(ready, Ready)
    assert ready.expires_in_s == pytest.approx(3600, abs=1)
    assert not ready.resumed
    assert rest == [
        AgentTurnStarted("r1"),
        AgentSaid("r1", "Welcome!"),
        AgentAudio("r1", FRAME),
        AgentTurnEnded("r1", "completed", {"total_tokens": 5}),
        Notice("dropped", "closed:1000"),
    ]


def test_a_service_without_exact_words_in_agent_mode_is_asked_to_say_the_greeting() -> None:
    async def script(server: Server) -> None:
        await server.open()
        asked = await server.expect("response.create")
        error = {
            "type": "invalid_request_error",
            "code": "unsupported_parameter",
            "message": "no",
            "param": "response.pre_generated_assistant_message",
            "event_id": asked["event_id"],
        }
        await server.send("error", error=error)
        await server.expect("response.create")

    agent = VoiceLiveAgent(name="a", project="p", agent_name="n", greeting="Welcome!")
    server = Server(script)
    events = run(heard(server, agent, until=lambda e: e == Notice("dropped", "closed:1000")))
    assert Notice("error", "unsupported_parameter") in events
    item, response = server.got[-2:]
    assert item["item"]["role"] == "system"
    assert "Welcome!" in item["item"]["content"][0]["text"]
    assert "response" not in response
    assert server.requests[0].query["agent-name"] == "n"


def test_caller_audio_is_kept_while_the_session_opens_and_its_oldest_part_goes_first() -> None:
    frames = [base64.b64encode(bytes([n % 256]) * 960) for n in range(400)]

    async def script(server: Server) -> None:
        await server.open()
        await server.expect("response.create")
        await server.turn("r1")
        await server.expect("response.cancel")

    async def speak(bridge: Bridge) -> None:
        for frame in frames[:300]:
            await bridge.send_audio(frame)

    async def go_on(bridge: Bridge, event: BridgeEvent) -> None:
        if isinstance(event, AgentAudio):
            for frame in frames[300:]:
                await bridge.send_audio(frame)
            await bridge.cancel("r1")

    server = Server(script)
    run(heard(server, before=speak, on=go_on))
    kept = int(KEPT_AUDIO_S * 50)
    assert server.audio == frames[300 - kept :]


def test_the_caller_is_heard_and_timed_by_the_audio() -> None:
    async def script(server: Server) -> None:
        await server.open()
        while len(server.audio) < 100:
            message = await server._socket.receive_json()
            server.audio.append(message.get("audio", ""))
        where = {"item_id": "u1"}
        await server.send("input_audio_buffer.speech_started", **where, audio_start_ms=180)
        await server.send("input_audio_buffer.speech_stopped", **where, audio_end_ms=1900)
        kind = "conversation.item.input_audio_transcription.completed"
        await server.send(kind, **where, transcript="Hello?")
        item = {"type": "function_call", "name": "end_call", "call_id": "c", "arguments": "{}"}
        await server.send("response.output_item.done", response_id="r", item=item)

    async def speak(bridge: Bridge, event: BridgeEvent) -> None:
        if isinstance(event, Ready):
            for _ in range(100):
                await bridge.send_audio(FRAME)

    agent = VoiceLiveAgent(name="a", model="m")
    _, *events = run(heard(Server(script), agent, on=speak))
    assert events[:-1] == [
        SpeechStarted("u1", 2000.0 - 180 - 420),
        SpeechStopped("u1", 2000.0 - 1900 + 500),
        CallerSaid("u1", "Hello?"),
        ToolCall("r", "c", "end_call", "{}"),
    ]


def test_an_interruption_cancels_the_turn_and_makes_the_services_memory_true() -> None:
    async def script(server: Server) -> None:
        await server.open()
        await server.expect("response.create")
        await server.turn("r1", text="We are open from nine to five.")
        await server.expect("response.cancel")
        error = {"type": "invalid_request_error", "code": "response_cancel_not_active"}
        await server.send("error", error=error)  # it had just ended: a normal race
        await server.done("r1", "cancelled")
        await server.expect("conversation.item.create")
        await server.turn("r2", "item2")

    async def interrupt(bridge: Bridge, event: BridgeEvent) -> None:
        if event == AgentAudio("r1", FRAME):
            await bridge.interrupt("r1", 10)

    server = Server(script)
    events = run(heard(server, until=lambda e: e == AgentAudio("r2", FRAME), on=interrupt))
    assert Notice("error", "response_cancel_not_active") in events
    assert [message["type"] for message in server.got[2:]] == [
        "response.cancel",
        "conversation.item.delete",
        "conversation.item.create",
    ]
    assert server.got[-1]["item"]["content"][0]["text"] == "We are open"


def test_a_request_to_speak_waits_for_the_turn_in_progress() -> None:
    async def script(server: Server) -> None:
        await server.open()
        await server.expect("response.create")
        await server.turn("r1")
        await server.done("r1")
        await server.expect("response.create")

    async def ask(bridge: Bridge, event: BridgeEvent) -> None:
        if isinstance(event, AgentTurnStarted):
            await bridge.prompt("keys: 42", speaker="caller")
            assert len(server.got) == 2

    server = Server(script)
    run(heard(server, on=ask))
    assert server.got[-2]["item"] == {
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": "keys: 42"}],
    }


def test_a_dropped_conversation_is_taken_up_again_with_what_was_said() -> None:
    async def first(server: Server) -> None:
        await server.open()
        await server.expect("response.create")
        await server.turn("r1", text="Welcome!")
        await server.done("r1")
        kind = "conversation.item.input_audio_transcription.completed"
        await server.send(kind, item_id="u1", transcript="When are you open?")
        await server.turn("r2", "item2", text="We are")
        await server._socket.close(code=1011)

    async def second(server: Server) -> None:
        await server.open()
        await server.expect("response.create")
        await server.turn("r3")

    server = Server(first, second)
    events = run(heard(server, until=lambda e: e == AgentAudio("r3", FRAME)))
    assert Notice("dropped", "closed:1011") in events
    assert AgentTurnEnded("r2", "failed", {}) in events
    assert Ready(None, resumed=True) in events
    retold = [(m["item"]["role"], m["item"]["content"][0]["text"]) for m in server.got[3:-2]]
    assert retold == [
        ("assistant", "Welcome!"),
        ("user", "When are you open?"),
        ("assistant", "We are"),
    ]
    assert server.got[-2]["item"]["role"] == "system"
    assert server.got[-1]["type"] == "response.create"


def test_a_renewed_agent_conversation_goes_on_under_its_name() -> None:
    async def first(server: Server) -> None:
        await server.open(agent={"thread_id": "thread 1"})
        await server.until_closed()

    async def second(server: Server) -> None:
        await server.open()
        await server.turn("r1")

    async def renew(bridge: Bridge, event: BridgeEvent) -> None:
        if event == Ready(None, resumed=False):
            await bridge.renew()

    agent = VoiceLiveAgent(name="a", project="p", agent_name="n")
    server = Server(first, second)
    events = run(heard(server, agent, until=lambda e: isinstance(e, AgentAudio), on=renew))
    assert Ready(None, resumed=True) in events
    assert server.requests[1].query["conversation-id"] == "thread 1"
    assert [message["type"] for message in server.got] == ["session.update"] * 2


def test_a_service_that_drops_every_connection_is_given_up() -> None:
    async def script(server: Server) -> None:
        await server.open()

    events = run(heard(Server(*[script] * 9), until=lambda e: isinstance(e, Failed)))
    assert sum(isinstance(event, Ready) for event in events) == RECONNECTS + 1
    assert isinstance(events[-1], Failed)


@pytest.mark.parametrize(
    "oddity",
    [
        '{"type":"response.invocation.delta","delta":{"x":1}}',
        '{"type":"warning","warning":{"code":"odd","message":"m"}}',
        '{"type":"error","error":{"code":"rate_limit","message":"m"}}',
        '{"type":"response.audio.delta","response_id":"r0","item_id":"x","delta":"AAA!"}',
        '{"type":"response.done","response":{"id":"never begun","status":"odd"}}',
        "{",
        "[" * 50_000,
    ],
)
def test_an_odd_event_changes_nothing(oddity: str) -> None:
    async def script(server: Server) -> None:
        await server.open()
        await server.expect("response.create")
        await server.send_raw(oddity)
        await server.turn("r1")

    events = run(heard(Server(script), until=lambda e: isinstance(e, AgentAudio)))
    assert events[-1] == AgentAudio("r1", FRAME)


def test_an_event_of_five_megabytes_is_taken() -> None:
    second = base64.b64encode(bytes(3_900_000)).decode()

    async def script(server: Server) -> None:
        await server.open()
        await server.send("response.audio.delta", response_id="r", item_id="i", delta=second)

    agent = VoiceLiveAgent(name="a", model="m")
    events = run(heard(Server(script), agent, until=lambda e: isinstance(e, AgentAudio)))
    assert events[-1] == AgentAudio("r", second.encode())


def test_refused_settings_end_the_call_and_name_the_field() -> None:
    async def script(server: Server) -> None:
        await server.send("session.created", session={"id": "s"})
        await server.expect("session.update")
        error = {"code": "invalid_value", "message": "secret", "param": "session.voice.name"}
        await server.send("error", error=error)

    (failed,) = run(heard(Server(script)))
    assert isinstance(failed, Failed)
    assert failed.code == "session_refused:invalid_value"
    assert "session.voice.name" in failed.message


def test_a_service_that_never_opens_the_session_is_given_up() -> None:
    async def script(server: Server) -> None:
        await asyncio.sleep(100)

    async def scenario() -> tuple[list[BridgeEvent], float]:
        events = await heard(Server(script))
        return events, asyncio.get_running_loop().time()

    (failed,), ended_at = run(scenario())
    assert isinstance(failed, Failed)
    assert failed.code == "session_timeout"
    assert ended_at < SESSION_OPEN_S + 3


def test_a_service_that_no_longer_answers_is_noticed() -> None:
    async def script(server: Server) -> None:
        await server.open()
        server._socket._autoping = False
        await asyncio.sleep(100)

    async def scenario() -> tuple[list[BridgeEvent], float]:
        events = await heard(Server(script))
        return events, asyncio.get_running_loop().time()

    events, noticed_at = run(scenario())
    assert isinstance(events[-1], Notice)
    assert noticed_at < 20


def test_a_service_that_stops_reading_is_left_for_a_new_connection() -> None:
    async def deaf(server: Server) -> None:
        await server.open()
        transport = server.requests[0].transport
        assert isinstance(transport, asyncio.ReadTransport)
        transport.pause_reading()
        await asyncio.sleep(100)

    async def second(server: Server) -> None:
        await server.open()
        await server.until_closed()

    async def speak(bridge: Bridge, event: BridgeEvent) -> None:
        if event == Ready(None, resumed=False):
            long = base64.b64encode(bytes(9_000_000))
            async with asyncio.TaskGroup() as tasks:
                stuck = tasks.create_task(bridge.send_audio(long))
                await asyncio.sleep(5.0)
                assert not stuck.done()
                await bridge.renew()
            assert not stuck.cancelled()

    agent = VoiceLiveAgent(name="a", model="m")
    until = Ready(None, resumed=True)
    events = run(heard(Server(deaf, second), agent, until=lambda e: e == until, on=speak))
    assert events[-1] == until
