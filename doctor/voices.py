"""The voices of Azure Speech: one word spoken by each, in each way in which an agent would speak.

In real time only: the native SDK knows no other.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from doctor.limits import VOICE_S, VOICES_MOST
from doctor.mends import SPEECH_ROLES, grant
from doctor.patient import Patient
from doctor.verdicts import Check, Fail, NotChecked, Ok, Verdict
from media_worker.bridges.realtime_speech.access import speech_access
from media_worker.speech.clips import Clips
from media_worker.speech.speaking import Speaker
from media_worker.speech.synthesizers import Synthesizers
from switchboard.agents import RealtimeSpeechAgent
from switchboard.speech_voice import SpeechVoice

WORD = "Hello."
"""Said in whatever voice; every one can."""

_UNREACHED = (
    "Check SPEECH_REGION (or SPEECH_ENDPOINT and SPEECH_STREAM_ENDPOINT), and that this network "
    "lets WebSockets out to it."
)


@dataclass(frozen=True)
class _Way:
    """A voice and how it is given its text."""

    voice: SpeechVoice
    mode: Literal["stream", "ssml"]


def voice_checks(patient: Patient) -> Iterator[Check]:
    """Each voice by SSML; by text stream, too, where the agent would stream."""
    agents = patient.directory.agents if patient.directory is not None else {}
    seen: set[_Way] = set()
    for agent in agents.values():
        if isinstance(agent, RealtimeSpeechAgent):
            for id_, way in _ways(agent):
                if way not in seen:
                    seen.add(way)
                    yield _check(patient, agent, f"speech.{agent.name}.{id_}", way, len(seen))


def _ways(agent: RealtimeSpeechAgent) -> Iterator[tuple[str, _Way]]:
    yield "ssml", _Way(agent.voice, "ssml")
    if agent.speaking == "stream" or (agent.speaking == "auto" and not agent.voice.needs_ssml):
        yield "stream", _Way(agent.voice, "stream")
    if agent.fallback_voice is not None:
        yield "fallback", _Way(agent.fallback_voice, "ssml")


def _check(patient: Patient, agent: RealtimeSpeechAgent, id_: str, way: _Way, number: int) -> Check:
    async def examine() -> Verdict:
        if number > VOICES_MOST:
            return NotChecked(f"{VOICES_MOST} voices are enough for one examination")
        return await _spoken(patient, agent, way)

    worker = patient.worker
    here = worker.speech_endpoint is not None and worker.speech_stream_endpoint is not None
    places = ("SPEECH_ENDPOINT", "SPEECH_STREAM_ENDPOINT") if here else ("SPEECH_REGION",)
    by_key = worker.speech_auth == "key"
    by_id = ("SPEECH_RESOURCE_ID",) if worker.speech_auth == "aad" else ()
    by = "as text stream" if way.mode == "stream" else "by SSML"
    return Check(
        id_,
        f"Speech: {way.voice.name} {by} ({agent.name})",
        examine,
        VOICE_S,
        _UNREACHED,
        "speech",
        ("REALTIME_ENDPOINT", "SPEECH_AUTH", *places, *(("SPEECH_KEY",) if by_key else by_id)),
        None if by_key else "speech",
    )


class _Ear:
    """See `Listener`."""

    def __init__(self) -> None:
        self._now = asyncio.get_running_loop().time
        self._began = self._now()
        self.first_ms: float | None = None
        self.failure: str | None = None
        self.over = asyncio.Event()

    def sound(self, turn: str, pcm: bytes) -> None:
        """Silence is no sound."""
        if self.first_ms is None and pcm.strip(b"\0"):
            self.first_ms = (self._now() - self._began) * 1000

    def word(self, turn: str, end: int, middle_ms: float) -> None:
        """Of no use here."""

    def spoken(self, turn: str) -> None:
        """It is said."""
        self.over.set()

    def hoarse(self, code: str) -> None:
        """The one way that is tried has failed."""
        self.failure = self.failure or code
        self.over.set()

    def speechless(self, code: str) -> None:
        """See `hoarse`."""


async def _spoken(patient: Patient, agent: RealtimeSpeechAgent, way: _Way) -> Verdict:
    """By the worker's own speaker, with nothing to fall back on."""
    speaking: Literal["stream", "clauses"] = "stream" if way.mode == "stream" else "clauses"
    alone = replace(agent, voice=way.voice, fallback_voice=None, speaking=speaking)
    pool = Synthesizers(speech_access(patient.worker, patient.credential, {}))
    ear = _Ear()
    try:
        speaker = Speaker(alone, patient.rate, pool, Clips(), ear)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(speaker.run())
            speaker.say("doctor", WORD)
            await ear.over.wait()
            task.cancel()
    finally:
        await pool.close()
    if ear.failure is not None:
        return Fail(ear.failure, _mend(patient, agent, way, ear.failure))
    if ear.first_ms is None:
        return Fail("no_audio", _mend(patient, agent, way, "no_audio"))
    return Ok(f"first audio after {ear.first_ms:.0f} ms, the connection's making included")


def _mend(patient: Patient, agent: RealtimeSpeechAgent, way: _Way, code: str) -> str:
    """By the SDK's error codes (CancellationErrorCode), and the speaker's own."""
    worker, name = patient.worker, way.voice.name
    where = f"in {worker.speech_region}" if worker.speech_region else "there"
    match code:
        case "AuthenticationFailure" | "Forbidden" if worker.speech_auth == "key":
            return "Check SPEECH_KEY, and that SPEECH_REGION is the region of its resource."
        case "AuthenticationFailure" | "Forbidden":
            granted = grant(SPEECH_ROLES, "the Speech resource", patient.signed_in.client_id)
            return f"Check SPEECH_RESOURCE_ID and that SPEECH_REGION is its region. {granted}"
        case "ConnectionFailure" | "ServiceTimeout":
            return _UNREACHED
        case "BadRequest" | "ServiceError" | "RuntimeError":
            return (
                f"Check that the voice {name} of agent {agent.name} exists {where} and takes this "
                "way of speaking; if not, name another in agents.toml."
            )
        case "TooManyRequests":
            return "Raise the Speech resource's quota of concurrent requests."
        case "no_audio" | "no_first_sound" | "stalled":
            return (
                f"The voice {name} makes no sound in time {where}: name another in agents.toml as "
                f"`voice` of agent {agent.name}, and give it a `fallback_voice`. If none of them "
                f"does, it is not the voice: {_UNREACHED}"
            )
        case _:
            return _UNREACHED
