import asyncio

import pytest

from media_worker.limits import (
    ENDLESS_CHARACTER_S,
    ENDLESS_S,
    FIRST_SOUND_S,
    SOUNDING_CHARACTERS,
    UTTERANCE_S,
    UTTERANCE_SAID_S,
    UTTERANCE_STALLED_S,
)
from media_worker.speech.native import Broken, Finished, Sound, Word
from media_worker.speech.scripts import Failed, Script, Told
from tests.virtual_time import run

SOUND = Sound(b"\1\0" * 2400)
SILENCE = Sound(bytes(4800))


class Listener:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.pcm = b""
        self.words: list[tuple[int, float]] = []

    def sound(self, turn: str, pcm: bytes) -> None:
        self.pcm += pcm

    def word(self, turn: str, end: int, middle_ms: float) -> None:
        self.words.append((end, middle_ms))

    def spoken(self, turn: str) -> None: ...
    def hoarse(self, code: str) -> None: ...
    def speechless(self, code: str) -> None: ...


def told_of(text: str, *, complete: bool = True) -> tuple[Told, Script, Listener]:
    listener = Listener()
    script = Script("t", text=text, given=len(text))
    told = Told(script, listener, asyncio.Event(), 24000)
    told.given(len(text))
    if complete:
        told.complete()
    return told, script, listener


def test_words_are_found_in_the_text_and_timed_from_the_beginning_of_the_turn() -> None:
    async def scenario() -> None:
        told, script, listener = told_of("A cat, a dog and a 7.")
        script.sound_ms = 0.0
        for word, start in (("A", 0), ("cat", 100), ("a", 200), ("seven", 300)):
            told.hear(Word(word, start, start + 100))
        assert listener.words == [(1, 50.0), (5, 150.0), (8, 250.0)]
        told.hear(SOUND)
        later = Told(script, listener, told._stir, 24000)
        later.hear(Word("dog", 0, 100))
        assert listener.words[-1] == (12, 150.0)

    run(scenario())


def test_a_word_that_was_said_in_two_parts_is_found_whole() -> None:
    async def scenario() -> None:
        told, _, listener = told_of("On Saturday or Sunday.")
        for word, start in (("On", 0), ("Satur", 100), ("day", 200), ("day", 300)):
            told.hear(Word(word, start, start + 100))
        # A third part is no part of what was said last: it is not looked for inside other words.
        assert listener.words == [(2, 50.0), (8, 150.0), (11, 250.0)]

    run(scenario())


def test_what_was_cancelled_is_not_heard_any_more() -> None:
    async def scenario() -> None:
        told, script, listener = told_of("Hello")
        script.cancelled = True
        told.hear(SOUND)
        told.hear(Word("Hello", 0, 100))
        assert (listener.pcm, listener.words) == (b"", [])

    run(scenario())


def test_an_utterance_that_breaks_or_ends_without_a_sound_has_failed() -> None:
    async def scenario() -> None:
        told, _, _ = told_of("Hello")
        told.hear(Broken("TooManyRequests"))
        with pytest.raises(Failed, match="TooManyRequests"):
            told.over()
        told, _, _ = told_of("Hello")
        told.hear(SILENCE)
        told.hear(Finished())
        with pytest.raises(Failed, match="no_audio"):
            told.over()

    run(scenario())


def test_the_first_sound_is_due_when_there_is_enough_to_say_and_silence_is_none() -> None:
    async def scenario() -> None:
        told, _, _ = told_of("Hi", complete=False)
        began = told._now()
        assert told.due_at(FIRST_SOUND_S) == began + UTTERANCE_S
        told.given(SOUNDING_CHARACTERS)
        assert told.due_at(FIRST_SOUND_S) == began + FIRST_SOUND_S
        told.hear(SILENCE)
        assert told.due_at(FIRST_SOUND_S) == began + FIRST_SOUND_S
        with pytest.raises(Failed, match="no_first_sound"):
            told.give_up()

    run(scenario())


def test_an_end_that_does_not_come_is_not_waited_for_when_all_words_have() -> None:
    async def scenario() -> None:
        told, _, _ = told_of("Hello there.")
        told.hear(SOUND)
        told.hear(Word("Hello", 0, 50))
        with pytest.raises(Failed, match="stalled"):
            told.give_up()
        told.hear(Word("there", 50, 100))
        assert told.due_at(FIRST_SOUND_S) == told._now() + UTTERANCE_SAID_S
        told.give_up()
        assert told.over()

    run(scenario())


def test_the_rest_is_given_up_when_all_that_came_was_heard_and_nothing_has_come_for_long() -> None:
    async def scenario() -> None:
        told, _, _ = told_of("Hello there, my dear friend.")
        for _ in range(20):
            told.hear(SOUND)
        assert told.due_at(FIRST_SOUND_S) == pytest.approx(told._now() + 2.0 + UTTERANCE_STALLED_S)
        await asyncio.sleep(1.0)
        told.hear(SOUND)
        assert told.due_at(FIRST_SOUND_S) == pytest.approx(told._now() + 1.1 + UTTERANCE_STALLED_S)

    run(scenario())


def test_a_word_that_was_announced_and_not_heard_is_still_to_be_said() -> None:
    async def scenario() -> None:
        told, script, _ = told_of("Hello my friend.")
        for word, start in (("Hello", 0), ("my", 40), ("friend", 90)):
            told.hear(Word(word, start, start + 40))
        told.hear(SOUND)  # of 100 ms, which ends before half of the last word
        with pytest.raises(Failed, match="stalled"):
            told.give_up()
        assert script.text[script.sought :] == " friend."
        assert [end for _, end in script.words] == [5, 8]

    run(scenario())


def test_audio_longer_than_any_voice_makes_of_the_text_ends_the_utterance() -> None:
    async def scenario() -> None:
        told, _, _ = told_of("Hello")
        told.hear(Word("Hello", 0, 50))
        for _ in range(int((ENDLESS_S + 5 * ENDLESS_CHARACTER_S) * 10) + 1):
            assert not told.over()
            told.hear(SOUND)
        assert told.over()

    run(scenario())
