"""The second bridge: how soon after its first words are written an agent is heard, and how soon a
caller is greeted. One call of each kind at a time, before services that answer at once.

A turn's text comes as a stream of tokens. The caller interrupts each turn soon after it begins, so
that a call has many turns in a short time.
"""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.load import percentile
from bench.stage import Stage
from simulator.acs_calls import SimulatedCall
from simulator.audio import Clip, placeholder
from simulator.line import Line
from simulator.realtime_response import Response
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

TURNS_PER_CALL = 10
TOKENS_PER_S = 60.0
LATE_S = 2.0
"""So late the AI session is where greetings are measured."""
GREETING = "Hello, you have reached Harbour Cycles."

REPLIES = (
    "We are open from nine in the morning until six in the evening on weekdays. Not on Sunday.",
    "A full service takes about one day, and we call you when your bicycle is ready. Is that fine?",
    "That depends on the wheel, but most repairs of a flat tyre are done while you wait. Come in.",
    "Yes, we do have several city bicycles in the shop that you are welcome to try. Just come by.",
    "The workshop is at the back of the building, right behind the big green gate. Please ring.",
    "I am sorry to hear that your lights do not work any more. Please bring them in tomorrow.",
    "Our prices for children start at ten euros a day, helmet and basket included. It is a deal.",
    "Certainly, I can ask a mechanic to call you back later this afternoon. On which number?",
    "You could take the tram to the harbour and walk along the water for five minutes. Enjoy it.",
    "Thank you for asking, but we only sell bicycles that were built here in town. They last.",
)
"""Two sentences each, the first of twelve words and more."""


@dataclass(frozen=True)
class Kind:
    """A way to speak, and the agent that does it."""

    agent: str
    number: str
    voice: str
    speaking: str
    title: str


STREAM = Kind(
    "stream", "+15550100001", "en-US-AvaMultilingualNeural", "stream", "a voice that takes a stream"
)
CLAUSES = Kind(
    "clauses",
    "+15550100002",
    "en-US-AndrewMultilingualNeural",
    "clauses",
    "a voice that needs SSML",
)
SENTENCES = Kind(
    "sentences",
    "+15550100003",
    "en-US-EmmaMultilingualNeural",
    "stream",
    "beside them: a stream of whole sentences",
)
KINDS = (STREAM, CLAUSES, SENTENCES)

_AGENT = """
[agents.{agent}]
bridge = "realtime_speech"
model = "{agent}"
voice = "{voice}"
speaking = "{speaking}"
greeting = "{greeting}"
instructions = "You answer the phone."
turn_detection = {{ type = "server_vad", silence_duration_ms = 150 }}
waiting = []
"""
AGENTS = "\n".join(
    (
        f'default_agent = "{STREAM.agent}"',
        *(_AGENT.format(**vars(kind), greeting=GREETING) for kind in KINDS),
        "[numbers]",
        *(f'"{kind.number}" = "{kind.agent}"' for kind in KINDS),
    )
)
SCRIPT = AgentScript(tuple(Reply(Utterance(text), delay_ms=0.0) for text in REPLIES), {})
AT_ONCE = SpeechSwitches(patience_s=0.0)
"""Each piece of text is spoken when it comes; usually the end of its word is waited for."""

_YES = Utterance("Yes?", Clip(placeholder("Yes?", 24_000).pcm[:9600], 24_000))
"""Of 200 ms."""
TALK = CallerScript(
    (
        Step(Say(_YES), AfterAgent(100)),
        *(Step(Say(_YES), DuringAgent(60)) for _ in range(TURNS_PER_CALL - 1)),
        Step(HangUp(), DuringAgent(60)),
    ),
    Expect(ended_by="caller"),
)
GREETED = CallerScript((Step(HangUp(), DuringAgent(60)),), Expect(ended_by="caller"))


class NotAsScripted(Exception):
    """A call went wrong: its figures would mean nothing."""


@dataclass
class FirstWords:
    """Of the turns of one kind, in milliseconds."""

    since_word: list[float] = field(default_factory=list)
    """From the first delta with a letter of a word to the first sound at ACS."""
    since_end: list[float] = field(default_factory=list)
    """From the delta that ends what is spoken first, where it is spoken in pieces."""


async def first_words(on: Stage, turns: int) -> dict[Kind, FirstWords]:
    """Measures at least so many turns of each kind. Raises NotAsScripted."""
    on.world.realtime.switches.delta_s = 1 / TOKENS_PER_S
    results = {kind: FirstWords() for kind in KINDS}
    while min(len(words.since_word) for words in results.values()) < turns:
        async with asyncio.TaskGroup() as calls:
            for kind, words in results.items():
                calls.create_task(_talk(on, kind, words))
    return results


