from media_worker.limits import CLIPS_KEPT_BYTES
from media_worker.speech.clips import Clip, Clips, Phrase
from switchboard.speech_voice import SpeechVoice

VOICE = SpeechVoice("en-US-AvaNeural")
CLIP = Clip(b"\0\0", ((100.0, 5),))
HALF = Clip(bytes(CLIPS_KEPT_BYTES // 2), ())


def test_a_clip_is_for_one_voice_one_rate_and_one_text() -> None:
    clips = Clips()
    clips.put(VOICE, 24000, "Hello", CLIP)
    assert clips.get(VOICE, 24000, "Hello") == CLIP
    assert clips.get(SpeechVoice("en-US-AvaNeural", style="chat"), 24000, "Hello") is None
    assert clips.get(VOICE, 16000, "Hello") is None
    assert clips.get(VOICE, 24000, "Hello.") is None


def phrase(text: str) -> Phrase:
    return Phrase(VOICE, 24000, text)


def kept(clips: Clips, texts: str) -> str:
    return "".join(text for text in texts if clips.holds(phrase(text)))


def test_only_so_much_is_kept_the_newest() -> None:
    clips = Clips()
    for text in "abbc":
        clips.put(*phrase(text), HALF)
    assert kept(clips, "abc") == "bc"


def test_what_the_directory_says_is_kept_before_all_else() -> None:
    clips = Clips()
    clips.want([phrase("a"), phrase("b")])
    for text in "abxyz":
        clips.put(*phrase(text), HALF)
    assert kept(clips, "abxyz") == "ab"
    clips.want([phrase("c"), phrase("b")])
    clips.put(*phrase("c"), HALF)
    assert kept(clips, "abc") == "bc", "what is said no more makes room"


def test_where_not_even_that_has_room_what_is_heard_most_often_stays() -> None:
    clips = Clips()
    clips.want(phrase(text) for text in "abc")
    for text in "cba":
        clips.put(*phrase(text), HALF)
    assert kept(clips, "abc") == "ab"
    clips.put(*phrase("c"), HALF)
    assert kept(clips, "abc") == "ab"


def test_the_rates_are_those_of_the_calls_and_before_the_first_the_usual_one() -> None:
    clips = Clips()
    assert not clips.holds(Phrase(VOICE, 16000, "Hello"))
    assert clips.rates == {24000}
    clips.get(VOICE, 16000, "Hello")
    assert clips.rates == {16000}
    clips.get(VOICE, 24000, "Hello")
    assert clips.rates == {16000, 24000}
