"""Everything that can happen to one call, as rules for Hypothesis."""

from collections.abc import Callable
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
)

from switchboard.record import Ended, Ringing
from tests.switchboard import call_world
from tests.switchboard.call_azure import (
    Delivery,
    Fault,
    Process,
    ViewMode,
)
from tests.switchboard.call_world import World

WHICH = st.integers(0, 30)


class CallMachine(RuleBasedStateMachine):
    """One call; every rule is something that can happen to it."""

    make_world: ClassVar[Callable[..., World]] = World
    world: World

    @initialize(
        view=st.sampled_from(["truthful", "absent", "stale"]),
        reconnects=st.booleans(),
        replays=st.booleans(),
        fallback=st.sampled_from([None, "+15550100"]),
        newest_first=st.booleans(),
        stage=st.sampled_from(["ringing", "live", "losing", "vanished"]),
    )
    def ring(
        self,
        view: ViewMode,
        reconnects: bool,
        replays: bool,
        fallback: str | None,
        newest_first: bool,
        stage: str,
    ) -> None:
        self.world = self.make_world(
            view,
            reconnects=reconnects,
            replays=replays,
            fallback=fallback,
            newest_first=newest_first,
        )
        self.deliver()
        if stage != "ringing":
            self.world.live_on(12)
        if stage == "losing":
            self.drop_the_socket(for_good=True, told_first=True)
            self.world.live_on(2.5)
        if stage == "vanished" and self.world.acs.socket is not None:
            self.world.kill(self.world.acs.socket.worker, vanish=True)

    @rule(which=st.lists(WHICH, min_size=1, max_size=8))
    def go_on(self, which: list[int]) -> None:
        """Some parties take a step each."""
        for index in which:
            if ready := self.world.runnable():
                self.world.run(ready[index % len(ready)])

    @rule()
    def settle(self) -> None:
        self.world.settle()

    @rule(seconds=st.sampled_from([0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 15.0, 30.0, 45.0]))
    def pass_time(self, seconds: float) -> None:
        self.world.now += seconds

    @rule(seconds=st.sampled_from([1.0, 3.0, 3.0, 15.0, 50.0]))
    def live_on(self, seconds: float) -> None:
        self.world.live_on(seconds)

    @rule()
    @precondition(lambda self: self.world.now < 40)
    def deliver(self) -> None:
        """Event Grid delivers the event once more than it should."""
        delivery = Delivery()
        self.world.deliveries.append(delivery)
        self.world.deliver(delivery)

    @rule(which=WHICH, again=st.booleans())
    @precondition(lambda self: bool(self.world.acs.callbacks))
    def call_back(self, which: int, again: bool) -> None:
        self.world.call_back(which % len(self.world.acs.callbacks), again=again)

    @rule(which=WHICH)
    def poll(self, which: int) -> None:
        self.world.poll(self.world.workers[which % len(self.world.workers)])

    @rule(which=WHICH, fault=st.sampled_from(["resent", "resent", "unavailable"]))
    @precondition(lambda self: bool(self.world.parties))
    def lose_a_reply(self, which: int, fault: Fault) -> None:
        self.world.parties[which % len(self.world.parties)].fault = fault

    @rule(which=WHICH)
    @precondition(lambda self: any(self.functions()))
    def kill_a_function(self, which: int) -> None:
        functions = self.functions()
        self.world.kill(functions[which % len(functions)])

    @rule(which=WHICH, vanish=st.booleans())
    def kill_a_worker(self, which: int, vanish: bool) -> None:
        self.world.kill(self.world.workers[which % len(self.world.workers)], vanish=vanish)

    @rule(for_good=st.booleans(), told_first=st.booleans())
    @precondition(lambda self: self.world.acs.socket is not None)
    def drop_the_socket(self, for_good: bool, told_first: bool) -> None:
        """`told_first`: the callback is faster than the worker."""
        if for_good:
            self.world.acs.reaches_us = False
        self.world.acs.drop()
        if told_first and self.world.acs.callbacks:
            self.world.call_back(-1, again=False, first=True)

    @rule(reaches_us=st.booleans())
    def workers_come_and_go(self, reaches_us: bool) -> None:
        """ACS's sockets get through to the workers, or do not."""
        self.world.acs.reaches_us = reaches_us

    @rule()
    @precondition(lambda self: self.world.acs.state == "connected")
    def connect_again(self) -> None:
        """ACS opens a second socket, for reasons of its own."""
        self.world.acs.connect()

    @rule()
    @precondition(lambda self: self.world.acs.state == "connected")
    def connect_in_vain(self) -> None:
        """A socket comes late that ACS has given up: it never speaks."""
        self.world.open_socket(self.world.acs.token, stray=True)

    @rule(which=WHICH)
    def close_a_stray(self, which: int) -> None:
        strays = [socket for socket in self.world.sockets if socket.stray]
        if strays:
            strays[which % len(strays)].closed = True

    @rule(wish=st.sampled_from(["turn", "turn", "end", "apologise", "drain"]))
    def owner_acts(self, wish: str) -> None:
        for socket in self.world.sockets:
            if socket.owner:
                socket.wish = wish  # type: ignore[assignment]  # drawn from its literals

    @rule()
    def subscription_state_catches_up(self) -> None:
        self.world.acs.catch_up()

    @rule(accepted=st.booleans())
    @precondition(lambda self: self.world.acs.state == "transferring")
    def transfer_ends(self, accepted: bool) -> None:
        if accepted:
            self.world.acs.end()
        else:
            self.world.acs.state = "connected"

    @rule()
    def caller_hangs_up(self) -> None:
        self.world.acs.end()

    def functions(self) -> list[Process]:
        workers = self.world.workers
        return [
            party.process
            for party in self.world.parties
            if not party.done and party.process not in workers
        ]

    def teardown(self) -> None:
        if hasattr(self, "world"):
            try:
                if not self.world.is_broken:
                    self.run_to_the_end(self.world)
            finally:
                self.world.close()

    def run_to_the_end(self, world: World) -> None:
        """No more faults. The caller is heard again, or gone; then hangs up, and all is done."""
        if world.acs.state == "transferring":
            world.acs.end()
        for socket in world.sockets:
            socket.closed = socket.closed or socket.stray
        world.live_on(160)
        call_world.rule(world.is_heard(), "nobody is left in silence")
        world.acs.end()
        world.live_on(500)
        record = world.record()
        rang_out = isinstance(record and record.state, Ringing) and not world.queue
        call_world.rule(
            record is None or isinstance(record.state, Ended) or rang_out,
            f"a call that is over has ended, not {record and record.state}",
        )
        call_world.rule(not world.queue, "a call that is over has no message")
        call_world.rule(not world.parties, "a call that is over has nobody at work")
