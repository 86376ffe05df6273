"""Speech, noise and echo for the level detector, and how it did.

`python -m tests.media_worker.onsets` prints the figures of `docs/speaking.md`.

The speech is that of `simulator/speech` (CC0 voice): every place where it begins anew after 80 ms
of near silence is an onset. The line's nominal level for speech is -26 dBFS (ITU-T P.56), here
from -28 to -24. Babble is 24 such voices at once. White noise fills all of the 24 kHz.
"""

import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from media_worker.bridges import SpeechStarted, SpeechStopped
from media_worker.bridges.realtime_speech.rms import RmsDetector, RmsSettings, dbfs

Samples = NDArray[np.float64]
RATE = 24000
FRAME = RATE // 50
LEVELS = (-28.0, -24.0)
SNR_DB = 10.0
LEAD_S = 1.0
CLIPS = Path(__file__).parents[2] / "simulator" / "speech"


@cache
def clips() -> list[Samples]:
    """All speech clips."""
    return [clip(path.stem) for path in sorted(CLIPS.glob("*.wav"))]


@cache
def clip(name: str) -> Samples:
    """One speech clip."""
    with wave.open(str(CLIPS / f"{name}.wav")) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float64)


def block_levels(samples: Samples) -> Samples:
    """The level of each 10 ms, in dBFS."""
    blocks = samples[: len(samples) // 240 * 240].reshape(-1, 240)
    power: Samples = np.mean(blocks**2, axis=1) / 32768.0**2 + 1e-12
    return 10 * np.log10(power)


def active_dbfs(samples: Samples) -> float:
    """The level of speech, its pauses left out (after ITU-T P.56)."""
    levels = block_levels(samples)
    return float(10 * np.log10(np.mean(10 ** (levels[levels > levels.max() - 30] / 10))))


def at_level(samples: Samples, level_dbfs: float, *, speech: bool) -> Samples:
    """The same sound at another level."""
    now = active_dbfs(samples) if speech else 10 * np.log10(np.mean(samples**2) / 32768.0**2)
    return samples * 10 ** ((level_dbfs - now) / 20)


@cache
def onsets() -> list[Samples]:
    """Up to 1.2 s of speech each, from where it begins after a pause."""
    found = []
    for samples in clips():
        loud = block_levels(samples) > active_dbfs(samples) - 18
        quiet = 8
        for block, is_loud in enumerate(loud):
            if is_loud and quiet >= 8 and len(samples) - block * 240 > 0.4 * RATE:
                found.append(samples[block * 240 :][: int(1.2 * RATE)])
            quiet = 0 if is_loud else quiet + 1
    return found


def white(rng: np.random.Generator, length: int) -> Samples:
    return rng.standard_normal(length)


def pink(rng: np.random.Generator, length: int) -> Samples:
    hertz = np.maximum(np.fft.rfftfreq(length, 1 / RATE), 20)
    sound: Samples = np.fft.irfft(np.fft.rfft(white(rng, length)) / np.sqrt(hertz), length)
    return sound


def hum(rng: np.random.Generator, length: int) -> Samples:
    """50 Hz mains and its overtones to 300 Hz."""
    at = np.arange(length) / RATE
    tones = [np.sin(2 * np.pi * (50 * n * at + rng.random())) / n for n in range(1, 7)]
    sound: Samples = np.sum(tones, axis=0) + 0.02 * white(rng, length)
    return sound


def babble(rng: np.random.Generator, length: int) -> Samples:
    """Twenty-four voices at once."""
    voices = np.zeros(length)
    for _ in range(24):
        order = rng.permutation(len(clips()))
        voice = np.concatenate([at_level(clips()[n], -20, speech=True) for n in order])
        start = int(rng.integers(len(voice)))
        voices += np.resize(np.roll(voice, start), length)
    return voices


NOISES: dict[str, Callable[[np.random.Generator, int], Samples]] = {
    "white": white,
    "pink": pink,
    "hum": hum,
    "babble": babble,
}


@dataclass(frozen=True)
class Heard:
    """How a detector did on many onsets."""

    onsets: int
    missed: int
    """Not told after the onset: not at all, or the noise alone had tripped it before."""
    delays_ms: list[int]

    def percentile(self, share: float) -> float:
        return float(np.percentile(self.delays_ms, share)) if self.delays_ms else float("nan")


def events(
    detector: RmsDetector, samples: Samples, playing: Samples | None = None
) -> Iterator[tuple[int, SpeechStarted | SpeechStopped]]:
    """What the detector says, 20 ms at a time, with the milliseconds heard until then."""
    pcm = np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes()
    for frame in range(len(samples) // FRAME):
        level = None
        if playing is not None:
            level = dbfs(playing[frame * FRAME : (frame + 1) * FRAME].astype("<i2").tobytes())
        event = detector.push(pcm[frame * FRAME * 2 : (frame + 1) * FRAME * 2], level)
        if event is not None:
            yield (frame + 1) * 20, event


def starts(settings: RmsSettings, samples: Samples, playing: Samples | None = None) -> list[int]:
    """When the detector believed that speech began."""
    told = events(RmsDetector(settings, RATE), samples, playing)
    return [at for at, event in told if isinstance(event, SpeechStarted)]


def onsets_in_noise(
    noise: str,
    settings: RmsSettings,
    levels: tuple[float, float] = LEVELS,
    *,
    snr_db: float = SNR_DB,
    every: int = 1,
) -> Heard:
    """Onsets after a second of noise alone, at levels drawn from `levels`."""
    rng = np.random.default_rng(20261123)
    sound = NOISES[noise](rng, 40 * RATE)
    lead = int(LEAD_S * RATE)
    missed, delays = 0, []
    speeches = onsets()[::every]
    for speech in speeches:
        level = rng.uniform(*levels)
        at = int(rng.integers(len(sound) - lead - len(speech)))
        line = at_level(sound[at : at + lead + len(speech)], level - snr_db, speech=False)
        line[lead:] += at_level(speech, level, speech=True)
        told = [ms - int(LEAD_S * 1000) for ms in starts(settings, line)]
        after = [ms for ms in told if ms > 0]
        missed += not after
        delays += after[:1]
    return Heard(len(speeches), missed, delays)


def false_trips(
    noise: str,
    settings: RmsSettings,
    segments: int,
    levels: tuple[float, float] = LEVELS,
) -> int:
    """In how many segments of 20 s of noise alone speech was believed to begin."""
    rng = np.random.default_rng(7)
    tripped = 0
    for _ in range(segments):
        level = rng.uniform(*levels) - SNR_DB
        sound = at_level(NOISES[noise](rng, 20 * RATE), level, speech=False)
        tripped += bool(starts(settings, sound))
    return tripped


def echo_of(playing: Samples, loss_db: float, delay_ms: int) -> Samples:
    """What comes back on the line of what is being played."""
    late = delay_ms * RATE // 1000
    return np.concatenate([np.zeros(late), playing])[: len(playing)] * 10 ** (-loss_db / 20)


def agent_speech(level_dbfs: float = -20.0) -> Samples:
    """Some fifteen seconds of the agent."""
    names = ("agent_greeting", "agent_hours", "agent_price")
    return at_level(np.concatenate([clip(name) for name in names]), level_dbfs, speech=True)


def cough(rng: np.random.Generator) -> Samples:
    """Two bursts of breath, as a cough has. Made, not recorded."""
    at = np.arange(int(0.18 * RATE)) / RATE
    burst = rng.standard_normal(len(at)) * np.exp(-at * 22) * np.minimum(1, at / 0.005)
    return np.concatenate([burst, np.zeros(int(0.06 * RATE)), 0.5 * burst])


def mm_hm(rng: np.random.Generator) -> Samples:
    """Two hummed syllables, the second higher. Made, not recorded."""
    parts = []
    for hertz, seconds in ((115, 0.18), (0, 0.05), (150, 0.22)):
        at = np.arange(int(seconds * RATE)) / RATE
        swell = np.sin(np.pi * at / seconds)
        tone = sum(np.sin(2 * np.pi * hertz * n * at + rng.random()) / n**2 for n in range(1, 8))
        parts.append(swell * tone if hertz else np.zeros(len(at)))
    return np.concatenate(parts)


def click(rng: np.random.Generator) -> Samples:
    """5 ms, as a line or a table knock has."""
    return rng.standard_normal(int(0.005 * RATE))


def tripped_by(make: Callable[[np.random.Generator], Samples], settings: RmsSettings) -> str:
    """How many of 40 such sounds, -28 to -24 dBFS in their own time, were taken for speech."""
    rng = np.random.default_rng(3)
    quiet = np.zeros(RATE // 2)
    count = 0
    for _ in range(40):
        sound = at_level(make(rng), rng.uniform(*LEVELS), speech=False)
        count += bool(starts(settings, np.concatenate([quiet, sound, quiet])))
    return f"{count} of 40"


def report() -> Iterator[str]:
    """The figures, line by line."""
    variants = {
        "as delivered": RmsSettings(),
        "threshold_dbfs -35": RmsSettings(threshold_dbfs=-35),
        "threshold_dbfs -28": RmsSettings(threshold_dbfs=-28),
        "minimum_speech_ms 30": RmsSettings(minimum_speech_ms=30),
        "minimum_speech_ms 120": RmsSettings(minimum_speech_ms=120),
        "adaptive": RmsSettings(adaptive=True),
    }
    for title, settings in variants.items():
        for noise in NOISES:
            trips = f"false trips in {false_trips(noise, settings, 10)} of 10 x 20 s"
            yield f"{title:22} {noise:7} {_line(onsets_in_noise(noise, settings))}; {trips}"
    for level in (-36, -32, -28, -24, -20, -16):
        heard = onsets_in_noise("white", RmsSettings(), (level, level), snr_db=20, every=3)
        yield f"speech at {level} dBFS, 20 dB SNR: {_line(heard)}"
    for make in (cough, mm_hm, click):
        counts = ", ".join(f"{t}: {tripped_by(make, s)}" for t, s in variants.items())
        yield f"{make.__name__} taken for speech (no gate): {counts}"


def _line(heard: Heard) -> str:
    delays = " / ".join(f"{heard.percentile(share):.0f}" for share in (50, 95, 100))
    return f"missed {heard.missed} of {heard.onsets}, delay p50 / p95 / max {delays} ms"


if __name__ == "__main__":
    for line in report():
        print(line)  # noqa: T201  # a report for people
