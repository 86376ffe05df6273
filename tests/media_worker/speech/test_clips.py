from media_worker.limits import CLIPS_KEPT
from media_worker.speech.clips import Clip, Clips
from switchboard.speech_voice import SpeechVoice

VOICE = SpeechVoice("en-US-AvaNeural")
CLIP = Clip(b"\0\0", ((100.0, 5),))


def test_a_clip_is_for_one_voice_one_rate_and_one_text() -> None:
    clips = Clips()
    clips.put(VOICE, 24000, "Hello", CLIP)
    assert clips.get(VOICE, 24000, "Hello") == CLIP
    assert clips.get(SpeechVoice("en-US-AvaNeural", style="chat"), 24000, "Hello") is None
    assert clips.get(VOICE, 16000, "Hello") is None
    assert clips.get(VOICE, 24000, "Hello.") is None


def test_only_so_many_clips_are_kept() -> None:
    clips = Clips()
    for number in range(CLIPS_KEPT + 1):
        clips.put(VOICE, 24000, str(number), CLIP)
    assert clips.get(VOICE, 24000, "0") is None
    assert clips.get(VOICE, 24000, "1") == CLIP
