"""The real azure-cognitiveservices-speech against the simulated service, in real time."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from simulator.clock import wall_now
from simulator.identity import make_token
from simulator.script_toml import utterance_of_wav
from simulator.speech_service import Speech
from simulator.speech_service_door import AUDIENCE
from simulator.speech_service_switches import SpeechSwitches
from tests.simulator.speech_client import VOICE, speak

HOURS = utterance_of_wav(Path(__file__).parents[2] / "simulator/speech/agent_hours.wav")
SSML = (
    "<speak version='1.0' xmlns='http://www.w3.org/2001/10/synthesis' xml:lang='en-US'"
    " xmlns:mstts='http://www.w3.org/2001/mstts'><voice name='en-GB-SoniaNeural'>"
    "<mstts:express-as style='cheerful' styledegree='1.2'><prosody rate='+5%'>Fish &amp; chips."
    "</prosody></mstts:express-as></voice></speak>"
)


async def _one(service: Speech, turn: dict[str, Any], **more: Any) -> dict[str, Any]:
    ((found,),) = await speak({"url": service.url, "key": service.key, **more, "turns": [turn]})
    return found


def test_known_words_are_spoken_as_recorded_with_the_times_of_each_word() -> None:
    async def body() -> None:
        async with Speech() as service:
            found = await _one(service, {"text": HOURS.text}, rate=16000)
            assert found["reason"] == "SynthesizingAudioCompleted"
            assert found["audio"] == HOURS.pcm(16000).hex()
            words = [word for word in found["words"] if word[0] == "Word"]
            assert " ".join(text for _, text, _, _ in words) == HOURS.text.replace(",", "").replace(
                ".", ""
            )
            marks = [text for kind, text, _, _ in found["words"] if kind == "Punctuation"]
            assert marks == [".", ",", "."]
            starts = [start for _, _, start, _ in found["words"]]
            assert starts == sorted(starts)
            assert HOURS.clip is not None
            assert starts[-1] <= HOURS.clip.duration_ms
            (utterance,) = service.utterances
            assert (utterance.text, utterance.voice) == (HOURS.text, VOICE)
            assert utterance.outcome == "complete"
            assert [b.text for b in utterance.boundaries] == [w[1] for w in found["words"]]

    asyncio.run(body())


def test_streamed_text_is_spoken_while_it_is_being_written() -> None:
    pieces = [
        "On Satur",
        "days we",
        " are open from nine in the morning until five. ",
        "On ",
        "Mars, ",
        "no.",
    ]

    async def body() -> None:
        async with Speech() as service:
            turn = {"pieces": pieces, "pause_s": 0.05, "manner": {"rate": "+10%"}}
            found = await _one(service, turn, url=service.stream_url)
            assert found["reason"] == "SynthesizingAudioCompleted"
            assert found["spoken_while_writing"] > 48_000
            head = bytes.fromhex(found["audio"])[:100_000]
            assert head == HOURS.pcm(24000)[: len(head)]
            (utterance,) = service.utterances
            assert (utterance.text, utterance.pieces) == ("".join(pieces), pieces)
            assert utterance.streaming
            assert utterance.manner["rate"] == "+10%"
            assert utterance.audio_bytes == len(found["audio"]) // 2

    asyncio.run(body())


def test_the_next_turn_after_a_stop_uses_the_same_connection_and_gets_its_own_audio() -> None:
    async def body() -> None:
        async with Speech(SpeechSwitches(speed=2.0)) as service:
            turns = [
                {"pieces": [HOURS.text], "stop_after_bytes": 20_000},
                {"pieces": ["Are you still there?"]},
            ]
            ((first, second),) = await speak(
                {"url": service.stream_url, "key": service.key, "turns": turns}
            )
            assert first["reason"] == "Canceled"
            assert second["reason"] == "SynthesizingAudioCompleted"
            old, new = service.utterances
            assert (old.stopped, new.stopped) == (True, False)
            assert second["audio"] == new.audio.hex()
            assert len(service.connections) == 1

    asyncio.run(body())


def test_keys_tokens_and_credentials_open_connections_and_wrong_ones_do_not() -> None:
    async def body() -> None:
        token = make_token(AUDIENCE, now=wall_now())
        other = make_token("https://ai.azure.com", now=wall_now())
        async with Speech(custom_voices={"d-1": "HarbourNeural"}) as service:
            hello = [{"text": "Hello there"}]
            aad = f"aad#{service.resource_id}#"
            wanted: list[dict[str, Any]] = [
                {"key": service.key},
                {"host": service.url, "key": service.key},
                {"token": aad + token},
                {"credential": token},
                {"key": service.key, "endpoint_id": "d-1", "voice": "HarbourNeural"},
                {"key": "wrong"},
                {"token": aad + other},
                {"token": f"aad#/subscriptions/other#{token}"},
                {"key": service.key, "voice": "HarbourNeural"},
            ]
            found = await speak(*({"url": service.url, **one, "turns": hello} for one in wanted))
            reasons = [turns[0]["reason"] for turns in found]
            assert reasons == ["SynthesizingAudioCompleted"] * 5 + ["Canceled"] * 4
            codes = [turns[0]["code"] for turns in found[5:]]
            assert codes == ["AuthenticationFailure"] * 3 + ["BadRequest"]
            assert "Unsupported voice HarbourNeural" in found[-1][0]["error"]
            auths = [connection.auth for connection in service.connections]
            assert auths[:5] == ["key", "key", "aad", "credential", "key"]

    asyncio.run(body())


def test_ssml_is_read_for_its_voice_and_manner_and_refused_if_it_is_broken_or_streamed() -> None:
    async def body() -> None:
        async with Speech() as service:
            ssml = {"url": service.url, "key": service.key}
            stream = {"url": service.stream_url, "key": service.key}
            good, broken, streamed, wrong_path = await speak(
                {**ssml, "turns": [{"ssml": SSML}]},
                {**ssml, "turns": [{"ssml": SSML.replace("&amp;", "&")}]},
                {**stream, "turns": [{"pieces": [SSML]}]},
                {**ssml, "turns": [{"pieces": ["Hello."]}]},
            )
            assert good[0]["reason"] == "SynthesizingAudioCompleted"
            for refused in (broken, streamed, wrong_path):
                assert refused[0]["code"] == "BadRequest"
            assert "not well-formed" in broken[0]["error"]
            utterance = service.utterances[0]
            assert (utterance.voice, utterance.text) == ("en-GB-SoniaNeural", "Fish & chips.")
            manner = {"style": "cheerful", "style_degree": "1.2", "rate": "+5%"}
            assert utterance.manner == manner

    asyncio.run(body())


@pytest.mark.parametrize(
    ("switches", "code", "connections"),
    [
        ({"refuse_status": 401}, "AuthenticationFailure", 0),
        ({"refuse_status": 403}, "AuthenticationFailure", 0),
        ({"refuse_status": 429}, "TooManyRequests", 0),
        ({"refuse_status": 503}, "ServiceUnavailable", 0),
        ({"refuse_status": 500}, "ServiceError", 0),
        ({"close_before_audio": 1007}, "BadRequest", 1),
        ({"close_before_audio": 1011}, "ServiceError", 1),
        ({"close_before_audio": 1000}, "ServiceTimeout", 1),
        ({"close_before_audio": 4429}, "TooManyRequests", 1),
        ({"close_after_ms": 300}, "ServiceError", 1),
        ({"no_audio": True}, "ServiceTimeout", 1),
    ],
)
def test_each_fault_is_told_by_the_sdk_as_the_real_service_makes_it(
    switches: dict[str, Any], code: str, connections: int
) -> None:
    async def body() -> None:
        async with Speech(SpeechSwitches(**switches)) as service:
            found = await _one(service, {"text": HOURS.text})
            assert found["reason"] == "Canceled"
            assert found["code"] == code
            assert len(service.connections) == connections
            assert bool(found["audio"]) == ("close_after_ms" in switches)

    asyncio.run(body())


@pytest.mark.parametrize(
    ("status", "tries"), [(500, 2), (404, 2), (503, 2), (429, 2), (401, 1), (403, 1)]
)
def test_a_refused_handshake_is_tried_again_but_not_with_wrong_credentials(
    status: int, tries: int
) -> None:
    async def body() -> None:
        async with Speech(SpeechSwitches(refuse_status=status, refuse_next=1)) as service:
            retry = {"SpeechSynthesis_MaxRetryTimes": "1"}
            found = await _one(service, {"text": "Hello there"}, properties=retry)
            assert len(service.refusals) + len(service.connections) == tries
            assert (found["reason"] == "SynthesizingAudioCompleted") == (tries == 2)

    asyncio.run(body())


def test_a_connection_that_was_closed_between_turns_is_opened_again() -> None:
    async def body() -> None:
        async with Speech(SpeechSwitches(idle_close_s=0.0)) as service:
            turns = [{"text": "Hello there"}, {"text": "Goodbye"}]
            wanted = {"url": service.url, "key": service.key, "turns": turns}
            (found,) = await speak(wanted)
            assert [turn["reason"] for turn in found] == ["SynthesizingAudioCompleted"] * 2
            assert len(service.connections) == 2

    asyncio.run(body())


def test_a_connection_can_be_opened_before_there_is_anything_to_say() -> None:
    async def body() -> None:
        async with Speech(SpeechSwitches(handshake_s=0.5)) as service:
            found = await _one(service, {"text": "Hello there"}, open=True)
            assert found["reason"] == "SynthesizingAudioCompleted"
            assert found["first_s"] < 0.4
            assert len(service.connections) == 1

    asyncio.run(body())


def test_a_slow_voice_is_slow_and_a_failing_one_leaves_the_others_alone() -> None:
    async def body() -> None:
        switches = SpeechSwitches(
            first_byte_s=0.4, only_voices=(VOICE,), close_before_audio=1011, speed=100.0
        )
        async with Speech(switches) as service:
            begun = time.monotonic()
            one = {"url": service.url, "key": service.key, "turns": [{"text": "Hello there"}]}
            (failed,), (spoken,) = await speak(one, {**one, "voice": "en-US-GuyNeural"})
            assert failed["reason"] == "Canceled"
            assert spoken["reason"] == "SynthesizingAudioCompleted"
            assert spoken["first_s"] >= 0.4
            assert time.monotonic() - begun < 10

    asyncio.run(body())
