"""The real azure-ai-voicelive client against the simulated service, in both modes."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from azure.ai.voicelive.aio import ConnectionError as HandshakeError
from azure.ai.voicelive.aio import VoiceLiveConnection, connect
from azure.ai.voicelive.models import (
    AssistantMessageItem,
    AudioEchoCancellation,
    AudioInputTranscriptionOptions,
    AudioNoiseReduction,
    AzureSemanticVad,
    AzureStandardVoice,
    FunctionCallOutputItem,
    FunctionTool,
    InputTextContentPart,
    OutputTextContentPart,
    RequestSession,
    ResponseCreateParams,
    ServerEvent,
    UserMessageItem,
)
from azure.core.credentials import AccessToken, AzureKeyCredential

from simulator.audio import frames, silence
from simulator.clock import wall_now
from simulator.identity import make_token
from simulator.script import AgentScript, Reply, ToolCall, Utterance
from simulator.voice_live import VoiceLive
from tests.virtual_time import run

GREETING = "Hello, you have reached Harbour Cycles. How can I help you?"
LONG = Reply(Utterance("word " * 100), to="hours")
TOOL = Reply(Utterance("One moment."), to="order", calls=(ToolCall("get_order", {"id": 7}),))
SHOP = AgentScript((LONG, TOOL, Reply(Utterance("It is on its way."), after="get_order")), {})
VAD = AzureSemanticVad(interrupt_response=True, create_response=True)


class Entra:
    """A token credential as azure-identity's are, without Entra."""

    def __init__(self, resource: str = "https://ai.azure.com", lifetime_s: float = 3600) -> None:
        self.resource, self.lifetime_s = resource, lifetime_s
        self.scopes: tuple[str, ...] = ()

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.scopes = scopes
        token = make_token(self.resource, now=wall_now(), lifetime_s=self.lifetime_s)
        return AccessToken(token, int(wall_now() + self.lifetime_s))

    async def close(self) -> None: ...

    async def __aenter__(self) -> "Entra":
        return self

    async def __aexit__(self, *_: object) -> None: ...


@asynccontextmanager
async def connected(
    service: VoiceLive, credential: Any = None, **agent: str
) -> AsyncIterator[VoiceLiveConnection]:
    """In agent mode if `agent` names one; with the service's key unless told otherwise."""
    given: dict[str, Any] = dict(agent) or {"model": "gpt-realtime-2.1"}
    credential = credential or AzureKeyCredential(service.key)
    async with connect(endpoint=service.url, credential=credential, **given) as connection:
        yield connection


async def until(connection: VoiceLiveConnection, kind: str) -> ServerEvent:
    """The next event of this type; what comes before it is parsed by the client and dropped."""
    async with asyncio.timeout(30):
        while (event := await connection.recv()).type != kind:
            pass
    return event


async def say(connection: VoiceLiveConnection, text: str) -> None:
    for frame in frames(Utterance(text).pcm(24000) + silence(600, 24000), 24000):
        await connection.input_audio_buffer.append(audio=base64.b64encode(frame).decode())
        await asyncio.sleep(0.02)


def test_the_real_client_holds_a_conversation_in_model_mode() -> None:
    async def scenario() -> None:
        async with VoiceLive([SHOP]) as service, connected(service) as connection:
            service.know(Utterance("What are your hours?"))
            created = await until(connection, "session.created")
            assert created["session"]["model"] == "gpt-realtime-2.1"
            assert created["session"]["expires_at"] == int(wall_now() + 3600)
            await connection.session.update(
                session=RequestSession(
                    instructions="Sell bicycles.",
                    voice=AzureStandardVoice(name="en-US-Ava:DragonHDLatestNeural", rate="1.1"),
                    turn_detection=VAD,
                    input_audio_noise_reduction=AudioNoiseReduction(
                        type="azure_deep_noise_suppression"
                    ),
                    input_audio_echo_cancellation=AudioEchoCancellation(),
                    input_audio_transcription=AudioInputTranscriptionOptions(model="azure-speech"),
                    input_audio_sampling_rate=24000,
                    metadata={"callId": "20261123-0"},
                )
            )
            session = (await until(connection, "session.updated"))["session"]
            assert session["voice"]["rate"] == "1.1"
            assert session["turn_detection"]["type"] == "azure_semantic_vad"
            assert session["metadata"] == {"callId": "20261123-0"}
            greeting = AssistantMessageItem(content=[OutputTextContentPart(text=GREETING)])
            await connection.response.create(
                response=ResponseCreateParams(pre_generated_assistant_message=greeting)
            )
            delta = await until(connection, "response.audio.delta")
            assert delta["item_id"]
            assert (await until(connection, "response.done"))["response"]["status"] == "completed"
            await say(connection, "What are your hours?")
            heard = await until(connection, "conversation.item.input_audio_transcription.completed")
            assert heard["transcript"] == "What are your hours?"
            assert service.sessions[0].errors == []

    run(scenario())


