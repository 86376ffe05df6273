from media_worker.speech.clips import Clips
from media_worker.speech.rendering import render
from simulator.speech_service_switches import SpeechSwitches
from switchboard.speech_voice import SpeechVoice
from tests.media_worker.speech_stage import VOICE, pooled, real

TEXT = "One moment, please."


def test_a_phrase_is_rendered_once_with_its_words() -> None:
    async def scenario() -> None:
        async with pooled() as (pool, speech):
            clips = Clips()
            for _ in range(2):
                await render(pool, clips, SpeechVoice(VOICE), 24000, TEXT)
            (spoken,) = speech.utterances
            clip = clips.get(SpeechVoice(VOICE), 24000, TEXT)
            assert clip is not None
            assert clip.pcm == bytes(spoken.audio)
            assert [TEXT[:end].split()[-1].strip(",.") for _, end in clip.words] == [
                "One",
                "moment",
                "please",
            ]

    real(scenario)


def test_what_cannot_be_rendered_is_no_clip_and_no_error() -> None:
    async def scenario() -> None:
        async with pooled(SpeechSwitches(close_before_audio=1007)) as (pool, _):
            clips = Clips()
            await render(pool, clips, SpeechVoice(VOICE), 24000, TEXT)
            assert clips.get(SpeechVoice(VOICE), 24000, TEXT) is None

    real(scenario)