async def _talk(on: Stage, kind: Kind, words: FirstWords) -> None:
    await asyncio.sleep(random.uniform(0.0, 0.3))  # not in step with one another
    call = await on.world.call(kind.number, TALK)
    line = await _ended(call)
    session = [s for s in on.world.realtime.sessions if s.config["model"] == kind.agent][-1]
    for response in session.responses:
        written_at = _first_word(response)
        sounded_at = next((at for at in sounds(line) if at > written_at), None)
        if sounded_at is None:
            raise NotAsScripted(f"{kind.agent}: nobody said: {response.text}")
        words.since_word.append((sounded_at - written_at) * 1000)
        if kind is CLAUSES:
            ended_at = _clause_ended_at(on, kind, response, written_at)
            words.since_end.append((sounded_at - ended_at) * 1000)


async def _ended(call: SimulatedCall) -> Line:
    outcome = await call.ended()
    if not outcome.as_scripted or call.line is None:
        raise NotAsScripted("; ".join(outcome.faults) or "the call was not answered")
    return call.line


def _first_word(response: Response) -> float:
    return next(at for at, piece in response.deltas if any(sign.isalnum() for sign in piece))


def _clause_ended_at(on: Stage, kind: Kind, response: Response, written_at: float) -> float:
    """When the last sign was sent of the clause that the voice was given first."""
    given = (u for u in on.world.speech.utterances if u.voice == kind.voice)
    clause = next(u.text.strip() for u in given if u.began_at > written_at)
    end, length = response.text.index(clause) + len(clause), 0
    for at, piece in response.deltas:
        length += len(piece)
        if length >= end:
            return at
    raise NotAsScripted(f"{clause} was spoken and is not in: {response.text}")


def sounds(line: Line) -> Iterator[float]:
    """When agent audio that is not silence came to ACS (loop time)."""
    start, received = 0, line.playout.received
    for arrival in line.playout.arrivals:
        end = start + 2 * arrival.samples
        if any(received[start:end]):
            yield line.opened_at + arrival.at_s
        start = end


async def greetings(on: Stage, calls: int) -> list[float]:
    """From the open media socket to the greeting's first sound at ACS, in ms, ascending; the AI
    session comes `LATE_S` late. An agent's first call, whose greeting may have to be rendered, is
    not counted. Raises NotAsScripted."""
    on.world.realtime.switches.open_delay_s = LATE_S
    took_ms = []
    for _ in range(calls + 1):
        line = await _ended(await on.world.call(STREAM.number, GREETED))
        assert line.media_at_s is not None, "somebody was heard"
        took_ms.append((next(sounds(line)) - line.opened_at - line.media_at_s) * 1000)
    on.world.realtime.switches.open_delay_s = 0.0
    return sorted(took_ms[1:])


def show_first_words(results: dict[Kind, FirstWords]) -> None:
    """Of each kind a line or two, and what whole sentences cost."""
    count = min(len(words.since_word) for words in results.values())
    print(
        f"\nfirst words: {count} turns of each, one call of each kind at a time; text comes at "
        f"{TOKENS_PER_S:g} tokens/s,\nservices answer at once. From the delta to the first sound "
        "on the ACS socket:"
    )
    for kind, words in results.items():
        show_ms(f"{kind.title}, from the first word", words.since_word)
        if words.since_end:
            show_ms("  from the end of the first clause", words.since_end)
    stream, sentences = (sorted(results[k].since_word) for k in (STREAM, SENTENCES))
    ratios = (percentile(sentences, p) / percentile(stream, p) for p in (0.5, 0.95))
    print("  whole sentences take {:.1f} times as long (p50), {:.1f} times (p95)".format(*ratios))


def show_greetings(took_ms: list[float]) -> None:
    """One line."""
    print(f"\ngreeting with the AI session {LATE_S:g} s late, from the second call on:")
    show_ms("from the open media socket to its first sound", took_ms)


def show_ms(name: str, values: list[float]) -> None:
    """One line of percentiles; `values` in ms, in any order."""
    values = sorted(values)
    p50, p95 = percentile(values, 0.5), percentile(values, 0.95)
    print(f"  {name:65} p50 {p50:8.1f} ms   p95 {p95:8.1f} ms   of {len(values)}")
