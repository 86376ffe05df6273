"""In real time: the native Speech SDK knows no other."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from doctor.directories import informed
from doctor.examine import examine
from doctor.patient import Asked, admitted
from doctor.voices import voice_checks
from simulator.identity import Identity
from simulator.speech_service import Speech
from tests.calls.whole import environ
from tests.doctor.stage import IN_AZURE, NOBODY, Found
from tests.media_worker.speech_stage import real

AVA, CHEERFUL = "en-US-AvaMultilingualNeural", "en-US-JennyNeural"
AGENTS = f"""
default_agent = "plain"
[agents.plain]
bridge = "realtime_speech"
voice = "{AVA}"
fallback_voice = "en-US-GuyNeural"
[agents.same]
bridge = "realtime_speech"
voice = "{AVA}"
[agents.styled]
bridge = "realtime_speech"
voice = {{ name = "{CHEERFUL}", style = "cheerful" }}
"""
ALL = ["speech.plain.ssml", "speech.plain.stream", "speech.plain.fallback", "speech.styled.ssml"]
Examine = Callable[..., Awaitable[Found]]


@asynccontextmanager
async def voices(
    tmp_path: Path, agents: str = AGENTS
) -> AsyncIterator[tuple[Speech, Examine, Path]]:
    """A Speech resource, and the examination of the voices alone, with settings changed."""
    file = tmp_path / "agents.toml"
    file.write_text(agents)
    async with Speech() as speech:
        env = dict(IN_AZURE) | {
            "REALTIME_ENDPOINT": "https://contoso.openai.azure.com",
            "REALTIME_KEY": "k",
            "SPEECH_ENDPOINT": speech.url,
            "SPEECH_STREAM_ENDPOINT": speech.stream_url,
            "SPEECH_AUTH": "key",
            "SPEECH_KEY": speech.key,
            "CREDENTIAL": "none",
            "ACS_ACCESS_KEY": "k",
            "VOICE_LIVE_KEY": "k",
            "STORAGE_CONNECTION_STRING": "AccountName=x;AccountKey=eA==",
        }

        async def look(**changed: str) -> Found:
            async with admitted(Asked(file=str(file)), env | changed) as stranger:
                patient = await informed(stranger)
                deadline = asyncio.get_running_loop().time() + 60
                return Found(
                    await examine(patient, list(voice_checks(patient)), deadline, lambda _: None)
                )

        yield speech, look, file


def test_each_voice_says_one_word_in_each_way_in_which_it_would_be_used(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with voices(tmp_path) as (speech, look, _):
            found = await look()
            assert found.green == ALL
            assert all("first audio after" in found.detail(id_) for id_ in ALL)
            said = [(spoken.voice, spoken.text, spoken.streaming) for spoken in speech.utterances]
            assert said == [
                (AVA, "Hello.", False),
                (AVA, "Hello.", True),
                ("en-US-GuyNeural", "Hello.", False),
                (CHEERFUL, "Hello.", False),
            ]

    real(scenario)


def test_a_voice_that_there_is_not_is_red_until_another_is_named(tmp_path: Path) -> None:
    async def scenario() -> None:
        unknown = AGENTS.replace(CHEERFUL, "en-US-NobodyNeural")
        async with voices(tmp_path, unknown) as (_, look, file):
            found = await look()
            assert found.red == ["speech.styled.ssml"]
            assert "Check that the voice en-US-NobodyNeural of agent styled exists" in found.mend(
                "speech.styled.ssml"
            )
            file.write_text(AGENTS)
            assert (await look()).red == []

    real(scenario)


def test_a_dead_voice_is_red_and_a_voice_that_only_streams_badly_in_that_way_alone(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        async with voices(tmp_path) as (speech, look, _):
            speech.switches.no_audio, speech.switches.only_voices = True, (CHEERFUL,)
            found = await look()
            assert found.red == ["speech.styled.ssml"]
            assert found.detail("speech.styled.ssml") == "no_first_sound"
            assert "give it a `fallback_voice`" in found.mend("speech.styled.ssml")
            speech.switches.only_voices, speech.switches.only = (), "streaming"
            assert (await look()).red == ["speech.plain.stream"]

    real(scenario)


@pytest.mark.parametrize(
    ("changed", "mend"),
    [
        ({"SPEECH_KEY": "wrong"}, "Check SPEECH_KEY"),
        (
            {
                "SPEECH_ENDPOINT": f"http://{NOBODY}",
                "SPEECH_STREAM_ENDPOINT": f"ws://{NOBODY}/cognitiveservices/websocket/v2",
            },
            "Check SPEECH_REGION",
        ),
    ],
)
def test_a_wrong_key_or_region_is_red_for_every_voice(
    changed: dict[str, str], mend: str, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with voices(tmp_path) as (_, look, _):
            found = await look(**changed)
            assert found.red == ALL
            assert [found.mend(id_) for id_ in ALL if mend not in found.mend(id_)] == []

    real(scenario)


def test_a_resource_that_is_not_the_regions_is_red_until_its_id_is_right(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Identity() as identity, voices(tmp_path) as (speech, look, _):
            by_token = {"SPEECH_AUTH": "aad", "SPEECH_KEY": "", "CREDENTIAL": "managed_identity"}
            async with environ(identity.env()):
                found = await look(**by_token, SPEECH_RESOURCE_ID="/subscriptions/another")
                assert found.red == ALL
                mend = found.mend("speech.plain.ssml")
                assert "Check SPEECH_RESOURCE_ID and that SPEECH_REGION is its region" in mend
                assert "the role Cognitive Services Speech User" in mend
                found = await look(**by_token, SPEECH_RESOURCE_ID=speech.resource_id)
                assert found.green == ALL
            unset = await look(**by_token)
            assert unset.open == ALL
            assert unset.detail("speech.plain.ssml") == "SPEECH_RESOURCE_ID is missing"

    real(scenario)
