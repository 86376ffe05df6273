"""Against the SDK itself; what needs a service is shown in test_synthesizers.py."""

import gc
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import azure.cognitiveservices.speech as sdk
import pytest

from tests.media_worker.speech_stage import STREAM, Ear, pooled, real

ROOT = Path(__file__).parents[3]
EXIT = """
import asyncio
from media_worker.speech.ssml import ssml
from switchboard.speech_voice import SpeechVoice
from tests.media_worker.speech_stage import SSML, STREAM, VOICE, Ear, pooled

async def scenario():
    async with pooled() as (pool, _):
        async with pool.leased(STREAM) as one, pool.leased(SSML) as other:
            await one.speak_stream(Ear())
            await one.write("Hello, I am left open ")
            spoken = await other.speak_ssml(ssml(SpeechVoice(VOICE), "Bye."), Ear())
            await spoken.ended.wait()

asyncio.run(scenario())
"""


def test_the_interpreter_ends_cleanly_with_a_text_stream_left_open() -> None:
    ended = subprocess.run([sys.executable, "-c", EXIT], cwd=ROOT, timeout=15, check=False)
    assert ended.returncode == 0


def test_a_streams_request_is_released_when_its_text_ends_and_not_by_the_garbage_collector(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    requests: list[weakref.ref[Any]] = []
    original = sdk.SpeechSynthesisRequest

    def request(*args: Any, **kwargs: Any) -> Any:
        made = original(*args, **kwargs)
        requests.append(weakref.ref(made))
        return made

    monkeypatch.setattr(sdk, "SpeechSynthesisRequest", request)

    async def scenario() -> None:
        ear = Ear()
        async with pooled() as (pool, _), pool.leased(STREAM) as one:
            spoken = await one.speak_stream(ear)
            await one.write("Hello there. ")
            await one.end_text()
            assert [reference() for reference in requests] == [None]
            await spoken.ended.wait()
            assert ear.words == ["Hello", "there"]

    gc.disable()
    try:
        real(scenario)
    finally:
        gc.enable()
