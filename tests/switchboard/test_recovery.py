"""Recoveries, told as the caller or the admin would tell them. Seconds are the world's."""

import pytest

from switchboard import limits
from switchboard.end_reason import EndReason
from switchboard.ledger import Surfacing
from switchboard.moves import AcsView, MediaDown, Surfaced
from switchboard.record import Closing, Ended, Live, MessageRef, State
from switchboard.recovery import Recovered, recover_surfaced
from tests.switchboard.call_azure import CONNECTION, Delivery, Party, ViewMode
from tests.switchboard.call_world import World

VIEWS: list[ViewMode] = ["truthful", "absent", "stale"]


def ringing(view: ViewMode = "truthful", **switches: bool | str | None) -> World:
    world = World(view, **switches)  # type: ignore[arg-type]  # the keywords are World's
    delivery = Delivery()
    world.deliveries.append(delivery)
    world.deliver(delivery)
    return world


def talking(view: ViewMode = "truthful", **switches: bool | str | None) -> World:
    """A call that has been going on for 20 s."""
    world = ringing(view, **switches)
    world.live_on(20)
    assert world.is_heard()
    return world


def state(world: World) -> State:
    record = world.record()
    assert record is not None
    return record.state


def silence_of(world: World, at_most_s: float) -> float:
    """How long the caller now waits until somebody hears them, or the call is over."""
    began = world.now
    while not world.is_heard() and world.now < began + at_most_s:
        world.live_on(0.5)
    assert world.is_heard(), f"still silent after {at_most_s} s, {state(world)}"
    return world.now - began


def run_until(world: World, party: Party, at_most_s: float = 120.0) -> None:
    end = world.now + at_most_s
    while not party.done:
        assert world.now < end, f"{party.name} still runs"
        world.live_on(0.5)


def hang_up_and_rest(world: World) -> State:
    world.acs.end()
    world.live_on(150)
    assert world.queue == {}
    return state(world)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("reconnects", [False, True])
def test_a_closed_socket_is_not_an_end(view: ViewMode, reconnects: bool) -> None:
    world = talking(view, reconnects=reconnects)
    world.acs.drop()
    assert silence_of(world, 10) <= 1.0
    assert isinstance(state(world), Live)
    assert world.acs.apologies == 0
    assert hang_up_and_rest(world) == Ended(EndReason.CALLER_HUNG_UP)


def test_a_killed_workers_call_goes_on_at_another_within_three_seconds() -> None:
    world = talking()
    assert world.acs.socket is not None
    world.kill(world.acs.socket.worker)
    assert silence_of(world, 10) <= 3.0
    world.live_on(60)
    assert isinstance(state(world), Live)
    assert world.is_heard()
    assert len(world.queue) == 1, "the dead worker's message surfaced and was deleted"


@pytest.mark.parametrize("view", VIEWS)
def test_a_vanished_workers_call_goes_on_within_45_seconds(view: ViewMode) -> None:
    world = talking(view)
    assert world.acs.socket is not None
    world.kill(world.acs.socket.worker, vanish=True)
    assert silence_of(world, 60) <= 45.5
    assert isinstance(state(world), Live)


def test_a_call_whose_media_cannot_come_back_ends_in_an_apology_and_a_person() -> None:
    world = talking(fallback="+15550100")
    world.acs.reaches_us = False
    world.acs.drop()
    world.live_on(3)
    assert isinstance(state(world), Closing)
    assert world.acs.apologies == 1
    world.live_on(5)
    assert world.acs.transfers == 1
    world.acs.end()  # the person took over
    world.live_on(5)
    assert state(world) == Ended(EndReason.TRANSFERRED)
    assert world.acs.hang_ups == 0


def test_media_that_never_came_ends_in_an_apology_and_a_hang_up() -> None:
    world = ringing(fallback=None)
    world.acs.reaches_us = False
    world.live_on(20)
    assert state(world) == Ended(EndReason.MEDIA_FAILED)
    assert (world.acs.apologies, world.acs.hang_ups) == (1, 1)
    world.live_on(60)
    assert world.queue == {}


@pytest.mark.parametrize("view", VIEWS)
def test_late_and_double_callbacks_leave_a_healthy_call_alone(view: ViewMode) -> None:
    world = talking(view)
    for _ in range(4):
        world.acs.callbacks.append(MediaDown(CONNECTION))
    world.live_on(30)
    assert world.is_heard()
    assert isinstance(state(world), Live)
    assert (world.acs.apologies, world.acs.hang_ups, world.acs.transfers) == (0, 0, 0)


