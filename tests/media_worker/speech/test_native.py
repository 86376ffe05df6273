"""Against the SDK itself; what needs a service is shown in test_synthesizers.py."""

import subprocess
import sys
from pathlib import Path

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
