"""What a caller heard of an agent's words, to the word: from the samples at the caller's ear and
from what the simulated Speech service said when, and from nothing that the product believes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from simulator.acs_calls import SimulatedCall
from simulator.speech_service_turn import SpokenUtterance

SAMPLE_BYTES = 2
TICKS_PER_MS = 10_000


@dataclass
class Played:
    """One utterance of the service's on its way to the caller's ear."""

    spoken: SpokenUtterance
    began_s: float
    """When its first samples came, on the line's clock."""
    arrived: int = 0
    """Samples that came to the caller's side, and `heard` those that were not dropped there."""
    heard: int = 0
    stops_before: int = 0
    """StopAudio messages before the first of them."""
    stops_within: int = 0
    """And between the first and the last of them: of a turn that ends when it is stopped, none."""

    @property
    def heard_ms(self) -> float:
        return self.heard * 1000 / self.spoken.rate

    def words(self, early_ms: float = 0.0) -> list[str]:
        """The words of which at least half was heard; with `early_ms`, had so much less been."""
        return [
            boundary.text
            for boundary in self.spoken.boundaries
            if boundary.kind == "WordBoundary"
            and (boundary.offset + boundary.duration / 2) / TICKS_PER_MS <= self.heard_ms - early_ms
        ]


def played(call: SimulatedCall, utterances: Iterable[SpokenUtterance]) -> list[Played]:
    """The utterances of which something came to the caller, in that order. Every message must be
    the next piece of the utterance before, or the beginning of another one: of one that was not
    played yet, else of one that is kept as a clip."""
    assert call.line is not None
    playout = call.line.playout
    found: list[Played] = []
    spoken = [one for one in utterances if one.audio]
    stops = [*playout.stops]
    position, stopped = 0, 0
    for number, arrival in enumerate(playout.arrivals):
        while stops and stops[0][0] <= number:
            _drop(found, stops.pop(0)[1])
            stopped += 1
        size = arrival.samples * SAMPLE_BYTES
        sound = bytes(playout.received[position : position + size])
        position += size
        if not found or not _goes_on(found[-1], sound):
            begun = next((one for one in spoken if one.audio.startswith(sound)), None)
            assert begun is not None, f"message {number} is neither a beginning nor what comes next"
            spoken.remove(begun)
            spoken.append(begun)
            found.append(Played(begun, arrival.at_s, stops_before=stopped))
        newest = found[-1]
        newest.arrived += arrival.samples
        newest.heard += arrival.samples
        newest.stops_within = stopped - newest.stops_before
    for _, dropped in stops:
        _drop(found, dropped)
    return found


def _goes_on(newest: Played, sound: bytes) -> bool:
    start = newest.arrived * SAMPLE_BYTES
    return newest.spoken.audio[start : start + len(sound)] == sound


def _drop(found: list[Played], samples: int) -> None:
    """The newest `samples` were never heard."""
    for one in reversed(found):
        dropped = min(samples, one.heard)
        one.heard -= dropped
        samples -= dropped


@dataclass
class Told:
    """One turn of the agent's: what it was to say, and what the caller heard of it."""

    written: str
    spoken: str
    """As the voice says it: no markup."""
    played: list[Played] = field(default_factory=list)

    def words(self, early_ms: float = 0.0) -> list[str]:
        """The words heard; see `Played.words`."""
        whole, last = self.played[:-1], self.played[-1:]
        words = [word for one in whole for word in one.words()]
        return words + [word for one in last for word in one.words(early_ms)]

    def heard(self, early_ms: float = 0.0) -> str:
        """The same without spaces and marks."""
        return letters(" ".join(self.words(early_ms)))

    @property
    def whole(self) -> bool:
        """All of its words were heard."""
        return self.heard() == letters(self.spoken)


def letters(text: str) -> str:
    """`text` as it is compared: a voice may part or join words, and says no marks."""
    return "".join(character for character in text.lower() if character.isalnum())


def sort_into(turns: Sequence[Told], parts: Iterable[Played]) -> None:
    """Gives every part to the turn whose words it says, which must come in order."""
    at = 0
    for part in parts:
        said = letters(part.spoken.text)
        while at < len(turns) and said not in letters(turns[at].spoken):
            at += 1
        assert at < len(turns), f"nobody was to say, now: {part.spoken.text!r}"
        turns[at].played.append(part)
