"""What the directory's agents say word for word, rendered before anybody calls, and again when the
directory changes: so the first call of the day is greeted from memory, too."""

import asyncio
from collections.abc import Iterator

from media_worker import log
from media_worker.limits import DIRECTORY_POLL_S, RENDER_AGAIN_MOST_S, RENDER_AGAIN_S
from media_worker.speech.clips import Clips, Phrase
from media_worker.speech.native import Kind
from media_worker.speech.rendering import render
from media_worker.speech.synthesizers import Synthesizers
from switchboard.agents import RealtimeSpeechAgent
from switchboard.directory import Directory
from switchboard.live_directory import LiveDirectory, News
from switchboard.speech_voice import SpeechVoice


class Repertoire:
    """Keeps the phrases of the live directory in `clips`, for as long as `run` runs. They are
    rendered one at a time: calls in progress need the same service, and the same threads."""

    def __init__(self, directory: LiveDirectory, pool: Synthesizers, clips: Clips) -> None:
        self._directory, self._pool, self._clips = directory, pool, clips
        self._now = asyncio.get_running_loop().time
        self._wanted: list[Phrase] = []
        self._settled = False
        """Nothing is left to do for what is wanted."""
        self._again_at = float("-inf")
        self._pause_s = RENDER_AGAIN_S

    async def run(self) -> None:
        """Runs for ever; readiness does not wait for it."""
        while True:
            await self._directory.freshen()
            while self._outdated():
                await self._rehearse()
            await asyncio.sleep(DIRECTORY_POLL_S)

    def _outdated(self) -> bool:
        """Whether there is something to do now."""
        if (directory := self._directory.directory) is None:
            return False
        wanted = list(dict.fromkeys(phrases(directory, self._clips.rates)))
        if wanted != self._wanted:
            self._wanted, self._settled = wanted, False
            self._again_at, self._pause_s = float("-inf"), RENDER_AGAIN_S
            self._clips.want(wanted)
        return not self._settled and self._now() >= self._again_at

    async def _rehearse(self) -> None:
        """Renders what is missing; a voice that fails is left alone until the next time."""
        directory = self._directory.directory
        hoarse, kinds = set[SpeechVoice](), set[Kind]()
        try:
            for phrase in self._wanted:
                if phrase.voice in hoarse or self._clips.holds(phrase):
                    continue
                voice = phrase.voice
                kinds.add(Kind("ssml", voice.name, voice.endpoint_id, phrase.rate))
                if not await render(self._pool, self._clips, *phrase):
                    hoarse.add(voice)
                elif not self._clips.holds(phrase):
                    break  # and none of those that follow has room
                await self._directory.freshen()
                if self._directory.directory is not directory:
                    return
        finally:
            for kind in kinds:  # a call makes one for itself while it connects
                await self._pool.dismiss(kind)
        self._tell(some_failed=bool(hoarse))

    def _tell(self, *, some_failed: bool) -> None:
        missing = sum(not self._clips.holds(phrase) for phrase in self._wanted)
        self._settled = not some_failed
        if missing == 0:
            log.event("clips_ready", clips=len(self._wanted))
        elif self._settled:
            log.event("clips_full", "warning", clips=missing)
        else:
            log.event("clips_missing", "warning", clips=missing)
            self._again_at = self._now() + self._pause_s
            self._pause_s = min(2 * self._pause_s, RENDER_AGAIN_MOST_S)


def phrases(directory: Directory, rates: frozenset[int]) -> Iterator[Phrase]:
    """All fixed words of the agents that speak with Azure Speech, those heard most often first."""
    agents = [a for a in directory.agents.values() if isinstance(a, RealtimeSpeechAgent)]
    for said in zip(*(_by_rank(agent) for agent in agents), strict=True):
        for agent, texts in zip(agents, said, strict=True):
            for text in texts:
                if text:
                    yield from (Phrase(agent.voice, rate, text) for rate in sorted(rates))


def _by_rank(agent: RealtimeSpeechAgent) -> list[tuple[str | None, ...]]:
    silence = agent.silence
    return [
        (agent.greeting,),
        agent.waiting,
        (*silence.prompts, silence.goodbye) if silence.prompts else (),
        (agent.goodbye,),
        (agent.apology,),
    ]


def log_news(news: News) -> None:
    """What the directory has to tell, as a line of the log. That there is none is no fault here: a
    worker need not have one."""
    good = news.event == "directory_read" or news.what == FileNotFoundError.__name__
    told: log.Fields = {"source": news.source, "agents": news.agents}
    if news.generation is not None:
        told["generation"] = news.generation
    if news.what is not None:
        told["error"] = news.what
    if news.line is not None:
        told["line"] = news.line
    log.event(news.event, "info" if good else "warning", **told)
