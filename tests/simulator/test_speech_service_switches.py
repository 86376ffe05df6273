"""The switches: nothing fails without them, and they can be aimed at a part of the turns."""

import asyncio
from typing import Any

import pytest

from simulator.speech_service import Speech
from simulator.speech_service_switches import SpeechSwitches
from tests.simulator.speech_socket import VOICE, connected
from tests.virtual_time import run

GUY = "en-US-GuyNeural"


async def _ends(service: Speech) -> tuple[bool, bool, bool]:
    """Whether a turn of SSML ends, one of streamed text, and one of SSML with another voice."""
    ended = []
    for request_id in ("ssml", "streamed", "guy"):
        async with connected(service) as socket:
            if request_id == "streamed":
                await socket.stream(request_id, "Hello there.")
            else:
                voice = GUY if request_id == "guy" else VOICE
                await socket.speak(request_id, "Hello there.", voice=voice)
            try:
                async with asyncio.timeout(20):
                    ended.append((await socket.until_end(request_id)).ended)
            except TimeoutError:
                ended.append(False)
    return ended[0], ended[1], ended[2]


@pytest.mark.parametrize(
    ("scope", "ends"),
    [
        ({}, (False, False, False)),
        ({"only": "ssml"}, (False, True, False)),
        ({"only": "streaming"}, (True, False, True)),
        ({"only_voices": (VOICE,)}, (False, False, True)),
        ({"only_voices": (GUY,)}, (True, True, False)),
        ({"only_voices": (GUY,), "only": "streaming"}, (True, True, True)),
    ],
)
@pytest.mark.parametrize(
    "fault",
    [
        {"no_audio": True},
        {"close_before_audio": 1011},
        {"close_after_ms": 100},
        {"stall_after_ms": 100},
        {"endless": "silent"},
    ],
)
def test_faults_befall_the_turns_they_are_aimed_at(
    fault: dict[str, Any], scope: dict[str, Any], ends: tuple[bool, bool, bool]
) -> None:
    async def body() -> None:
        async with Speech(SpeechSwitches(**fault, **scope)) as service:
            assert await _ends(service) == ends

    run(body())


def test_a_switch_that_is_set_back_leaves_no_trace() -> None:
    async def body() -> None:
        async with Speech() as service:
            assert await _ends(service) == (True, True, True)
            service.switches.no_audio = True
            assert await _ends(service) == (False, False, False)
            service.switches.no_audio = False
            assert await _ends(service) == (True, True, True)

    run(body())
