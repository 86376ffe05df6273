"""The order of messages on a connection, its limits, and turns that overlap."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import aiohttp
import pytest

from simulator.speech_service import Speech
from simulator.speech_service_switches import SpeechSwitches
from tests.simulator.speech_socket import SSML, V1, VOICE, Socket, connected
from tests.virtual_time import run

Breaking = Callable[[Socket], Awaitable[None]]


async def _no_context(socket: Socket) -> None:
    await socket.send("ssml", "r", SSML.format(voice=VOICE, text="x"))


async def _no_request_id(socket: Socket) -> None:
    await socket.send("synthesis.context", None, {"synthesis": {"audio": {}}})


async def _strange_message(socket: Socket) -> None:
    await socket.send("speech.hypothesis", "r", {})


async def _binary(socket: Socket) -> None:
    await socket.send_bytes(b"\0\0")


async def _compressed(socket: Socket) -> None:
    await socket.context("r", outputFormat="audio-24khz-48kbitrate-mono-mp3")


async def _id_used_twice(socket: Socket) -> None:
    await socket.speak("r", "x")
    await socket.until_end("r")
    await socket.speak("r", "x")


async def _ssml_while_streaming(socket: Socket) -> None:
    await socket.stream("r", "Hello ", end=False)
    await socket.send("ssml", "r", SSML.format(voice=VOICE, text="x"))


async def _ssml_as_streamed_text(socket: Socket) -> None:
    await socket.stream("r", " <spe", "ak version='1.0'>")


async def _text_without_streaming(socket: Socket) -> None:
    await socket.context("r")
    await socket.send("text.piece", "r", "Hello")


async def _text_after_its_end(socket: Socket) -> None:
    await socket.stream("r", "A long tale " * 100)
    await socket.send("text.piece", "r", "more")


async def _text_in_a_turn_of_ssml(socket: Socket) -> None:
    await socket.speak("r", "A long tale " * 100)
    await socket.send("text.piece", "r", "more")


async def _too_much_text(socket: Socket) -> None:
    await socket.stream("r", "a " * 20_000, "a " * 20_000)


async def _unknown_voice(socket: Socket) -> None:
    await socket.context("r", streaming="en-US-NobodyNeural")


async def _voice_of_openai(socket: Socket) -> None:
    await socket.context("r", streaming="en-US-AlloyTurboMultilingualNeural")


@pytest.mark.parametrize(
    ("breaking", "reason"),
    [
        (_no_context, "before its synthesis.context"),
        (_no_request_id, "X-RequestId"),
        (_strange_message, "not a message"),
        (_binary, "binary"),
        (_compressed, "Unsupported output format audio-24khz"),
        (_id_used_twice, "used before"),
        (_ssml_while_streaming, "streaming mode"),
        (_ssml_as_streamed_text, "streaming mode"),
        (_text_without_streaming, "without a turn in streaming mode"),
        (_text_after_its_end, "text has ended"),
        (_text_in_a_turn_of_ssml, "text has ended"),
        (_too_much_text, "65536"),
        (_unknown_voice, "Unsupported voice en-US-NobodyNeural."),
        (_voice_of_openai, "takes no streamed text"),
    ],
)
def test_a_breach_closes_the_connection_with_1007_and_is_remembered(
    breaking: Breaking, reason: str
) -> None:
    async def body() -> None:
        async with Speech() as service, connected(service) as socket:
            await breaking(socket)
            assert await socket.until_closed() == 1007
            (connection,) = service.connections
            await asyncio.sleep(0.1)
            assert connection.close_code == 1007
            assert connection.breach is not None
            assert reason in connection.breach
            assert all(u.outcome in ("lost", "complete") for u in service.utterances)

    run(body())


def test_nothing_is_taken_before_speech_config() -> None:
    async def body() -> None:
        async with Speech() as service, aiohttp.ClientSession() as http:
            key = {"Ocp-Apim-Subscription-Key": service.key}
            url = f"{service.url}{V1}"
            async with http.ws_connect(url, headers=key, protocols=["USP"]) as ws:
                socket = Socket(ws)
                await socket.context("r")
                assert await socket.until_closed() == 1007

    run(body())


def test_streamed_text_is_for_v2_and_ssml_for_both() -> None:
    async def body() -> None:
        async with Speech() as service:
            for path in (V1, "/cognitiveservices/websocket/v1", "/cognitiveservices/websocket/v2"):
                async with connected(service, path) as socket:
                    await socket.speak("r", "Hello there.")
                    assert (await socket.until_end("r")).audio
                    await socket.stream("s", "Hello there.")
                    await socket.until_end("s")
                    assert (socket.close_code == 1007) == path.endswith("v1")
            service.switches.streaming_on_v1 = True
            async with connected(service, V1) as socket:
                await socket.stream("r", "Hello there.")
                assert (await socket.until_end("r")).audio

    run(body())


def test_several_turns_follow_each_other_on_one_connection() -> None:
    async def body() -> None:
        async with Speech() as service, connected(service) as socket:
            await socket.speak("a", "One.")
            one = await socket.until_end("a")
            await socket.stream("b", "Two", " and ", "three.")
            two = await socket.until_end("b")
            assert one.paths[:3] == ["turn.start", "response", "audio.metadata"]
            assert one.paths[-2:] == ["audio", "turn.end"]
            assert (one.words, two.words) == (["One", "."], ["Two", "and", "three", "."])
            assert [u.text for u in service.utterances] == ["One.", "Two and three."]
            assert not any(u.stopped for u in service.utterances)

    run(body())


def test_a_stop_ends_the_turn_early_and_late_text_for_it_is_ignored() -> None:
    async def body() -> None:
        async with Speech() as service, connected(service) as socket:
            await socket.stream("a", "A long tale " * 100, end=False)
            await socket.until_audio("a")
            await socket.send("synthesis.control", "a", {"action": "stop"})
            heard = await socket.until_end("a")
            assert heard.paths[-1] == "turn.end"
            await socket.send("text.piece", "a", "more")
            await socket.send("text.end", "a", "")
            await socket.speak("b", "Next.")
            assert (await socket.until_end("b")).words == ["Next", "."]
            old, _ = service.utterances
            assert (old.outcome, old.stopped) == ("stopped", True)
            assert old.audio == heard.audio

    run(body())


@pytest.mark.parametrize("abandoned", ["beside", "first", "cancelled"])
def test_a_turn_that_was_abandoned_goes_on_beside_or_before_the_new_one_or_ends(
    abandoned: Literal["beside", "first", "cancelled"],
) -> None:
    async def body() -> None:
        switches = SpeechSwitches(abandoned=abandoned, speed=10.0)
        async with Speech(switches) as service, connected(service) as socket:
            await socket.speak("a", "A long tale " * 50)
            await socket.until_audio("a")
            await socket.speak("b", "Next.")
            await socket.until_end("b")
            old, new = service.utterances
            assert old.superseded
            assert old.stopped
            assert new.outcome == "complete"
            expected = {"beside": "speaking", "first": "complete", "cancelled": "stopped"}
            assert old.outcome == expected[abandoned]

    run(body())


def test_a_connection_is_closed_after_ten_minutes_even_while_it_speaks() -> None:
    async def body() -> None:
        async with Speech(SpeechSwitches(speed=0.01)) as service, connected(service) as socket:
            began = asyncio.get_running_loop().time()
            await socket.speak("a", "A long tale " * 10)
            assert await socket.until_closed() == 1000
            assert asyncio.get_running_loop().time() - began == pytest.approx(600, abs=1)
            await asyncio.sleep(0.1)
            assert service.utterances[0].outcome == "lost"
            assert not service.connections[0].open

    run(body())


@pytest.mark.parametrize("code", [1000, 1001, 1011])
def test_an_idle_connection_may_be_closed_between_turns(code: int) -> None:
    async def body() -> None:
        switches = SpeechSwitches(idle_close_s=2.0, idle_close_code=code)
        async with Speech(switches) as service, connected(service) as socket:
            await socket.speak("a", "One.")
            await socket.until_end("a")
            await asyncio.sleep(1.5)
            await socket.speak("b", "Two.")
            assert (await socket.until_end("b")).ended
            ended = asyncio.get_running_loop().time()
            assert await socket.until_closed() == code
            assert asyncio.get_running_loop().time() - ended == pytest.approx(2.0, abs=0.1)

    run(body())


def test_a_client_that_goes_away_leaves_nothing_speaking() -> None:
    async def body() -> None:
        faults: dict[str, Any] = {"endless": "audio"}
        async with Speech(SpeechSwitches(**faults)) as service:
            async with connected(service) as socket:
                await socket.speak("a", "Hello there.")
                await socket.until_audio("a")
            await asyncio.sleep(1.0)
            assert [u.outcome for u in service.utterances] == ["lost"]
            assert not any(connection.open for connection in service.connections)

    run(body())
