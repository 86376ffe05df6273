"""Random agents and callers: what the one says, and when the other speaks over it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from media_worker.speech.speakable import Speakable
from simulator.audio import SPOKEN_MS_PER_CHARACTER
from simulator.script import (
    AfterAgent,
    AfterWait,
    AgentScript,
    CallerScript,
    DuringAgent,
    Expect,
    HangUp,
    Reply,
    Say,
    Step,
    Utterance,
    When,
)
from tests.calls.heard import Told

SYLLABLES = (
    "ba",
    "bo",
    "da",
    "de",
    "fi",
    "go",
    "ka",
    "ki",
    "lo",
    "lu",
    "ma",
    "mi",
    "na",
    "no",
    "pa",
    "pe",
    "ra",
    "ri",
    "sa",
    "so",
    "ta",
    "ti",
    "va",
    "vo",
)
PLAIN = (
    "the",
    "and",
    "but",
    "because",
    "at",
    "for",
    "with",
    "we",
    "you",
    "it",
    "is",
    "has",
    "on",
    "of",
    "or",
    "so",
    "then",
    "which",
)
NUMBERS = ("42", "7", "1250", "3.50", "1999", "18", "2.5")
TURN_DETECTION_MS = 500.0
"""The silence after which the simulated model answers, as in the API reference."""
NOTICED_MS = 120.0
"""From the caller's first sound to StopAudio, at most."""

SHORTEST_WORD_MS = 3 * SPOKEN_MS_PER_CHARACTER
"""A word of two letters, with its space."""
LAST_PAUSE_MS = 5000.0
"""Before the caller hangs up, so that the last answer has come, however slow the network."""


def invented(chance: random.Random, least: int = 2) -> str:
    """A word that nobody says twice."""
    return "".join(chance.choice(SYLLABLES) for _ in range(chance.randint(least, 4)))


def spoken_form(text: str) -> str:
    """`text` without its markup, which the voice does not say."""
    speakable = Speakable("en-US")
    return (speakable.push(text) + speakable.flush()).strip()


def written(chance: random.Random, words: int) -> str:
    """What a model might write: sentences with marks, numbers and Markdown."""
    text = f"{invented(chance, 3).capitalize()}, {invented(chance)} "
    for _ in range(words):
        word = invented(chance) if chance.random() < 0.7 else chance.choice(PLAIN)
        match chance.randrange(24):
            case 0:
                word = f"**{word}**"
            case 1:
                word = f"*{word}*"
            case 2:
                word = f"[{word}](https://example.com/{word})"
            case 3:
                word = chance.choice(NUMBERS)
            case 4:
                word = f"\n- {word}"
            case 5 | 6 | 7:
                word = f"{word},"
            case 8:
                word = f"{word};"
            case 9 | 10:
                word = f"{word}. {invented(chance).capitalize()}"
            case 11:
                word = f"{word}? {invented(chance).capitalize()}"
            case 12:
                word = f"({word})"
        text += f"{word} "
    return f"{text}{invented(chance)}."


@dataclass(frozen=True)
class Talk:
    """One call: an agent's part, its caller's, and the turns that the agent will begin."""

    greeting: str
    agent: AgentScript
    caller: CallerScript
    turns: tuple[Told, ...]
    """The greeting and one for each time the caller speaks."""
    said: tuple[str, ...]


def talk(
    chance: random.Random,
    interruptions: int,
    *,
    loose: bool,
    lead_ms: float = 0.0,
    words: Sequence[int] = (0, 2, 6, 12, 20),
) -> Talk:
    """A caller who lets nobody finish, or hardly. `loose`: it is not known when exactly the agent
    will speak, so the caller speaks at any time; `lead_ms`: from an agent's words to their sound;
    `words`: how many an answer may have, beside the three that it has at least.
    """
    greeting = spoken_form(written(chance, 14))  # said as it stands: an owner writes no markup
    texts = [greeting] + [written(chance, chance.choice(words)) for _ in range(interruptions)]
    delays = [chance.uniform(0, 900) for _ in range(interruptions)]
    steps, said = [], []
    for number in range(interruptions):
        no = f"No, {invented(chance)}, {number}."
        delay_ms = delays[number - 1] if number else 0.0
        when = _when(chance, texts[number], delay_ms + lead_ms, loose=loose, first=not number)
        steps.append(Step(Say(Utterance(no)), when, limit_s=60))
        said.append(no)
    replies = [
        Reply(Utterance(text), delay_ms=delay)
        for text, delay in zip(texts[1:], delays, strict=True)
    ]
    steps.append(Step(HangUp(), AfterAgent(LAST_PAUSE_MS), limit_s=90))
    return Talk(
        greeting,
        AgentScript(tuple(replies), {}),
        CallerScript(tuple(steps), Expect(ended_by="caller")),
        (Told(greeting, greeting), *(Told(text, spoken_form(text)) for text in texts[1:])),
        tuple(said),
    )


def _when(chance: random.Random, text: str, silent_ms: float, *, loose: bool, first: bool) -> When:
    """When the caller speaks into a turn: of its first sound the service knows `NOTICED_MS` later.
    `silent_ms`: from the turn's beginning to its sound."""
    sounds_ms = sum(len(word) + 1 for word in spoken_form(text).split()) * SPOKEN_MS_PER_CHARACTER
    if loose and not first:  # whenever: into a word, into a pause, behind the last word
        longest = silent_ms + 1.2 * sounds_ms
        return AfterWait(TURN_DETECTION_MS + chance.uniform(150, 150 + longest))
    kind = chance.choice(("before", "first word", "within", "within", "within", "after"))
    if kind == "before" and not first:
        latest = max(0.0, silent_ms - NOTICED_MS)
        return AfterWait(TURN_DETECTION_MS + chance.uniform(150, 150 + latest))
    if kind == "first word":
        return DuringAgent(chance.uniform(0, 250))
    if kind == "after" and not loose:
        return DuringAgent(sounds_ms + chance.uniform(40, 300))
    return DuringAgent(chance.uniform(0, max(0.0, sounds_ms - 150)))
