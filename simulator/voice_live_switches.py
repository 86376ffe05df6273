"""What a simulated Voice Live resource does where the real one is undocumented, or at fault."""

from dataclasses import dataclass
from typing import Literal

from simulator.event_session import SessionSwitches

API_VERSIONS = frozenset(
    {
        "2025-05-01-preview",
        "2025-10-01",
        "2026-01-01-preview",
        "2026-04-10",
        "2026-06-01-preview",
        "2026-07-15",
    }
)
"""Voice Live API reference, "API versions"; 2026-07-15 is the newest and what the SDK asks for."""

MODELS = frozenset(
    {
        *("gpt-realtime-2.1", "gpt-realtime-2.1-datazone", "gpt-realtime-2.1-mini"),
        *("gpt-realtime-1.5", "gpt-realtime-1.5-datazone", "gpt-realtime"),
        *("gpt-realtime-datazone", "gpt-realtime-mini", "azure-realtime", "phi4-mm-realtime"),
        *("gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano"),
        *("gpt-5", "gpt-5-mini", "gpt-5-nano", "gpt-5.1", "gpt-5.2", "gpt-5.4"),
        *("gpt-5.6-terra", "gpt-5.6-luna"),
    }
)
"""Voice Live overview, "Supported models". With a `profile` any deployment name is a model."""


def speaks_natively(model: str) -> bool:
    """Whether the model makes audio itself; the others write text that an Azure voice speaks."""
    return "realtime" in model


@dataclass
class VoiceLiveSwitches(SessionSwitches):
    """May be changed while the simulator runs. 30 connections a minute are the quota of an S0
    resource (speech services quotas and limits)."""

    speed: float = 4.0
    """How many times faster than it plays audio is sent."""
    chunk_bytes: tuple[int, ...] = (4800, 7200, 12000, 24000)
    """Sizes of audio deltas at 24 kHz, in turn, the last for all that follow (seen in samples)."""
    transcription: Literal["before_response", "after_response", "failed"] = "before_response"
    """When the caller's words arrive: transcription runs beside the response (API reference)."""
    truncate: Literal["by_model", "keeps_played", "removes_transcript"] = "by_model"
    """What is left of a truncated turn: what was played, or no words at all. By model: native
    audio keeps, text models with an Azure voice lose the transcript."""
    greeting_in_agent_mode: bool = True
    """Whether `pre_generated_assistant_message` works in agent mode (documented for models)."""
    active_response: Literal["cancelled", "refused"] = "cancelled"
    """A response.create during a response: SDK `cancel_previous` defaults to true; OpenAI's
    service refuses with conversation_already_has_active_response."""
    warnings: bool = False
    """Sends a `warning` after session.updated."""
    oversized_message: bool = False
    """Sends a message above 4 MiB, the SDK's default limit, in place of the first audio delta."""
    stall_after_ms: float | None = None
    """Responses stop, for ever and without a word, after this much audio."""
    close_after_ms: float | None = None
    """The socket closes in mid-response, after this much audio of it."""
