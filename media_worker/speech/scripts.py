"""One turn's text on its way to being speech, and what has become of it."""

import asyncio
from dataclasses import dataclass, field
from typing import assert_never

from media_worker.limits import (
    ENDLESS_CHARACTER_S,
    ENDLESS_S,
    SOUNDING_CHARACTERS,
    UTTERANCE_S,
    UTTERANCE_SAID_S,
    UTTERANCE_STALLED_S,
)
from media_worker.speech.native import Broken, Finished, Sound, SpeechEvent, Word
from media_worker.speech.seams import Listener


class Failed(Exception):
    """This way of speaking does not work; the text is a code for the log."""


@dataclass(slots=True, eq=False)
class Script:
    """The text of one turn, and how far it has come."""

    turn: str
    fixed: bool = False
    text: str = ""
    ended: bool = False
    cancelled: bool = False
    given: int = 0
    """Characters that the utterances so far were given."""
    sought: int = 0
    """Where in `text` the last word found ends: up to here it has been said."""
    sound_ms: float = 0.0
    heard_at: float = 0.0
    """When all sound so far has been heard, if it was played as it came: loop time."""
    pcm: list[bytes] = field(default_factory=list)
    words: list[tuple[float, int]] = field(default_factory=list)


class Told:
    """What is heard of one utterance, set in its place in the turn."""

    def __init__(self, script: Script, listener: Listener, stir: asyncio.Event, rate: int) -> None:
        self._script, self._listener, self._stir, self._rate = script, listener, stir, rate
        self._now = asyncio.get_running_loop().time
        self._base_ms = script.sound_ms
        self._given = 0
        self._ended: Finished | Broken | None = None
        self._begun_at = self._now()
        self._expected_at: float | None = None
        """Since when there is enough text for a sound."""
        self._complete = False
        self._sound_s = 0.0
        self._sounded_at: float | None = None
        """When audio came last that was more than silence."""
        self._sought: list[int] = []
        """For each word found, `Script.sought` before it."""

    def given(self, characters: int) -> None:
        """So much more text was given to the synthesizer."""
        self._given += characters
        if self._given >= SOUNDING_CHARACTERS and self._expected_at is None:
            self._expected_at = self._now()

    def complete(self) -> None:
        """All of the text was given."""
        self._complete = True
        self._expected_at = self._expected_at or self._now()

    def hear(self, event: SpeechEvent) -> None:
        script = self._script
        if script.cancelled:
            return
        match event:
            case Sound(pcm):
                if pcm.strip(b"\0"):
                    self._sounded_at = self._now()
                length_s = len(pcm) / 2 / self._rate
                self._sound_s += length_s
                script.sound_ms += length_s * 1000
                script.heard_at = max(script.heard_at, self._now()) + length_s
                if script.fixed:
                    script.pcm.append(pcm)
                self._listener.sound(script.turn, pcm)
            case Word():
                self._word(event)
            case Finished() | Broken():
                self._ended = event
            case _:
                assert_never(event)
        self._stir.set()

    def _word(self, word: Word) -> None:
        script = self._script
        at = _find(word.text, script.text, script.sought)
        if at < 0:  # said otherwise than written
            return
        self._sought.append(script.sought)
        script.sought = at + len(word.text)
        middle_ms = self._base_ms + (word.start_ms + word.end_ms) / 2
        script.words.append((middle_ms, script.sought))
        self._listener.word(script.turn, script.sought, middle_ms)

    def over(self) -> bool:
        """Whether all was said. Raises `Failed` if it will not be."""
        if isinstance(self._ended, Broken):
            raise self._failed(self._ended.code)
        if self._ended is not None and self._sounded_at is None and self._has_words():
            raise self._failed("no_audio")
        if self._ended is None and self._sound_s > ENDLESS_S + self._given * ENDLESS_CHARACTER_S:
            self.give_up()
        return self._ended is not None

    def due_at(self, first_sound_s: float) -> float:
        """When something must have come."""
        at_most = self._begun_at + UTTERANCE_S
        if self._sounded_at is None:
            return at_most if self._expected_at is None else self._expected_at + first_sound_s
        if not self._complete:
            return at_most
        if self._said():
            return min(at_most, self._sounded_at + UTTERANCE_SAID_S)
        return min(at_most, max(self._sounded_at, self._script.heard_at) + UTTERANCE_STALLED_S)

    def give_up(self) -> None:
        """Nothing more is expected. Raises `Failed` if words are missing."""
        if self._sounded_at is None:
            raise self._failed("no_first_sound")
        if not self._complete or not self._said():
            raise self._failed("stalled")
        self._ended = Finished()

    def _failed(self, code: str) -> Failed:
        """The next way begins behind what was heard: words that were announced, but did not come
        as sound, not even by half, are still to be said."""
        script = self._script
        while self._sought and script.words[-1][0] > script.sound_ms:
            script.words.pop()
            script.sought = self._sought.pop()
        return Failed(code)

    def _said(self) -> bool:
        """Whether the last word that was given has come as sound, at least by half."""
        script = self._script
        if self._sought and script.words[-1][0] > script.sound_ms:
            return False
        return not any(c.isalnum() for c in script.text[script.sought : script.given])

    def _has_words(self) -> bool:
        text = self._script.text[self._script.given - self._given : self._script.given]
        return any(c.isalnum() for c in text)


def _find(word: str, text: str, start: int) -> int:
    """Where `word` next stands in `text`, not as the end of another word, unless that word's
    beginning is what was said last (a voice that has waited in vain for the rest of a word says it
    in two); -1: nowhere."""
    at = text.find(word, start)
    while at > start and word[:1].isalnum() and text[at - 1].isalnum():
        at = text.find(word, at + 1)
    return at
