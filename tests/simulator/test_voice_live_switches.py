"""Each switch, as a client meets it."""

import asyncio

import aiohttp
import pytest

from simulator.clock import wall_now
from simulator.identity import make_token
from simulator.script import AgentScript, Reply, Utterance
from simulator.voice_live import VoiceLive
from simulator.voice_live_switches import VoiceLiveSwitches, speaks_natively
from tests.simulator.voice_live_client import AGENT, MODEL, Client, talking
from tests.virtual_time import run

LONG = AgentScript((Reply(Utterance("word " * 40)),), {})
LENGTH_MS = len("word " * 40) * 62
GREETING = {
    "pre_generated_assistant_message": {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "text", "text": "Welcome!"}],
    }
}


async def answered(client: Client) -> dict[str, object]:
    await client.send("response.create")
    done = await client.until("response.done")
    return dict(done["response"])


@pytest.mark.parametrize("status", [401, 403, 404, 429, 503])
def test_refuse_status_refuses_the_handshake(status: int) -> None:
    async def scenario() -> None:
        async with VoiceLive(switches=VoiceLiveSwitches(refuse_status=status)) as service:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                async with talking(service):
                    pass
            assert refused.value.status == status
            assert service.refusals[0].status == status

    run(scenario())


def test_late_deltas_arrive_after_the_cancellation_and_before_the_end() -> None:
    async def scenario() -> None:
        async with (
            VoiceLive([LONG], VoiceLiveSwitches(late_deltas=3)) as service,
            talking(service) as client,
        ):
            await client.send("response.create")
            await client.until("response.audio.delta")
            client.seen.clear()
            await client.send("response.cancel")
            await client.until("response.done")
            deltas = [e for e in client.seen if e["type"] == "response.audio.delta"]
            assert len(deltas) == 3

    run(scenario())


def test_transcription_may_come_after_the_response_or_fail() -> None:
    async def scenario() -> None:
        async with VoiceLive() as service, talking(service) as client:
            kind = "conversation.item.input_audio_transcription"
            await client.update(input_audio_transcription={"model": "azure-speech"})
            service.switches.transcription = "after_response"
            await client.say(Utterance("Hello there").pcm(24000))
            await client.until("response.done")
            assert f"{kind}.completed" not in client.kinds()
            await client.until(f"{kind}.completed")
            service.switches.transcription = "failed"
            await client.say(Utterance("Hello there").pcm(24000))
            await client.until(f"{kind}.failed")
            await client.until("response.done")

    run(scenario())


@pytest.mark.parametrize(
    ("model", "switches", "left"),
    [
        ("gpt-realtime-2.1", VoiceLiveSwitches(), "word word word"),
        ("gpt-5", VoiceLiveSwitches(), ""),
        ("gpt-5", VoiceLiveSwitches(truncate="keeps_played"), "word word word"),
        ("gpt-realtime-2.1", VoiceLiveSwitches(truncate="removes_transcript"), ""),
    ],
)
def test_truncation_has_both_meanings(model: str, switches: VoiceLiveSwitches, left: str) -> None:
    async def scenario() -> None:
        async with (
            VoiceLive([LONG], switches) as service,
            talking(service, MODEL | {"model": model}) as client,
        ):
            await answered(client)
            (item,) = client.session.conversation
            await client.send(
                "conversation.item.truncate", item_id=item.id, content_index=0, audio_end_ms=1000
            )
            await client.until("conversation.item.truncated")
            assert item.text == left

    run(scenario())


@pytest.mark.parametrize("works", [True, False])
def test_a_greeting_in_agent_mode_may_be_unsupported(works: bool) -> None:
    async def scenario() -> None:
        bearer = {"Authorization": f"Bearer {make_token('https://ai.azure.com', now=wall_now())}"}
        switches = VoiceLiveSwitches(greeting_in_agent_mode=works)
        async with (
            VoiceLive(switches=switches) as service,
            talking(service, AGENT, bearer) as client,
        ):
            await client.send("response.create", response=GREETING)
            await client.until("response.done" if works else "error")
            assert len(client.session.responses) == works

    run(scenario())


