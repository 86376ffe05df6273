"""Fixed words in an agent's voice, rendered once in a process and kept: a greeting that was spoken
before is on the wire in the first milliseconds of the next call."""

from dataclasses import dataclass

from media_worker.limits import CLIPS_KEPT
from switchboard.speech_voice import SpeechVoice


@dataclass(frozen=True, slots=True)
class Clip:
    """What was said, in whole samples, with the middle of each word and where it ends in the
    text."""

    pcm: bytes
    words: tuple[tuple[float, int], ...]


class Clips:
    """The clips of a process, the newest `CLIPS_KEPT`."""

    def __init__(self) -> None:
        self._clips: dict[tuple[SpeechVoice, int, str], Clip] = {}

    def get(self, voice: SpeechVoice, rate: int, text: str) -> Clip | None:
        """`text` in this voice, if it has been rendered."""
        return self._clips.get((voice, rate, text))

    def put(self, voice: SpeechVoice, rate: int, text: str, clip: Clip) -> None:
        """Keeps a rendering that is complete."""
        self._clips[voice, rate, text] = clip
        if len(self._clips) > CLIPS_KEPT:
            del self._clips[next(iter(self._clips))]
