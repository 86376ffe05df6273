"""Twenty calls at once on the second bridge, in real time, with the native Speech SDK: what each
caller heard is known, and nothing is left behind."""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from media_worker.limits import SPEECH_IDLE_KEPT
from simulator.acs_calls import SimulatedCall
from simulator.script import (
    AfterAgent,
    AgentScript,
    CallerScript,
    DuringAgent,
    Expect,
    HangUp,
    Reply,
    Say,
    Step,
    Utterance,
)
from simulator.speech_service_switches import SpeechSwitches
from simulator.speech_service_turn import SpokenUtterance
from tests.calls.heard import Told, letters, played, sort_into
from tests.calls.random_talk import SHORTEST_WORD_MS, invented, spoken_form, written
from tests.calls.whole import Whole, whole
from tests.media_worker.speech_stage import STREAM, Ear, pooled

CALLS, INTERRUPTIONS = 20, 3
CLOSE_MS = 60.0
"""Nearer to the middle of a word, a cut may count it or not."""
LAG_EVERY_S = 0.02
END_S = 10.0
"""For threads and sockets that were told to end."""
AGENT = """
default_agent = "brand"

[agents.brand]
bridge = "realtime_speech"
voice = "en-US-AvaMultilingualNeural"
greeting = "{greeting}"
instructions = "You answer the phone."
waiting = []
"""


def caller(chance: random.Random) -> CallerScript:
    """Whose words nobody else says, and who lets no turn pass."""
    steps = [
        Step(
            Say(Utterance(f"No, {invented(chance, 4)}.")),
            DuringAgent(chance.uniform(100, 2500)),
            limit_s=60,
        )
        for _ in range(INTERRUPTIONS)
    ]
    end = Step(HangUp(), AfterAgent(300), limit_s=60)
    return CallerScript((*steps, end), Expect(ended_by="caller", interruptions=INTERRUPTIONS))


class Lag:
    """How late the loop was at worst: what one side does now, the other may see so much later."""

    worst_ms = 0.0

    async def watch(self) -> None:
        now = asyncio.get_running_loop().time
        while True:
            due = now() + LAG_EVERY_S
            await asyncio.sleep(LAG_EVERY_S)
            self.worst_ms = max(self.worst_ms, (now() - due) * 1000)


@asynccontextmanager
async def watched() -> AsyncIterator[Lag]:
    lag = Lag()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(lag.watch())
        yield lag
        task.cancel()


def longest(turns: list[Told], utterances: list[SpokenUtterance]) -> Iterator[SpokenUtterance]:
    """Of each turn the utterance that came furthest: all callers hear the same words."""
    for turn in turns:
        whole_text = letters(turn.spoken)
        said = [u for u in utterances if letters(u.text) and whole_text.startswith(letters(u.text))]
        if said:
            yield max(said, key=lambda utterance: utterance.audio_bytes)


def check(system: Whole, call: SimulatedCall, texts: list[str], lag_ms: float) -> None:
    """What is remembered of each turn is what was heard of it."""
    assert call.line is not None
    turns = [Told(text, spoken_form(text)) for text in texts]
    utterances = [*longest(turns, [*system.world.speech.utterances])]
    sort_into(turns, played(call, utterances))
    said = [turn.text for turn in call.line.caller.said]
    reports = [session.conversation.report() for session in system.world.realtime.sessions]
    (items,) = [report for report in reports if said[0] in [item["text"] for item in report]]
    (record,) = [r for r in system.records() if said[0] in [turn.text for turn in r.turns]]
    remembered = [item["text"] for item in items if item["kind"] == "assistant"]
    kept = [turn for turn in record.turns if turn.speaker == "agent"]
    heard = [turn for turn in turns if turn.played]
    margin_ms = CLOSE_MS + lag_ms
    for turn in heard[:INTERRUPTIONS]:
        least, most = turn.heard(margin_ms), turn.heard(-margin_ms)
        words = remembered.pop(0) if least or (remembered and _begins(turn, remembered[0])) else ""
        assert letters(words).startswith(least), (words, least)
        assert most.startswith(letters(words)), (words, most)
        off = len(words.split()) - len(turn.words())
        assert abs(off) <= 1 + lag_ms // SHORTEST_WORD_MS, (words, turn.words())
        record_turn = kept.pop(0)
        assert record_turn.interrupted
        assert letters(record_turn.heard_text or "") == letters(words)


def _begins(turn: Told, words: str) -> bool:
    return letters(turn.spoken).startswith(letters(words))


def left() -> tuple[int, int]:
    """The process's threads, native ones too, and its sockets."""
    sockets = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            sockets += os.readlink(f"/proc/self/fd/{name}").startswith("socket:")
        except FileNotFoundError:  # the listing's own
            continue
    return len(os.listdir("/proc/self/task")), sockets


def gone(before: tuple[int, int]) -> bool:
    """Whether no more is left than before; threads that were told to end have a moment. On no
    event loop, which has sockets of its own."""
    until = time.monotonic() + END_S
    while any(now > then for now, then in zip(left(), before, strict=True)):
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


async def one_utterance() -> None:
    """What the SDK keeps for the life of the process is there afterwards."""
    async with pooled() as (pool, _), pool.leased(STREAM) as one:
        spoken = await one.speak_stream(Ear())
        await one.write("Hello. ")
        await one.end_text()
        await spoken.ended.wait()


@pytest.mark.long
@pytest.mark.timeout(120)
def test_each_of_twenty_callers_is_known_to_have_heard_what_they_heard(tmp_path: Path) -> None:
    chance = random.Random(7)
    texts = [spoken_form(written(chance, 20)) for _ in range(INTERRUPTIONS + 1)]
    agent = AgentScript(tuple(Reply(Utterance(text)) for text in texts[1:]), {})

    async def scenario() -> None:
        agents = AGENT.format(greeting=texts[0])
        # Words are not broken where the machine is slow: to all callers they sound the same.
        speech = SpeechSwitches(patience_s=60)
        async with (
            whole(tmp_path, agents_toml=agents, scripts=[agent], speech=speech) as system,
            watched() as lag,
        ):
            calls = [await system.call(caller(chance)) for _ in range(CALLS)]
            outcomes = [await call.ended() for call in calls]
            await system.settled()
            open_ = [c for c in system.world.speech.connections if c.open]
            assert len(open_) <= SPEECH_IDLE_KEPT
            worst_ms = lag.worst_ms
            for call, outcome in zip(calls, outcomes, strict=True):
                assert outcome.as_scripted, outcome.faults
                check(system, call, texts, worst_ms)

    asyncio.run(one_utterance())
    before = left()
    asyncio.run(scenario())
    assert gone(before), (before, left())
