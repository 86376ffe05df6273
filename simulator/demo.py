"""`make demo`: a phone rings, an agent answers, and you watch the whole system on this machine."""

import asyncio
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

import aiohttp

from simulator.call import CallFailed, CallRequest, Told, place
from simulator.demo_picture import draw
from simulator.demo_story import Line, Story, Tone, outcome
from simulator.processes import ROOT, Processes, SystemFailed
from simulator.up import Options, Running, system

NUMBER = "+15550100001"
"""The reception's, in agents.toml; 555-01xx numbers are reserved for fiction."""
SCRIPT = Path(__file__).parent / "scripts" / "demo_caller.toml"
OUT = ROOT / "out"
LIMIT_S = 120.0
"""The demo takes some 25 s; a machine that needs longer than this is not going to finish."""
_CODES: Mapping[Tone, str] = {
    "caller": "36",
    "agent": "32",
    "plain": "0",
    "faint": "2",
    "loud": "1",
    "bad": "31",
}


class Screen:
    """Prints lines, in colour only on a terminal and without NO_COLOR (https://no-color.org)."""

    def __init__(self, out: TextIO, environ: Mapping[str, str]) -> None:
        self._out = out
        dumb = environ.get("NO_COLOR") or environ.get("TERM") == "dumb"
        self._colours = out.isatty() and not dumb
        self.plain = not (out.encoding or "").lower().startswith("utf")
        """No characters beyond ASCII."""
        self.width = min(110, shutil.get_terminal_size((100, 24)).columns)

    def show(self, line: Line) -> None:
        text = line.text
        if self.plain:
            text = text.encode("ascii", "replace").decode()
        code = _CODES[line.tone]
        coloured = self._colours and line.tone != "plain"
        self._out.write(f"\x1b[{code}m{text}\x1b[0m\n" if coloured else f"{text}\n")
        self._out.flush()

    def say(self, text: str = "", tone: Tone = "plain") -> None:
        self.show(Line(text, tone))


def main(arguments: Sequence[str] = ()) -> int:
    """Runs the demo; 0 if the call went as its script has it, 1 if not, 2 if wrongly asked."""
    screen = Screen(sys.stdout, os.environ)
    if arguments:
        screen.say("python -m simulator demo takes no arguments: it places one call, and tells it.")
        return 0 if set(arguments) <= {"-h", "--help"} else 2
    return asyncio.run(run(screen, os.environ))


async def run(screen: Screen, environ: Mapping[str, str], *, out: Path = OUT) -> int:
    """Starts the system, places the call, tells it. Returns the exit code."""
    screen.say("Starting on this machine: a phone network, Event Grid, storage, Voice Live;")
    screen.say("and Switchboard itself: the Functions app and the media worker.")
    try:
        async with asyncio.timeout(LIMIT_S), system(Options(), environ) as (running, processes):
            return await _call(screen, running, processes, out)
    except SystemFailed as error:
        screen.say(f"\nThe demo could not run: {error}", "bad")
    except TimeoutError:
        screen.say(f"\nThe demo was not over after {LIMIT_S:g} s and was stopped.", "bad")
    return 1


async def _call(screen: Screen, running: Running, processes: Processes, out: Path) -> int:
    story, told = Story(screen.width), None
    screen.say()
    try:
        async for entry in place(running, CallRequest(NUMBER, script=SCRIPT)):
            if isinstance(entry, Told):
                told = entry
                continue
            words = None
            if entry["event"] == "agent_speech_started" and running.voice_live_simulated:
                words = await _agent_says(running)
            for line in story.tell(entry, words):
                screen.show(line)
    except CallFailed as error:
        screen.say(f"The call failed: {error}", "bad")
    if told is None:
        _show_logs(screen, processes)
        return 1
    told.write(out)
    screen.say()
    for line in outcome(told.report):
        screen.show(line)
    screen.say()
    for row in draw(out / "call.wav", width=screen.width, plain=screen.plain):
        screen.say(row)
    screen.say(f"\nHear it: {_near(out / 'call.wav')}   (caller left, agent right)")
    screen.say(f"Read it: {_near(out / 'call.json')}")
    if not told.good:
        _show_logs(screen, processes)
    return 0 if told.good else 1


async def _agent_says(running: Running) -> str | None:
    """The words that the simulated service is speaking, for the line on the screen."""
    address = f"{running.endpoints.voice_live_url}/simulator/sessions"
    try:
        async with aiohttp.ClientSession() as http, http.get(address) as response:
            sessions = await response.json()
    except aiohttp.ClientError:
        return None
    spoken = [r["text"] for session in sessions[-1:] for r in session["responses"] if r["text"]]
    return spoken[-1] if spoken else None


def _show_logs(screen: Screen, processes: Processes) -> None:
    """What the product's own processes said last: the cause is most likely there."""
    for name in ("functions", "worker"):
        screen.say(f"\nThe last lines of {name} said:", "bad")
        screen.say(processes.tail(name) or "  (nothing)")


def _near(path: Path) -> Path:
    """The path as seen from here, if it is below."""
    try:
        return path.resolve().relative_to(Path.cwd())
    except ValueError:
        return path