def test_a_natural_end_wakes_nobody() -> None:
    world = talking()
    world.acs.end()
    world.live_on(5)
    assert state(world) == Ended(EndReason.CALLER_HUNG_UP)
    assert (world.acs.apologies, world.acs.hang_ups) == (0, 0)
    assert world.queue == {}


def test_an_agent_that_says_goodbye_hangs_up_once_and_leaves_no_message() -> None:
    world = talking()
    assert world.acs.socket is not None
    world.acs.socket.wish = "end"
    world.live_on(2)
    assert state(world) == Ended(EndReason.AGENT_ENDED)
    assert (world.acs.apologies, world.acs.hang_ups) == (0, 1)
    assert world.queue == {}


def test_a_draining_worker_hands_its_call_over_in_a_pause() -> None:
    world = talking()
    socket = world.acs.socket
    assert socket is not None
    socket.wish = "drain"
    assert silence_of(world, 2) <= 0.5
    world.live_on(3)
    assert world.acs.socket is not socket
    assert state(world) == Live(2, "socket-1", next(iter(world.queue)))


def test_the_call_of_a_closer_that_died_is_hung_up_without_a_second_apology() -> None:
    world = talking()
    worker = world.workers[0]
    world.acs.reaches_us = False
    world.acs.drop()
    world.live_on(3)
    assert isinstance(state(world), Closing)
    assert world.acs.apologies == 1
    for process in {party.process for party in world.parties}:
        world.kill(process)
    assert worker not in world.workers
    assert silence_of(world, 75) <= limits.LIVE_HIDDEN_S + 5 + limits.RECLAIM_CLOSING_S + 1
    assert (world.acs.apologies, world.acs.hang_ups) == (1, 1)
    assert hang_up_and_rest(world) == Ended(EndReason.MEDIA_FAILED)


def test_a_function_that_died_after_its_answer_is_followed_by_the_same_answer() -> None:
    world = ringing(replays=True)
    function = world.parties[0].process
    while not world.acs.bodies:
        world.run(world.parties[0])
    world.kill(function)
    world.live_on(20)
    assert len(world.acs.bodies) == 1
    assert world.is_heard()
    world.live_on(60)
    assert len(world.queue) == 1
    assert hang_up_and_rest(world) == Ended(EndReason.CALLER_HUNG_UP)


def test_a_ring_whose_answer_was_never_sent_ends_when_its_message_surfaces() -> None:
    world = ringing()
    while not world.queue:
        world.run(world.parties[0])
    world.kill(world.parties[0].process)
    world.deliveries.clear()  # no other delivery gets through either
    world.live_on(60)
    assert state(world) == Ended(EndReason.NEVER_ANSWERED)
    assert world.queue == {}


def test_an_owner_that_was_cut_off_from_storage_for_a_while_keeps_its_call() -> None:
    """Its message surfaces; whoever receives it waits, and finds it replaced."""
    world = talking()
    (message,) = world.queue.values()
    message.visible_at = world.now
    world.live_on(40)
    assert state(world) == Live(1, "socket-0", next(iter(world.queue)))
    assert len(world.queue) == 1
    assert world.acs.hang_ups == 0


@pytest.mark.parametrize(
    "surfacing",
    [
        Surfacing(None, Surfaced(MessageRef("message-1", "receipt-2"), 1, "hello?")),
        Surfacing("20261123-" + 24 * "0", Surfaced(MessageRef("message-1", "receipt-2"), 1, "{}")),
    ],
    ids=["not a session message", "no record"],
)
def test_a_message_that_belongs_to_no_call_is_set_aside(surfacing: Surfacing) -> None:
    world = World()
    world._names = 0
    world.add_message("{}", 0)
    worker = world.workers[0]
    outcomes: list[Recovered] = []

    async def see_to() -> None:
        outcomes.append(await recover_surfaced(worker.ledger, world.acs, surfacing))

    run_until(world, world.spawn("reaper", worker, see_to()))
    assert outcomes == [Recovered.LEFT]
    assert world.queue == {}


def test_acs_is_not_asked_about_a_message_that_is_not_the_calls_own() -> None:
    world = talking()
    asked = 0

    async def view(connection_id: str) -> AcsView:
        nonlocal asked
        asked += 1
        return AcsView.STREAMING

    world.acs.view = view  # type: ignore[method-assign]
    world.add_message("setup", 0)
    world.live_on(6)
    assert asked == 0
    assert len(world.queue) == 1
