"""What the parts of the second bridge ask of each other; all of it is called on the loop."""

from typing import Protocol


class Voice(Protocol):
    """What is asked of the `Speaker`."""

    def begin(self, turn: str) -> None:
        """A turn that will be written."""

    def write(self, turn: str, text: str) -> None:
        """More words of it."""

    def end(self, turn: str) -> None:
        """It is written."""

    def say(self, turn: str, text: str) -> None:
        """A turn of fixed words."""

    def cancel(self, turn: str) -> None:
        """Not another sound of the turn."""


class Levels(Protocol):
    """What is asked of the `LevelSensor`."""

    @property
    def decides(self) -> bool:
        """Whether the service's own sensor does not count."""
        ...

    @property
    def playing(self) -> bool:
        """Whether something that was played is still being heard."""
        ...

    def played(self, pcm: bytes) -> None:
        """Audio goes to the caller."""

    def silenced(self) -> None:
        """What was to be played is not."""


class Listener(Protocol):
    """Who is told what is spoken; called on the loop."""

    def sound(self, turn: str, pcm: bytes) -> None:
        """Audio of the turn."""

    def word(self, turn: str, end: int, middle_ms: float) -> None:
        """A word of the turn's text that ends at `end`, heard around `middle_ms` of its audio."""

    def spoken(self, turn: str) -> None:
        """The turn is said, or there was nothing to say."""

    def hoarse(self, code: str) -> None:
        """A voice failed, or a way to speak with it; another is tried."""

    def speechless(self, code: str) -> None:
        """No voice is left."""