def test_a_second_response_cancels_the_first_or_is_refused() -> None:
    async def scenario() -> None:
        async with VoiceLive([LONG]) as service, talking(service) as client:
            await client.send("response.create")
            await client.send("response.create")
            first = await client.until("response.done")
            assert first["response"]["status_details"]["reason"] == "client_cancelled"
            service.switches.active_response = "refused"
            await client.send("response.create")
            error = await client.until("error")
            assert error["error"]["code"] == "conversation_already_has_active_response"

    run(scenario())


def test_a_stalled_response_says_nothing_more_until_it_is_cancelled() -> None:
    async def scenario() -> None:
        async with (
            VoiceLive([LONG], VoiceLiveSwitches(stall_after_ms=500)) as service,
            talking(service) as client,
        ):
            await client.send("response.create")
            with pytest.raises(TimeoutError):
                await client.until("response.audio.done")
            assert 500 <= len(client.audio()) / 48 < 1200

    run(scenario())


def test_the_socket_may_close_in_mid_response() -> None:
    async def scenario() -> None:
        switches = VoiceLiveSwitches(close_after_ms=300, close_code=1011)
        async with VoiceLive([LONG], switches) as service, talking(service) as client:
            await client.send("response.create")
            with pytest.raises(TypeError):  # what aiohttp says of a frame that is no text
                await client.until("response.done")
            assert client.socket.close_code == 1011
            assert len(client.audio()) / 48 < LENGTH_MS

    run(scenario())


def test_an_oversized_message_is_above_what_the_sdk_takes() -> None:
    async def scenario() -> None:
        switches = VoiceLiveSwitches(oversized_message=True)
        async with VoiceLive([LONG], switches) as service, talking(service) as client:
            await client.send("response.create")
            assert len((await client.until("response.audio.delta"))["delta"]) > 4 * 1024 * 1024

    run(scenario())


def test_unknown_fields_may_pass() -> None:
    async def scenario() -> None:
        switches = VoiceLiveSwitches(unknown_fields="ignored")
        async with VoiceLive(switches=switches) as service, talking(service) as client:
            updated = await client.update(brand_new={"x": 1})
            assert updated["session"]["brand_new"] == {"x": 1}

    run(scenario())


def test_a_session_may_take_a_while_to_be_created() -> None:
    async def scenario() -> None:
        switches = VoiceLiveSwitches(open_delay_s=2.5)
        async with VoiceLive(switches=switches) as service, talking(service):
            assert asyncio.get_running_loop().time() == pytest.approx(2.5, abs=0.01)

    run(scenario())


def test_the_quota_of_connections_can_be_raised_and_lowered() -> None:
    async def scenario() -> None:
        async with VoiceLive(switches=VoiceLiveSwitches(connections_per_minute=1)) as service:
            async with talking(service):
                pass
            with pytest.raises(aiohttp.WSServerHandshakeError, match="429"):
                async with talking(service):
                    pass

    run(scenario())


def test_a_silent_service_says_nothing_after_session_created() -> None:
    async def scenario() -> None:
        async with (
            VoiceLive(switches=VoiceLiveSwitches(silent=True)) as service,
            talking(service) as client,
        ):
            await client.send("session.update", session={})
            with pytest.raises(TimeoutError):
                await client.next(within_s=60)

    run(scenario())


def test_audio_is_sent_faster_than_it_plays_in_chunks_of_the_sizes_given() -> None:
    async def scenario() -> None:
        async with VoiceLive([LONG]) as service, talking(service) as client:
            service.switches.speed = 5.0
            service.switches.chunk_bytes = (4800, 12000)
            loop = asyncio.get_running_loop()
            await client.send("response.create")
            await client.until("response.audio.delta")
            begun = loop.time()
            await client.until("response.audio.done")
            assert loop.time() - begun == pytest.approx(LENGTH_MS / 1000 / 5, rel=0.1)
            sizes = [len(e["delta"]) for e in client.seen if e["type"] == "response.audio.delta"]
            assert sizes[:3] == [6400, 16000, 16000]

    run(scenario())


def test_which_models_speak_themselves() -> None:
    assert speaks_natively("gpt-realtime-2.1-mini")
    assert speaks_natively("phi4-mm-realtime")
    assert not speaks_natively("gpt-5.6-terra")
