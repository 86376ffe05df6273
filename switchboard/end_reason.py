"""Why a call ended: every call has exactly one of these, in its record and in its last log line."""

from enum import StrEnum


class EndReason(StrEnum):
    """The single cause of a call's end; logs, metrics and the runbook are keyed by its value."""

    CALLER_HUNG_UP = "caller_hung_up"
    """The caller put the phone down, in whatever state the call was."""

    AGENT_ENDED = "agent_ended"
    """The agent said goodbye through its `end_call` tool."""

    CALLER_SILENT = "caller_silent"
    """The caller said nothing through all the silence prompts and the goodbye."""

    TOO_LONG = "too_long"
    """The agent's maximum call length was reached."""

    TRANSFERRED = "transferred"
    """The agent put the caller through, or recovery did: to the number's fallback."""

    BRIDGE_FAILED = "bridge_failed"
    """The AI service could not be reached, refused, or failed beyond repair."""

    MEDIA_FAILED = "media_failed"
    """The caller's audio stream could not be (re)established; the caller heard an apology."""

    MEDIA_REFUSED = "media_refused"
    """The worker's door refused the caller's audio stream (token, JWT or connection id)."""

    ANSWER_REFUSED = "answer_refused"
    """Azure Communication Services refused the answer in a way that proves nothing happened."""

    NEVER_ANSWERED = "never_answered"
    """The ring ended before an answer took effect."""

    REJECTED = "rejected"
    """Switchboard rejected the call: no agent for the number."""

    WORKER_LOST = "worker_lost"
    """The worker that carried the call vanished and the call could not be resumed."""

    DRAINED = "drained"
    """The worker had to stop and no other took the call over; the caller heard the apology."""

    FAULT = "fault"
    """A defect in Switchboard ended the call; the log has the traceback."""
