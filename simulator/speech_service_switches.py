"""What a simulated Speech resource does where the real one is undocumented, or at fault."""

from dataclasses import dataclass
from typing import Literal


@dataclass
class SpeechSwitches:
    """May be changed while the simulator runs; each turn looks when the thing would happen.

    With `only_voices` and `only` the faults of a turn (everything from `close_before_audio` to
    `endless`) befall a part of the turns: a voice that fails beside a fallback voice that does not.
    """

    refuse_status: int | None = None
    """Handshakes are refused with this status: 401, 403, 404, 429, 500, 503."""
    refuse_next: int | None = None
    """Only that many handshakes, counted down; None: all of them."""
    handshake_s: float = 0.0
    """How long a handshake takes."""
    speed: float = 20.0
    """How many times faster than it plays audio is sent; `math.inf` sends without a timer, which
    tests need that hold the clock while somebody speaks."""
    chunk_ms: int = 100
    """Audio in one message, at most."""
    first_byte_s: float = 0.0
    """From a turn's first words to their sound."""
    patience_s: float = 0.1
    """A word that arrives in pieces is spoken as it stands when nothing more comes for so long."""
    boundaries: Literal["before_audio", "after_audio", "never"] = "before_audio"
    """When word boundaries are sent: each before its sound, or all of them before turn.end."""
    empty_audio: bool = True
    """A message without samples marks the end of the audio (seen in the service, not needed)."""
    abandoned: Literal["beside", "first", "cancelled"] = "beside"
    """A new turn while another goes on, as after a stop with the connection kept: the old one goes
    on being sent beside it, delays it until it has ended, or is given up."""
    streaming_on_v1: bool = False
    """Whether streamed text is taken on v1 too ("How to lower speech synthesis latency": v2)."""
    only_voices: tuple[str, ...] = ()
    """The voices that the faults below befall; none named: all."""
    only: Literal["ssml", "streaming"] | None = None
    """The kind of turn that the faults below befall; None: both."""
    close_before_audio: int | None = None
    """The socket is closed with this code (1000, 1007, 1011, 4429) when the turn's text arrives."""
    close_after_ms: float | None = None
    """The socket is closed in the middle: when that much audio of the turn has been sent."""
    close_code: int = 1011
    """With `close_after_ms`."""
    no_audio: bool = False
    """The turn starts, and then nothing comes, for ever."""
    stall_after_ms: float | None = None
    """Nothing more comes, for ever, when that much audio of the turn has been sent."""
    endless: Literal["audio", "silent"] | None = None
    """The turn never ends: a murmur that goes on and on, or just no turn.end."""
    idle_close_s: float | None = None
    """The socket is closed that long after the end of a turn, if no other has begun."""
    idle_close_code: int = 1000
    """With `idle_close_s`: 1000, 1001, 1011."""
    connection_s: float = 600.0
    """The age at which every connection is closed, whatever it is doing: ten minutes."""
