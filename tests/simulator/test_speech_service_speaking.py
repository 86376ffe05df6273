"""How text becomes sound and word times."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.audio import is_speech
from simulator.script import Utterance
from simulator.script_toml import utterance_of_wav
from simulator.speech_service_speaking import Recording, Speaker, Spoken, recorded
from simulator.speech_service_wire import TICKS_PER_S

SPEECH = Path(__file__).parents[2] / "simulator" / "speech"
GREETING = utterance_of_wav(SPEECH / "agent_greeting.wav")
BREAD = utterance_of_wav(SPEECH / "bakery_bread.wav")
GOODBYE = utterance_of_wav(SPEECH / "agent_goodbye.wav")
KNOWN = recorded([GREETING, BREAD, GOODBYE, Utterance("No sound.")])
RATE = 24000


def _said(*pieces: str, known: tuple[Recording, ...] = KNOWN) -> list[Spoken]:
    speaker = Speaker(RATE, known)
    return [word for piece in pieces for word in speaker.push(piece)] + speaker.flush()


def _sound(words: list[Spoken]) -> bytes:
    return b"".join(word.pcm for word in words)


@given(st.lists(st.integers(0, len(BREAD.text)), max_size=20))
def test_a_recorded_text_sounds_as_recorded_however_it_is_cut(cuts: list[int]) -> None:
    marks = [0, *sorted(cuts), len(BREAD.text)]
    words = _said(*(BREAD.text[a:b] for a, b in pairwise(marks)))
    assert _sound(words) == BREAD.pcm(RATE)


def test_a_word_is_spoken_as_soon_as_it_is_surely_at_its_end() -> None:
    speaker = Speaker(RATE, KNOWN)
    assert speaker.push("To") == []
    assert speaker.push("day") == []
    (today,) = speaker.push(" we")
    assert BREAD.pcm(RATE).startswith(today.pcm)
    assert len(speaker.push(" have rye")) == 2


def test_two_recordings_one_after_the_other_are_both_heard() -> None:
    words = _said(f"{GOODBYE.text} {GREETING.text}")
    assert _sound(words) == GOODBYE.pcm(RATE) + GREETING.pcm(RATE)


def test_a_clause_from_the_middle_of_a_recording_is_found() -> None:
    first, second = "Hello, you have reached Harbour Cycles.", "How can I help you?"
    assert _sound(_said(first)) + _sound(_said(second)) == GREETING.pcm(RATE)


def test_what_is_no_longer_as_recorded_is_murmured_until_the_next_clause() -> None:
    words = _said(f"Hello, you have two apples. {GOODBYE.text}")
    assert _sound(words).endswith(GOODBYE.pcm(RATE))
    assert GREETING.pcm(RATE).startswith(_sound(words[:3]))
    assert not GREETING.pcm(RATE).startswith(_sound(words[:4]))


def test_unknown_words_are_loud_enough_to_be_heard_and_take_their_time() -> None:
    words = _said("Somewhere in between.", known=())
    sound = _sound(words)
    assert 1.0 < len(sound) / 2 / RATE < 2.0
    assert is_speech(sound[:960])
    assert is_speech(sound[-9600:])


@pytest.mark.parametrize("text", [GREETING.text, BREAD.text, "Nobody, ever. Said this!"])
def test_boundaries_follow_each_other_and_end_with_the_sound(text: str) -> None:
    words = _said(text)
    boundaries = [boundary for word in words for boundary in word.boundaries]
    spoken = [b.text for b in boundaries if b.kind == "WordBoundary"]
    assert spoken == [word.strip(".,!?") for word in text.split()]
    assert "".join(b.text for b in boundaries) == text.replace(" ", "")
    for one, next_one in pairwise(boundaries):
        assert one.offset + one.duration <= next_one.offset + 1
    end = len(_sound(words)) // 2 * TICKS_PER_S // RATE
    assert boundaries[-1].offset + boundaries[-1].duration <= end + 1


def test_pauses_of_a_recording_stand_where_the_punctuation_is() -> None:
    words = _said(GREETING.text)
    pauses = {
        b.text: b.duration for word in words for b in word.boundaries if b.kind != "WordBoundary"
    }
    assert pauses[","] > 0.2 * TICKS_PER_S
    assert pauses["."] > 0.2 * TICKS_PER_S
