"""The bridge against a scripted server; events are those of the Voice Live API reference."""

import pytest

from media_worker.bridges import (
    AgentAudio,
    AgentSaid,
    AgentTurnEnded,
    AgentTurnStarted,
    Bridge,
    BridgeEvent,
    CallerSaid,
    Notice,
    Ready,
    SpeechStarted,
    SpeechStopped,
    ToolCall,
)
from switchboard.agents import VoiceLiveAgent
from tests.media_worker.bridges.scripted_service import FRAME, Server, heard
from tests.virtual_time import WALL_START, run


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
