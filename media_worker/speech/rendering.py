"""Renders fixed words into a clip, beside whatever else a call is doing."""

import asyncio

from media_worker.limits import RENDER_S
from media_worker.speech.clips import Clip, Clips, Phrase
from media_worker.speech.native import Kind
from media_worker.speech.scripts import Failed, Script, Told
from media_worker.speech.ssml import ssml
from media_worker.speech.synthesizers import SpeechUnavailable, Synthesizers
from switchboard.speech_voice import SpeechVoice


async def render(
    pool: Synthesizers, clips: Clips, voice: SpeechVoice, rate: int, text: str
) -> bool:
    """Sees to it that there is a clip of `text`, if the voice can be had: nobody waits for it.
    False: it cannot."""
    if clips.holds(Phrase(voice, rate, text)):
        return True
    script = Script("", fixed=True, text=text, ended=True, given=len(text))
    stir = asyncio.Event()
    told = Told(script, _Nobody(), stir, rate)
    try:
        async with asyncio.timeout(RENDER_S):
            kind = Kind("ssml", voice.name, voice.endpoint_id, rate)
            async with pool.leased(kind) as synthesizer:
                await synthesizer.speak_ssml(ssml(voice, text), told.hear)
                while not told.over():
                    stir.clear()
                    await stir.wait()
    except (Failed, SpeechUnavailable, TimeoutError):
        return False
    clips.put(voice, rate, text, Clip(b"".join(script.pcm), tuple(script.words)))
    return True


class _Nobody:
    """See `Listener`: the script keeps what is needed."""

    def sound(self, turn: str, pcm: bytes) -> None: ...
    def word(self, turn: str, end: int, middle_ms: float) -> None: ...
    def spoken(self, turn: str) -> None: ...
    def hoarse(self, code: str) -> None: ...
    def speechless(self, code: str) -> None: ...
