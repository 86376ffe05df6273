"""The native Speech SDK may block in any of its functions: none is called on the event loop's
thread, in whole calls with an interruption, a voice that fails, and everything thrown away."""

import gc
import importlib
import sys
import threading
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

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
from tests.calls.whole import whole
from tests.virtual_time import run

AGENT = """
default_agent = "brand"

[agents.brand]
bridge = "realtime_speech"
voice = {voice}
fallback_voice = "en-US-GuyNeural"
greeting = "Hello."
instructions = "You answer the phone."
"""
LONG = "We open at nine on weekdays and at ten on Saturdays, and we close at six."
SCRIPT = AgentScript(
    tuple(Reply(Utterance(text)) for text in (LONG, "Of course.", "At six.", "Goodbye.")), {}
)
CALLER = CallerScript(
    (
        Step(Say(Utterance("When are you open?")), AfterAgent(300)),
        Step(Say(Utterance("Stop please.")), DuringAgent(1000)),
        Step(Say(Utterance("And when do you close?")), AfterAgent(300)),
        Step(HangUp(), AfterAgent(300)),
    ),
    Expect(ended_by="caller"),
)
PACKAGE = "azure.cognitiveservices.speech"


class Library:
    """The SDK's library; notes which thread calls which function."""

    def __init__(self, library: Any) -> None:
        self.callers: dict[str, set[int]] = defaultdict(set)
        self._library = library

    def __getattr__(self, name: str) -> "Function":
        function = Function(getattr(self._library, name), self.callers[name])
        setattr(self, name, function)
        return function


class Function:
    """One function of it; its types are set as on the original."""

    def __init__(self, function: Any, callers: set[int]) -> None:
        self.__dict__.update(function=function, callers=callers)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.__dict__["function"], name, value)

    def __call__(self, *args: Any) -> Any:
        self.__dict__["callers"].add(threading.get_ident())
        return self.__dict__["function"](*args)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    """In the place of the SDK's own, in all its modules."""
    interop = importlib.import_module(f"{PACKAGE}.interop")
    watched = Library(interop._sdk_lib)
    for name, module in [*sys.modules.items()]:
        if name.startswith(PACKAGE) and hasattr(module, "_sdk_lib"):
            monkeypatch.setattr(module, "_sdk_lib", watched)
    return watched


@pytest.mark.parametrize(
    ("voice", "speaks"),
    [
        ('"en-US-AvaMultilingualNeural"', "synthesizer_speak_request_async"),
        (
            '{ name = "en-US-AvaMultilingualNeural", style = "cheerful" }',
            "synthesizer_speak_ssml_async",
        ),
    ],
    ids=["stream", "clauses"],
)
def test_nothing_of_the_sdk_is_called_on_the_loops_thread(
    voice: str, speaks: str, tmp_path: Path, library: Library
) -> None:
    async def scenario() -> None:
        async with whole(
            tmp_path, agents_toml=AGENT.format(voice=voice), scripts=[SCRIPT]
        ) as system:
            for fails in (False, True):
                system.world.speech.switches.only_voices = ("en-US-AvaMultilingualNeural",)
                system.world.speech.switches.stall_after_ms = 300 if fails else None
                call = await system.call(CALLER)
                await call.ended()
                await system.settled()
                gc.collect()  # here, on the loop's thread: nothing of the SDK may be left for it

    run(scenario())
    assert {speaks, "synthesizer_stop_speaking_async"} <= library.callers.keys()
    assert any(name.endswith("release") for name in library.callers)
    loops_own = threading.get_ident()
    assert [name for name, callers in library.callers.items() if loops_own in callers] == []
