"""A pool of real synthesizers before the simulated Speech service, in real time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from media_worker.speech.native import Kind, Sound, SpeechEvent, Word
from media_worker.speech.synthesizers import SpeechAccess, Synthesizers
from simulator.speech_service import Speech
from simulator.speech_service_switches import SpeechSwitches

VOICE = "en-US-AvaMultilingualNeural"
STREAM = Kind("stream", VOICE, None, 24000)
SSML = Kind("ssml", VOICE, None, 24000)


class Ear:
    """What one utterance reports."""

    def __init__(self) -> None:
        self.events: list[SpeechEvent] = []

    def __call__(self, event: SpeechEvent) -> None:
        self.events.append(event)

    @property
    def words(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Word)]

    @property
    def pcm(self) -> bytes:
        return b"".join(event.pcm for event in self.events if isinstance(event, Sound))


@asynccontextmanager
async def pooled(
    switches: SpeechSwitches | None = None, key: str | None = None
) -> AsyncIterator[tuple[Synthesizers, Speech]]:
    async with Speech(switches) as speech:
        access = SpeechAccess(speech.url, speech.stream_url, key or speech.key)
        pool = Synthesizers(access)
        try:
            yield pool, speech
        finally:
            await pool.close()


def real(scenario: Callable[[], Awaitable[None]]) -> None:
    """Runs it against the wall clock, within 15 s."""

    async def limited() -> None:
        async with asyncio.timeout(15):
            await scenario()

    asyncio.run(limited())
