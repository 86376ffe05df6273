"""How a call is ended for the caller, act by act."""

import pytest

from switchboard import limits
from switchboard.closing import Recovered, spoken_s
from switchboard.end_reason import EndReason
from switchboard.moves import AcsView, Closed, Ending
from switchboard.operations import Acted
from switchboard.record import Closing, Ended
from switchboard.recovery import end_call
from tests.switchboard.call_azure import CALL_ID
from tests.switchboard.call_world import World
from tests.switchboard.test_recovery import run_until, state, talking

FAILED = Ending(1, EndReason.BRIDGE_FAILED, parting="apologise")


def end(world: World, ending: Ending = FAILED) -> list[Recovered]:
    """The owner's worker ends the call; the list gets the outcome when it is there."""
    outcomes: list[Recovered] = []
    assert world.acs.socket is not None
    worker = world.acs.socket.worker

    async def act() -> None:
        ledger = worker.ledger
        outcomes.append(await end_call(ledger, world.acs, CALL_ID, ending, sleep=world.sleep))

    world.spawn("closer", worker, act())
    return outcomes


def test_the_whole_apology_is_heard_before_the_caller_is_transferred() -> None:
    world = talking(fallback="+15550100")
    end(world)
    apology = spoken_s(world.descriptor.agent.apology)
    world.live_on(apology - 0.1)
    assert (world.acs.apologies, world.acs.transfers) == (1, 0)
    world.live_on(0.2)
    assert world.acs.transfers == 1


def test_an_apology_lasts_as_long_as_its_words_but_eight_seconds_at_most() -> None:
    assert 2.0 < spoken_s("I'm sorry, we have a technical problem.") < 5.0
    assert spoken_s("sorry " * 100) == limits.APOLOGY_MAX_S < limits.RECLAIM_CLOSING_S


@pytest.mark.parametrize("connected", [AcsView.STREAMING, AcsView.SILENT])
def test_a_transfer_that_fails_ends_in_a_hang_up(connected: AcsView) -> None:
    world = talking(fallback="+15550100")
    outcomes = end(world)
    world.live_on(6)
    assert world.acs.state == "transferring"
    world.acs.state = "connected"
    world.acs.known_dead = connected is AcsView.SILENT
    world.live_on(2)
    assert outcomes == [Recovered.ENDED]
    assert state(world) == Ended(EndReason.BRIDGE_FAILED)
    assert (world.acs.transfers, world.acs.hang_ups) == (1, 1)


def test_a_transfer_that_nobody_takes_is_given_up_after_thirty_seconds() -> None:
    world = talking(fallback="+15550100")
    outcomes = end(world)
    world.live_on(28)
    assert outcomes == []
    assert isinstance(state(world), Closing), "the closer shows all the while that it is alive"
    world.live_on(10)
    assert outcomes == [Recovered.ENDED]
    assert world.acs.hang_ups == 1


def test_the_caller_who_hung_up_meanwhile_is_no_fault() -> None:
    world = talking(fallback=None)
    outcomes = end(world)
    world.live_on(1)
    world.acs.end()
    world.live_on(10)
    assert outcomes == [Recovered.ENDED]
    assert state(world) == Ended(EndReason.BRIDGE_FAILED)


def test_a_call_that_cannot_be_hung_up_now_stays_closing_and_keeps_its_message() -> None:
    world = talking(fallback=None)

    async def fail(connection_id: str) -> Acted:
        return Acted.FAILED

    hang_up, world.acs.hang_up = world.acs.hang_up, fail  # type: ignore[method-assign]
    outcomes = end(world)
    world.live_on(8)
    assert outcomes == [Recovered.LEFT]
    assert isinstance(state(world), Closing)
    assert len(world.queue) == 1
    world.acs.hang_up = hang_up  # type: ignore[method-assign]
    world.live_on(120)
    assert state(world) == Ended(EndReason.BRIDGE_FAILED)
    assert (world.acs.apologies, world.queue) == (1, {})


def test_a_closer_that_lost_its_claim_does_nothing_more() -> None:
    world = talking(fallback="+15550100")
    outcomes = end(world)
    world.live_on(1)
    other = world.new_function()

    async def end_it() -> None:
        await other.ledger.decide(CALL_ID, Closed(1, False))

    run_until(world, world.spawn("other", other, end_it()))
    world.live_on(20)
    assert outcomes == [Recovered.LEFT]
    assert (world.acs.transfers, world.acs.hang_ups) == (0, 0)


def test_a_call_that_another_owner_holds_is_not_ended() -> None:
    world = talking()
    world.acs.connect()
    world.live_on(1)
    outcomes = end(world, Ending(1, EndReason.AGENT_ENDED))
    world.live_on(5)
    assert outcomes == [Recovered.HEALTHY]
    assert world.acs.hang_ups == 0
    assert world.is_heard()