def test_the_real_client_interrupts_and_truncates() -> None:
    async def scenario() -> None:
        async with VoiceLive([SHOP]) as service, connected(service) as connection:
            service.know(Utterance("What are your hours?"))
            service.know(Utterance("Stop, please, that is enough."))
            await connection.session.update(session=RequestSession(turn_detection=VAD))
            await say(connection, "What are your hours?")
            delta = await until(connection, "response.audio.delta")
            await asyncio.sleep(1.0)
            await say(connection, "Stop, please, that is enough.")
            done = await until(connection, "response.done")
            assert done["response"]["status"] == "cancelled"
            item_id = delta["item_id"]
            await connection.conversation.item.truncate(
                item_id=item_id, audio_end_ms=620, content_index=0
            )
            cut = await until(connection, "conversation.item.truncated")
            assert (cut["item_id"], cut["audio_end_ms"]) == (item_id, 620)
            kept = service.sessions[0].conversation.find(item_id)
            assert kept is not None
            assert kept.text == "word word"
            await connection.conversation.item.truncate(
                item_id=item_id, audio_end_ms=60_000, content_index=0
            )
            error = await until(connection, "error")
            assert "already shorter than 60000ms" in error["error"]["message"]

    run(scenario())


def test_the_real_client_runs_a_tool() -> None:
    async def scenario() -> None:
        async with VoiceLive([SHOP]) as service, connected(service) as connection:
            tool = FunctionTool(name="get_order", parameters={"type": "object", "properties": {}})
            await connection.session.update(session=RequestSession(tools=[tool]))
            asked = UserMessageItem(content=[InputTextContentPart(text="Where is my order?")])
            await connection.conversation.item.create(item=asked)
            await connection.response.create()
            call = await until(connection, "response.function_call_arguments.done")
            assert (call["name"], call["arguments"]) == ("get_order", '{"id": 7}')
            await until(connection, "response.done")
            output = FunctionCallOutputItem(call_id=call["call_id"], output="sent")
            await connection.conversation.item.create(item=output)
            await connection.response.create()
            said = await until(connection, "response.audio_transcript.done")
            assert said["transcript"] == "It is on its way."

    run(scenario())


def test_the_real_client_speaks_to_an_agent_with_a_token_and_comes_back_to_its_thread() -> None:
    agent = {"agent_name": "front-desk", "project_name": "shop"}

    async def scenario() -> None:
        async with VoiceLive() as service:
            entra = Entra()
            async with connected(service, entra, **agent) as connection:
                session = (await until(connection, "session.created"))["session"]
                assert session["agent"]["name"] == "front-desk"
                await connection.response.create()
                await until(connection, "response.done")
            assert entra.scopes == ("https://ai.azure.com/.default",)
            thread = session["agent"]["thread_id"]
            async with connected(service, entra, **agent, conversation_id=thread) as connection:
                again = (await until(connection, "session.created"))["session"]
                assert again["agent"]["thread_id"] == thread
                assert len(service.sessions[1].conversation.items) == 1
                await connection.session.update(session=RequestSession(instructions="Be rude."))
                assert "not supported" in (await until(connection, "error"))["error"]["message"]

    run(scenario())


def test_the_real_client_takes_unknown_events_and_warnings() -> None:
    async def scenario() -> None:
        async with VoiceLive() as service, connected(service) as connection:
            service.switches.unknown_events = service.switches.warnings = True
            await connection.session.update(session=RequestSession(temperature=0.7))
            assert (await until(connection, "session.mood.changed"))["mood"] == "curious"
            assert (await until(connection, "warning"))["warning"]["code"] == "preview"

    run(scenario())


def test_an_agent_refuses_a_key_and_the_client_hears_401() -> None:
    async def scenario() -> None:
        async with VoiceLive() as service:
            with pytest.raises(HandshakeError, match="401"):
                async with connected(service, agent_name="front-desk", project_name="shop"):
                    pass

    run(scenario())


@pytest.mark.parametrize("credential", [Entra("https://storage.azure.com"), Entra(lifetime_s=-1)])
def test_a_token_for_something_else_or_out_of_date_is_refused(credential: Entra) -> None:
    async def scenario() -> None:
        async with VoiceLive() as service:
            with pytest.raises(HandshakeError, match="401"):
                async with connected(service, credential):
                    pass

    run(scenario())
