"""What ACS says and listens for by itself: play_media, and the recognition of digits."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from simulator import acs_wire as wire
from simulator.acs_connection import Connection
from simulator.acs_exchange import invalid, reply_to
from simulator.acs_switches import Refusal
from simulator.audio import Clip, placeholder

_TAG = re.compile(r"<[^>]+>")
_LONGEST_RECOGNITION_S = 300.0
"""initialSilenceTimeout is at most 300 s (SDK 1.6.0 models)."""


@dataclass
class Announcer:
    """The prompts and recognitions of one connection."""

    connection: Connection
    spoken: list[str] = field(default_factory=list)
    """The words of every prompt, in order."""
    _task: asyncio.Task[None] | None = field(default=None, repr=False)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    def play(self, body: dict[str, Any]) -> None:
        """Begins `:play`; raises Refused for a source it cannot read."""
        texts = [_words(source) for source in body.get("playSources") or []]
        if not texts:
            raise invalid("playSources is empty.")
        if body.get("interruptCallMediaOperation"):
            self.cancel()
        self._start(self._play(texts, body))

    def recognise(self, body: dict[str, Any]) -> None:
        """Begins `:recognize` of DTMF; raises Refused for anything else."""
        if body.get("recognizeInputType") != "dtmf":
            raise invalid("Only DTMF is recognised here.")
        if body.get("interruptCallMediaOperation"):
            self.cancel()
        self._start(self._recognise(body))

    def cancel(self) -> None:
        """Silence at once; PlayCanceled or RecognizeCanceled follows."""
        if self._task is not None:
            self._task.cancel()
        line = self.connection.line
        line.announcements.stop(line.now_s)

    def _start(self, work: Any) -> None:
        self._task = self.connection.exchange.start(work)

    async def _play(self, texts: Sequence[str], body: dict[str, Any]) -> None:
        context, uri = reply_to(body)
        report = self.connection.report
        refusal = self._failure(body)
        if refusal is not None:
            result = wire.result(refusal.status, int(refusal.code), refusal.message)
            data = {"failedPlaySourceIndex": 0, "resultInformation": result}
            report("PlayFailed", data, context, uri)
            return
        loop = bool((body.get("playOptions") or {}).get("loop"))
        try:
            async with self._lock:
                report("PlayStarted", {"resultInformation": wire.DONE}, context, uri)
                await self._speak(texts)
                while loop:
                    await self._speak(texts)
        except asyncio.CancelledError:
            canceled = wire.result(400, 8508, "Action canceled.")
            report("PlayCanceled", {"resultInformation": canceled}, context, uri)
            return
        report("PlayCompleted", {"resultInformation": wire.DONE}, context, uri)

    def _failure(self, body: dict[str, Any]) -> Refusal | None:
        needs_speech = any(source.get("kind") != "file" for source in body["playSources"])
        if needs_speech and not self.connection.answer.speech:
            return Refusal(400, "8567", "The Cognitive Services resource is not linked.")
        return self.connection.exchange.switches.play_fails

    async def _speak(self, texts: Sequence[str]) -> None:
        line = self.connection.line
        for text in texts:
            clip: Clip = placeholder(text, line.rate)
            self.spoken.append(text)
            line.announcements.receive(clip.pcm, line.now_s)
            self.connection.timeline.add("announcement", text=text)
            await asyncio.sleep(clip.duration_ms / 1000)

    async def _recognise(self, body: dict[str, Any]) -> None:
        context, uri = reply_to(body)
        connection, options = self.connection, body.get("recognizeOptions") or {}
        dtmf = options.get("dtmfOptions") or {}
        silence_s = float(options.get("initialSilenceTimeoutInSeconds") or 5)
        tone_s = float(dtmf.get("interToneTimeoutInSeconds") or 2)
        most = int(dtmf.get("maxTonesToCollect") or 1)
        stops = set(dtmf.get("stopTones") or [])
        tones: list[str] = []
        connection.recognising = True
        try:
            async with self._lock:
                if prompt := body.get("playPrompt"):
                    await self._speak([_words(prompt)])
                while len(tones) < most and not stops.intersection(tones):
                    limit = min(tone_s if tones else silence_s, _LONGEST_RECOGNITION_S)
                    async with asyncio.timeout(limit):
                        tones.append(wire.TONES[await connection.digits.get()])
        except TimeoutError:
            code, words = (8532, "inter-digit") if tones else (8510, "initial silence")
            result = wire.result(400, code, f"Action failed, {words} timeout reached.")
            connection.report("RecognizeFailed", {"resultInformation": result}, context, uri)
            return
        except asyncio.CancelledError:
            canceled = wire.result(400, 8508, "Action canceled.")
            connection.report("RecognizeCanceled", {"resultInformation": canceled}, context, uri)
            return
        finally:
            connection.recognising = False
        data = {
            "recognitionType": "dtmf",
            "dtmfResult": {"tones": tones},
            "resultInformation": wire.result(200, 8533, "Action completed, DTMF option matched."),
        }
        connection.report("RecognizeCompleted", data, context, uri)


def _words(source: dict[str, Any]) -> str:
    """The words of a play source; of a file its address."""
    match source.get("kind"):
        case "text":
            text = (source.get("text") or {}).get("text")
        case "ssml":
            text = _TAG.sub(" ", str((source.get("ssml") or {}).get("ssmlText") or "")).strip()
        case "file":
            text = (source.get("file") or {}).get("uri")
        case _:
            text = None
    if not isinstance(text, str) or not text:
        raise invalid("A play source has neither text, SSML nor file.")
    return text
