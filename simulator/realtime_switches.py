"""What a simulated Azure OpenAI Realtime deployment does where the real one varies, or fails."""

from dataclasses import dataclass
from typing import Literal

from simulator.event_session import SessionSwitches


@dataclass
class RealtimeSwitches(SessionSwitches):
    """May be changed while the simulator runs. Deltas are counted within a response, from 0."""

    connections_per_minute: int = 1000
    """Quotas of Azure OpenAI are requests and tokens a minute of a deployment, each its own."""
    deployments: tuple[str, ...] | None = None
    """Those that exist; others get 404. None: every name is one."""
    delta_s: float = 0.015
    """Between two deltas of text; 0: a response comes all at once."""
    delta_characters: int = 6
    """The longest piece of a word in one delta: a model writes in tokens, not in words."""
    speech_started_s: float = 0.0
    """speech_started is told so late; what comes after it does not wait."""
    transcription_s: float = 0.3
    """From the caller's turn to its transcription, which runs beside the response."""
    transcription: Literal["succeeds", "fails"] = "succeeds"
    stall_after_deltas: int | None = None
    """The response stops there, for ever and without a word."""
    close_after_deltas: int | None = None
    """The socket is closed there with `close_code`, in mid-response."""
    fail_after_deltas: int | None = None
    """The response ends there as failed, or with content_filter as incomplete."""
    fail_code: Literal["server_error", "rate_limit_exceeded", "content_filter"] = "server_error"
    """With `fail_after_deltas`."""
    refuse_settings: str | None = None
    """Every session.update is answered by an error with this code."""
    respond: str = "yes"
    """Whether there are responses, to the caller's turns and when one is asked for: "no", there are
    none and nothing is said of it; any other word is the code of an error told in place of one."""
