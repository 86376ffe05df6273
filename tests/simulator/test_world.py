"""All of simulated Azure in one process, in virtual time."""

import asyncio
import base64
import math
from pathlib import Path
from typing import Any, cast

import pytest
from aiohttp import web
from azure.communication.callautomation.aio import CallAutomationClient
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError
from azure.storage.queue.aio import QueueClient
from openai import AsyncOpenAI

from simulator.audio import frames
from simulator.script import (
    AfterWait,
    AgentScript,
    CallerScript,
    Expect,
    HangUp,
    Reply,
    Say,
    Step,
    Utterance,
)
from simulator.script_toml import utterance_of_wav
from simulator.serving import serve
from simulator.speech_service_switches import SpeechSwitches
from simulator.tls import make_certificate
from simulator.world import simulated_azure
from tests.simulator.realtime_client import TEXT
from tests.simulator.speech_socket import connected
from tests.virtual_time import run

BRIEF = CallerScript((Step(HangUp(), AfterWait(2000)),), Expect(greeted=False))


def test_a_call_comes_by_event_grid_and_can_be_answered() -> None:
    async def body() -> None:
        contexts: list[str] = []

        async def hook(request: web.Request) -> web.Response:
            (event,) = await request.json()
            if "validationCode" in event["data"]:
                answer = {"validationResponse": event["data"]["validationCode"]}
                return web.json_response(answer)
            contexts.append(event["data"]["incomingCallContext"])
            return web.Response(status=202)

        app = web.Application()
        app.router.add_post("/hook", hook)
        async with serve(app) as url, simulated_azure() as world:
            await world.deliver_calls_to(f"{url}/hook")
            call = await world.call("+15550001111", BRIEF)
            await asyncio.sleep(0.5)
            env = world.endpoints.shared_env()
            key = AzureKeyCredential(env["ACS_ACCESS_KEY"])
            async with CallAutomationClient(
                env["ACS_ENDPOINT"], key, use_env_settings=False
            ) as client:
                await client.answer_call(contexts[0], f"{url}/callback")
            outcome = await call.ended()
            assert (outcome.ended_by, outcome.faults) == ("caller", ())
            async with QueueClient.from_connection_string(
                env["STORAGE_CONNECTION_STRING"], "sessions", use_env_settings=False
            ) as queue:
                await queue.send_message("hello")
            assert len(world.storage.messages("sessions")) == 1

    run(body())


def test_both_ai_services_follow_the_agents_scripts_and_know_what_callers_say() -> None:
    hello = Utterance("Hello, it is me.")
    agent = AgentScript((Reply(Utterance("So it is."), to="it is me"),), {}, deployment="mini")

    async def body() -> None:
        async with simulated_azure(agents=[agent]) as world:
            env = world.endpoints.worker_env(port=8080)
            script = CallerScript((Step(Say(hello), AfterWait(100)), Step(HangUp())))
            await world.call("+15550001111", script)
            client = AsyncOpenAI(
                base_url=f"{env['REALTIME_ENDPOINT']}/openai/v1", api_key=env["REALTIME_KEY"]
            )
            async with client, client.realtime.connect(model="mini") as connection:
                await connection.session.update(session=cast(Any, TEXT))
                for frame in frames(hello.pcm(24000) + bytes(48_000), 24000):
                    audio = base64.b64encode(frame).decode()
                    await connection.input_audio_buffer.append(audio=audio)
                while (event := await connection.recv()).type != "response.output_text.done":
                    pass
                assert event.text == "So it is."

    run(body())


def test_over_https_keys_are_not_taken(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)

    async def body() -> None:
        async with simulated_azure(certificate=certificate) as world:
            env: dict[str, Any] = world.endpoints.shared_env()
            assert "ACS_ACCESS_KEY" not in env
            assert env["ACS_ENDPOINT"].startswith("https://")
            client = CallAutomationClient(
                env["ACS_ENDPOINT"],
                AzureKeyCredential("a2V5"),
                connection_verify=env["TLS_CA_FILE"],
                use_env_settings=False,
                retry_total=0,
            )
            async with client:
                with pytest.raises(ClientAuthenticationError):
                    await client.get_call_connection("x").get_call_properties()

    run(body())


def test_speech_is_one_of_the_services_and_knows_what_agents_say() -> None:
    clip = utterance_of_wav(Path(__file__).parents[2] / "simulator/speech/caller_bread.wav")
    agents = (AgentScript((Reply(clip),), {}),)

    async def body() -> None:
        switches = SpeechSwitches(speed=math.inf)
        async with simulated_azure(agents=agents, speech=switches) as world:
            env = world.endpoints.worker_env(port=8080)
            assert env["SPEECH_ENDPOINT"] == world.speech.url
            assert env["SPEECH_STREAM_ENDPOINT"] == world.speech.stream_url
            assert env["SPEECH_KEY"] == world.speech.key
            async with connected(world.speech) as socket:
                await socket.stream("a", clip.text)
                assert (await socket.until_end("a")).audio == clip.pcm(24000)

    run(body())
