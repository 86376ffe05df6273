"""`make demo`: two phones ring, two agents answer, and you watch the whole system on this machine.

One call over each bridge, both at the same time.
"""

import asyncio
import math
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import aiohttp

from simulator.call import CallFailed, CallRequest, Told, place
from simulator.demo_picture import draw, length_s
from simulator.demo_screen import Screen
from simulator.demo_story import InOrder, Line, Margin, Story, last_said, outcome
from simulator.processes import ROOT, Processes, SystemFailed
from simulator.up import Options, Running, system

SCRIPTS = Path(__file__).parent / "scripts"
OUT = ROOT / "out"
LIMIT_S = 120.0
"""The demo takes some 22 s; a machine that needs longer than this is not going to finish."""
LOOK_EVERY_S = 0.15
"""Between two looks at the words of a turn: in this time a model that writes has written more."""
WORDS_S = 0.9
"""How long the words of a turn may take to be complete: whatever there is then is shown."""
HOLD_S = 1.5
"""A line is shown this long after its time: by then the other call has told all until then."""
PRINT_EVERY_S = 0.05


@dataclass(frozen=True)
class DemoCall:
    """A call of the demo: to the agent `name` of agents.toml, with the script of that name."""

    name: str
    number: str
    service: Literal["voice_live", "realtime"]
    """Where the agent's words come from."""

    @property
    def request(self) -> CallRequest:
        return CallRequest(self.number, script=SCRIPTS / f"{self.name}_caller.toml")

    def words_url(self, running: Running) -> str | None:
        """The simulated service that knows the agent's words, if it is simulated."""
        if self.service == "realtime":
            return running.endpoints.realtime_url
        return running.endpoints.voice_live_url if running.voice_live_simulated else None


CALLS = (
    DemoCall("reception", "+15550100001", "voice_live"),
    DemoCall("bakery", "+15550100003", "realtime"),
)
"""One for each bridge. 555-01xx numbers are reserved for fiction."""


def main(arguments: Sequence[str] = ()) -> int:
    """Runs the demo; 0 if both calls went as scripted, 1 if not, 2 if wrongly asked."""
    screen = Screen(sys.stdout, os.environ)
    if arguments:
        screen.say(
            "python -m simulator demo takes no arguments: it places two calls, and tells them."
        )
        return 0 if set(arguments) <= {"-h", "--help"} else 2
    return asyncio.run(run(screen, os.environ))


async def run(screen: Screen, environ: Mapping[str, str], *, out: Path = OUT) -> int:
    """Starts the system, places the calls, tells them. Returns the exit code."""
    screen.say(
        "Starting on this machine: a phone network, Event Grid, storage, Voice Live, Realtime,"
    )
    screen.say("Speech; and Switchboard itself: the Functions app and the media worker.")
    try:
        async with asyncio.timeout(LIMIT_S), system(Options(), environ) as (running, processes):
            told = await _play(screen, running)
            _look_back(screen, told, out)
            if all(one is not None and one.good for one in told):
                return 0
            _show_logs(screen, processes)
    except SystemFailed as error:
        screen.say(f"\nThe demo could not run: {error}", "bad")
    except TimeoutError:
        screen.say(f"\nThe demo was not over after {LIMIT_S:g} s and was stopped.", "bad")
    return 1


def _margins() -> list[Margin]:
    width = max(len(call.name) for call in CALLS)
    return [Margin(call.name, index, width) for index, call in enumerate(CALLS)]


async def _play(screen: Screen, running: Running) -> list[Told | None]:
    """Places all calls at once, and tells them while they go on; None for one that failed."""
    screen.say("Two people call at the same moment; times are from the ring on.\n")
    order = InOrder()
    async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as group:
        following = [
            group.create_task(
                _follow(call, Story(margin, screen.width), running, http, order), name=call.name
            )
            for call, margin in zip(CALLS, _margins(), strict=True)
        ]
        group.create_task(_show_in_order(screen, order, following), name="screen")
    return [task.result() for task in following]


async def _show_in_order(
    screen: Screen, order: InOrder, following: Sequence["asyncio.Task[Told | None]"]
) -> None:
    clock = asyncio.get_running_loop().time
    began = clock()
    while not all(task.done() for task in following):
        await asyncio.sleep(PRINT_EVERY_S)
        for line in order.take((clock() - began - HOLD_S) * 1000):
            screen.show(line)
    for line in order.take(math.inf):
        screen.show(line)


async def _follow(
    call: DemoCall,
    story: Story,
    running: Running,
    http: aiohttp.ClientSession,
    order: InOrder,
) -> Told | None:
    told = None
    try:
        async for entry in place(running, call.request):
            if isinstance(entry, Told):
                told = entry
                continue
            words = None
            if entry["event"] == "agent_speech_started":
                words = await _words(http, call.words_url(running))
            order.put(entry["t_ms"], list(story.tell(entry, words)))
    except CallFailed as error:
        order.put(math.inf, [Line(f"{call.name}: the call failed: {error}", "bad")])
    return told


async def _words(http: aiohttp.ClientSession, url: str | None) -> str | None:
    """What the simulated service has the agent say in the turn that begins, once it is complete."""
    said: str | None = None
    try:
        async with asyncio.timeout(WORDS_S):
            while url is not None:
                await asyncio.sleep(LOOK_EVERY_S)
                async with http.get(f"{url}/simulator/sessions") as response:
                    sessions = await response.json()
                before, said = said, last_said(sessions[-1]) if sessions else None
                if said is not None and said == before:
                    break
    except (TimeoutError, aiohttp.ClientError):
        return said
    return said


def _look_back(screen: Screen, told: Sequence[Told | None], out: Path) -> None:
    """Of each call its outcome, its picture and its files; the pictures on one scale."""
    for one, call in zip(told, CALLS, strict=True):
        if one is not None:
            one.write(out, call.name)
    wavs = [out / f"{call.name}.wav" for call in CALLS]
    longest = max((length_s(wav) for wav, one in zip(wavs, told, strict=True) if one), default=0.0)
    screen.say("\nTimes of reply: from the end of the caller's speech to the agent's first sample")
    screen.say("(the service waits for silence, and thinks, as its script has it).")
    for one, wav, margin in zip(told, wavs, _margins(), strict=True):
        if one is None:
            continue
        screen.say()
        for line in outcome(one.report, margin, screen.width):
            screen.show(line)
        for row in draw(wav, width=screen.width, plain=screen.plain, seconds=longest):
            screen.say(row)
        screen.say(f"Hear it: {_near(wav)}   Read it: {_near(wav.with_suffix('.json'))}")


def _show_logs(screen: Screen, processes: Processes) -> None:
    """What the product's own processes said last: the cause is most likely there."""
    processes.keep_logs = True
    for name in ("functions", "worker"):
        screen.say(f"\nThe last lines of {name} said:", "bad")
        screen.say(processes.tail(name) or "  (nothing)")


def _near(path: Path) -> Path:
    """The path as seen from here, if it is below."""
    try:
        return path.resolve().relative_to(Path.cwd())
    except ValueError:
        return path
