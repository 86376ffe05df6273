"""How an agent of the second bridge sounds, and what makes it fall silent: plain frozen data."""

from dataclasses import dataclass
from typing import Literal

Speaking = Literal["auto", "stream", "clauses"]
Sensor = Literal["service", "rms", "both"]


@dataclass(frozen=True)
class SpeechVoice:
    """A voice of Azure Speech. Prosody is in SSML's own writing (Azure Speech, "Customize voice and
    sound with SSML"); None: the voice's own."""

    name: str
    """Such as `en-US-AvaMultilingualNeural`, or a custom voice's name."""

    locale: str | None = None
    """The language spoken, such as `en-US`. None: the one in the voice's name."""

    style: str | None = None
    """A speaking style that the voice has, such as `cheerful`."""

    style_degree: float | None = None
    """0.01 to 2: how strongly the style is spoken; 1 is the voice's own."""

    rate: str | None = None
    pitch: str | None = None
    volume: str | None = None
    endpoint_id: str | None = None
    """A custom voice's deployment."""

    lexicon_url: str | None = None
    """A pronunciation lexicon, on https."""

    @property
    def needs_ssml(self) -> bool:
        """Whether only SSML can say how it is to sound: a text stream carries none."""
        shaped = (self.style, self.rate, self.pitch, self.volume, self.lexicon_url)
        return any(value is not None for value in shaped)


@dataclass(frozen=True)
class BargeIn:
    """What is taken for the caller beginning to speak while the agent does."""

    sensor: Sensor = "service"
    """The service's own detector, the level of the caller's audio (`rms`), or whichever is
    first."""

    threshold_dbfs: float = -31.5
    """`rms`: the level that speech exceeds; full scale is 0."""

    minimum_speech_ms: int = 60
    """`rms`: over so long its mean must exceed it; what is shorter is a click."""

    hang_over_ms: int = 300
    """`rms`: so much below it ends the speech; less is a gap between words."""

    adaptive_noise_floor: bool = False
    """`rms`: the threshold rises with the noise on the line."""
