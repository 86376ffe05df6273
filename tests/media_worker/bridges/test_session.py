"""Connections that are late, refused, dropped or stuck, as the bridge to Voice Live meets them."""

import asyncio
import base64

import pytest

from media_worker.bridges import (
    AgentAudio,
    AgentTurnEnded,
    Bridge,
    BridgeEvent,
    Failed,
    Notice,
    Ready,
)
from media_worker.limits import KEPT_AUDIO_S, RECONNECTS, SESSION_OPEN_S
from switchboard.agents import VoiceLiveAgent
from tests.media_worker.bridges.scripted_service import FRAME, Server, heard
from tests.virtual_time import run


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


@pytest.mark.parametrize("answered", [False, True])
def test_words_that_a_dropped_connection_left_unanswered_are_said_again_to_the_next_one(
    answered: bool,
) -> None:
    frames = [base64.b64encode(number.to_bytes(2, "little") * 480) for number in range(100)]

    async def first(server: Server) -> None:
        await server.open()
        await server.expect("response.create")
        await server.send("error", error={"code": "mark"})
        for _ in frames:
            await server._socket.receive_json()
        await server.send("input_audio_buffer.speech_started", item_id="u", audio_start_ms=1500)
        if answered:
            await server.turn("r1")
            await server.done("r1")
        await server._socket.close(code=1011)

    async def second(server: Server) -> None:
        await server.open()
        await server.until_closed()

    ready = 0

    async def speak(bridge: Bridge, event: BridgeEvent) -> None:
        nonlocal ready
        ready += isinstance(event, Ready)
        if isinstance(event, Notice) and event.code == "mark":
            for frame in frames:
                await bridge.send_audio(frame)
        if isinstance(event, Ready) and ready == 2:
            await asyncio.sleep(0.1)

    server = Server(first, second)
    run(heard(server, on=speak, until=lambda _: ready == 2))
    again = [
        message["audio"].encode()
        for message in server.got
        if message["type"] == "input_audio_buffer.append"
    ]
    # From half a second before the words began, of the 0.8 s that are kept until they are noticed.
    assert again == ([] if answered else frames[60:])


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


def test_a_call_does_without_its_transcript_where_the_transcription_model_is_refused() -> None:
    async def script(server: Server) -> None:
        await server.send("session.created", session={"id": "s"})
        await server.expect("session.update")
        where = "session.input_audio_transcription.model"
        error = {"code": "invalid_value", "message": "no such model", "param": where}
        await server.send("error", error=error)
        fewer = await server.expect("session.update")
        assert fewer["session"]["input_audio_transcription"] is None
        await server.send("session.updated", session={"id": "s"})
        await server.until_closed()

    notice, ready = run(
        heard(Server(script), until=lambda event: isinstance(event, Ready | Failed))
    )
    assert isinstance(ready, Ready)
    assert isinstance(notice, Notice)
    assert "transcription" in notice.code


def test_a_service_that_refuses_to_do_without_too_is_given_up() -> None:
    async def script(server: Server) -> None:
        await server.send("session.created", session={"id": "s"})
        for _ in range(2):
            await server.expect("session.update")
            error = {"code": "invalid_value", "param": "session.input_audio_transcription"}
            await server.send("error", error=error)

    (failed,) = run(heard(Server(script)))
    assert isinstance(failed, Failed)


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
