"""Each switch, as a client meets it."""

import asyncio
from typing import Any

import aiohttp
import pytest

from simulator.realtime import Realtime
from simulator.realtime_switches import RealtimeSwitches
from simulator.script import AgentScript, Reply, Utterance
from tests.simulator.realtime_client import connected, talking
from tests.virtual_time import run

LONG = AgentScript((Reply(Utterance("word " * 40)),), {})
HELLO = Utterance("Hello, it is me.")


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_refuse_status_refuses_the_handshake(status: int) -> None:
    async def scenario() -> None:
        async with Realtime(switches=RealtimeSwitches(refuse_status=status)) as service:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                async with connected(service):
                    pass
            assert refused.value.status == status

    run(scenario())


def test_a_deployment_that_does_not_exist_is_not_found() -> None:
    async def scenario() -> None:
        async with Realtime(switches=RealtimeSwitches(deployments=("another",))) as service:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                async with connected(service):
                    pass
            assert refused.value.status == 404
            async with connected(service, {"model": "another"}) as client:
                assert client.seen[0]["session"]["model"] == "another"

    run(scenario())


@pytest.mark.parametrize("deltas", [0, 3])
def test_the_socket_closes_in_mid_response(deltas: int) -> None:
    async def scenario() -> None:
        switches = RealtimeSwitches(close_after_deltas=deltas, close_code=1011)
        async with Realtime([LONG], switches) as service, talking(service) as client:
            await client.send("response.create")
            with pytest.raises(TypeError):  # a closing frame is no text
                await client.until("response.done")
            assert client.socket.close_code == 1011
            kinds = [event["type"] for event in client.seen]
            assert kinds.count("response.output_text.delta") == deltas

    run(scenario())


def test_a_stalled_response_says_nothing_more_but_the_session_lives() -> None:
    async def scenario() -> None:
        switches = RealtimeSwitches(stall_after_deltas=2)
        async with Realtime([LONG], switches) as service, talking(service) as client:
            await client.send("response.create")
            with pytest.raises(TimeoutError):
                await client.until("response.done")
            await client.send("response.cancel")
            assert (await client.until("response.done"))["response"]["status"] == "cancelled"

    run(scenario())


@pytest.mark.parametrize("deltas", [0, 3])
@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("server_error", "failed"),
        ("rate_limit_exceeded", "failed"),
        ("content_filter", "incomplete"),
    ],
)
def test_a_response_fails_and_says_why(deltas: int, code: Any, status: str) -> None:
    async def scenario() -> None:
        switches = RealtimeSwitches(fail_after_deltas=deltas, fail_code=code)
        async with Realtime([LONG], switches) as service, talking(service) as client:
            await client.send("response.create")
            response = (await client.until("response.done"))["response"]
            assert response["status"] == status
            assert code in str(response["status_details"])
            assert len(response["output"]) == (deltas > 0)

    run(scenario())


def test_a_silent_service_says_nothing_after_session_created() -> None:
    async def scenario() -> None:
        switches = RealtimeSwitches(silent=True)
        async with Realtime(switches=switches) as service, connected(service) as client:
            await client.send("response.create")
            with pytest.raises(TimeoutError):
                await client.next()

    run(scenario())


def test_transcription_comes_beside_the_response_or_fails() -> None:
    kind = "conversation.item.input_audio_transcription"

    async def scenario() -> None:
        async with (
            Realtime(switches=RealtimeSwitches(transcription_s=5.0)) as service,
            talking(service, transcription={"model": "gpt-4o-transcribe"}) as client,
        ):
            hello = Utterance("Hello there")
            service.know(hello)
            await client.say(hello.pcm(24000))
            await client.until("response.done")
            assert f"{kind}.completed" not in client.kinds()
            told = await client.until(f"{kind}.completed")
            assert told["transcript"] == "Hello there"
            deltas = [e["delta"] for e in client.seen if e["type"] == f"{kind}.delta"]
            assert deltas == ["Hello ", "there "]
            service.switches.transcription = "fails"
            await client.say(hello.pcm(24000))
            assert "failed" in (await client.until(f"{kind}.failed"))["error"]["message"]

    run(scenario())


def test_unknown_fields_may_be_ignored() -> None:
    async def scenario() -> None:
        async with Realtime() as service, talking(service) as client:
            await client.send("session.update", session={"type": "realtime", "mood": "merry"})
            assert (await client.refused())["message"] == "Unknown parameter: 'session.mood'."
            service.switches.unknown_fields = "ignored"
            await client.update(mood="merry")
            await client.send("response.create", response={"mood": "merry"})
            await client.until("response.done")

    run(scenario())


def test_a_client_that_leaves_in_mid_response_leaves_nothing_behind() -> None:
    async def scenario() -> None:
        switches = RealtimeSwitches(stall_after_deltas=2, transcription_s=100)
        async with Realtime([LONG], switches) as service:
            async with talking(service, transcription={"model": "whisper-1"}) as client:
                await client.say(Utterance("Hello").pcm(24000))
                await client.until("response.output_text.delta")
            await asyncio.sleep(0.1)
            assert service.sessions[0].close_code == 1000
            assert asyncio.get_running_loop().time() < 10

    run(scenario())


def test_settings_may_be_refused() -> None:
    async def scenario() -> None:
        switches = RealtimeSwitches(refuse_settings="invalid_value")
        async with Realtime(switches=switches) as service, connected(service) as client:
            await client.send("session.update", session={"type": "realtime"})
            assert (await client.refused())["code"] == "invalid_value"

    run(scenario())


@pytest.mark.parametrize("respond", ["no", "server_error"])
def test_a_turn_of_the_callers_may_be_heard_and_not_answered(respond: str) -> None:
    async def scenario() -> None:
        service = Realtime(switches=RealtimeSwitches(respond=respond))
        service.know(HELLO)
        async with service, talking(service) as client:
            await client.say(HELLO.pcm(24000))
            await asyncio.sleep(5)
            assert [item.kind for item in client.session.conversation] == ["user"]
            assert client.session.responses == []
            codes = [error["code"] for error in client.session.errors]
            assert codes == [code for code in [respond] if code != "no"]

    run(scenario())


def test_the_word_of_a_speech_may_come_after_its_answer() -> None:
    async def scenario() -> None:
        service = Realtime([LONG], RealtimeSwitches(speech_started_s=3.0))
        service.know(HELLO)
        async with service, talking(service) as client:
            await client.say(HELLO.pcm(24000))
            await client.until("input_audio_buffer.speech_started")
            kinds = [event["type"] for event in client.seen]
            assert "input_audio_buffer.speech_stopped" in kinds
            assert "response.output_text.delta" in kinds

    run(scenario())
