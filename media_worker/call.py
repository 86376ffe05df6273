"""One call: audio straight through between the caller's leg and the agent's bridge."""

from media_worker.bridges import OpenBridge
from media_worker.leg import CallOutcome, Leg, Owner
from switchboard.end_reason import EndReason
from switchboard.session import SessionDescriptor


class Call:
    """Carries one call. `run` is called once; the other methods from other tasks, at any time."""

    def __init__(
        self,
        descriptor: SessionDescriptor,
        leg: Leg,
        open_bridge: OpenBridge,
        owner: Owner,
        *,
        playout_delay_ms: int = 0,
    ) -> None:
        raise NotImplementedError

    async def run(self) -> CallOutcome:
        """Carries the call to its one end, or until it is no longer ours. The caller has been hung
        up on (or has heard the apology) when it returns `Ended`; the record is not written.
        """
        raise NotImplementedError

    async def pause(self, limit_s: float) -> None:
        """Returns when nobody is speaking, at the latest after `limit_s`: a moment to move the
        call to another worker."""
        raise NotImplementedError

    def let_go(self) -> None:
        """Ends `run` with `LetGo("handed_over")`; the caller stays on the line. For a drain, and
        when the ledger shows a newer owner."""
        raise NotImplementedError

    def end(self, reason: EndReason) -> None:
        """Ends the call at once with `reason`, without a goodbye."""
        raise NotImplementedError
