"""One call in a small world: storage, Azure Communication Services (ACS), Functions and workers.

The product's own `Ledger`, `recover` and `end_call` run here as coroutines that the test drives by
hand, one step at a time, so that any interleaving can be had: every storage or ACS operation stops
before it takes effect and again before its reply arrives, and there its party may die, or its
reply be lost. There are no sockets, no tasks and no clock but `World.now`.
"""

from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, assert_never

from switchboard import limits
from switchboard.agents import VoiceLiveAgent
from switchboard.end_reason import EndReason
from switchboard.ledger import Decided, Ledger, Left, StorageUnavailable, Surfacing
from switchboard.moves import (
    Answer,
    AnswerAccepted,
    AnswerRefused,
    Checkpoint,
    Doubt,
    Ending,
    Finished,
    FirstFrame,
    HandOver,
    LetGo,
    Parting,
    Replaced,
    SocketLost,
    StillHeard,
)
from switchboard.record import CallRecord, Closing, Ended, Live, Lost, MessageRef
from switchboard.recovery import Recovered, carry_out, end_call, recover, recover_surfaced
from switchboard.session import SessionDescriptor
from tests.switchboard.call_azure import (
    CALL_ID,
    CONNECTION,
    Acs,
    Delivery,
    Fault,
    Message,
    Party,
    Process,
    Socket,
    ViewMode,
    Wait,
    WorldMessages,
    WorldRecords,
)


class BrokenRule(AssertionError):
    """An invariant of the ledger does not hold; the text says which."""


def rule(holds: bool, text: str) -> None:
    """Raises `BrokenRule` unless it holds."""
    if not holds:
        raise BrokenRule(text)


class World:
    """Everything that one call touches. A test subclasses it to plant a mistake."""

    def __init__(
        self,
        view: ViewMode = "truthful",
        *,
        reconnects: bool = False,
        replays: bool = True,
        fallback: str | None = "+15550100",
        newest_first: bool = False,
    ) -> None:
        """`newest_first`: of those who may go on, the last to come goes first."""
        self.now = 0.0
        self.newest_first = newest_first
        self.is_broken = False
        self.blob: CallRecord | None = None
        self.version = 0
        self.written_at = 0.0
        self.queue: dict[str, Message] = {}
        self.parties: list[Party] = []
        self.sockets: list[Socket] = []
        self.deliveries: list[Delivery] = []
        self.current: Party | None = None
        self.claims = 0
        self.ends_that_hang_up = 0
        self.epoch = 0
        self._names = 0
        self._poll_at = 5.0
        self.acs = Acs(self, view, reconnects=reconnects, replays=replays)
        self.descriptor = descriptor(fallback)
        self.records = WorldRecords(self)
        self.network = Process("network", self.make_ledger("network"))
        self.workers = [self.new_worker(), self.new_worker()]

    # --- what a planted mistake replaces ----------------------------------------------------------

    def make_ledger(self, name: str) -> Ledger:
        return Ledger(WorldRecords(self), WorldMessages(self), by=name)

    def token(self, attempt: str) -> str:
        """Derived from the event: the same for every attempt."""
        return "token"

    async def before_taking(self, socket: Socket) -> bool:
        """What a worker waits for before it takes the call; False: the socket closed first."""
        await Wait(or_when=lambda: socket.closed or not socket.stray)
        await self.turn()
        if socket.closed or socket.stray:
            return False
        socket.heard = True
        return True

    async def let_go(self, process: Process, message: MessageRef) -> None:
        """How a worker parts with a call that is not its own (any more)."""
        verdict = await process.ledger.decide(CALL_ID, LetGo(message))
        if isinstance(verdict, Decided):
            await carry_out(process.ledger, self.acs, verdict)

    # --- storage ----------------------------------------------------------------------------------

    def write(self, record: CallRecord) -> None:
        before = self.record()
        self.blob, self.version, self.written_at = record, self.version + 1, self.now
        if before is not None:
            self._check_write(before, record)

    def record(self) -> CallRecord | None:
        return self.blob

    def _check_write(self, before: CallRecord, after: CallRecord) -> None:
        if isinstance(before.state, Ended):
            rule(after.state == before.state, "there is no path out of `ended`")
            self.ends_that_hang_up += before.connection_id is None
        if isinstance(after.state, Closing):
            self.claims = max(self.claims, after.state.claim)
        elif isinstance(after.state, Ended) and after.state.reason is EndReason.FAULT:
            self.ends_that_hang_up += 1
        rule(after.epoch >= self.epoch or after.epoch == 0, "epochs only grow")
        self.epoch = max(self.epoch, after.epoch)
        if isinstance(after.state, Live):
            owner = self.socket_named(after.state.owner)
            rule(owner.heard, "who owns the call has heard the caller")
            rule(
                before.epoch < after.epoch or before.state.owner == after.state.owner,  # type: ignore[union-attr]
                "an epoch has one owner",
            )

    def add_message(self, text: str, hidden_s: float) -> None:
        message = Message(self.fresh("message"), self.fresh("receipt"), self.now + hidden_s, text)
        self.queue[message.id] = message

    def held(self, message: MessageRef) -> Message | None:
        kept = self.queue.get(message.id)
        return kept if kept is not None and kept.receipt == message.receipt else None

    def fresh(self, kind: str) -> str:
        self._names += 1
        return f"{kind}-{self._names}"

    # --- the parties ------------------------------------------------------------------------------

    async def turn(self) -> None:
        """Stops here until the test lets this party go on."""
        await Wait()

    async def sleep(self, seconds: float) -> None:
        if seconds > 0:
            await Wait(until=self.now + seconds, or_when=lambda: False)

    def spawn(self, name: str, process: Process, coroutine: Coroutine[Any, Any, object]) -> Party:
        party = Party(name, process, coroutine)
        self.parties.append(party)
        return party

    def new_function(self) -> Process:
        name = self.fresh("function")
        return Process(name, self.make_ledger(name))

    def new_worker(self) -> Process:
        name = self.fresh("worker")
        return Process(name, self.make_ledger(name))

    def deliver(self, delivery: Delivery) -> None:
        """Event Grid delivers the event, for the first or a further time."""
        function = self.new_function()
        delivery.next_at = self.now + 10
        delivery.running = self.spawn("incoming", function, self._incoming(function, delivery))

    async def _incoming(self, function: Process, delivery: Delivery) -> None:
        claimed_at = self.now
        token = self.token(function.name)
        if self.now > limits.EVENT_MAX_AGE_S:
            delivery.acknowledged = True
            return
        try:
            verdict = await function.ledger.open(self.descriptor, token, token)
            if isinstance(verdict, Decided):
                await self._answer(function, verdict, token, claimed_at)
            else:
                record = self.record()
                won = record is not None and record.by.startswith(f"{function.name}.")
                rule(not won, "whoever won the claim answers")
        except StorageUnavailable:
            return
        delivery.acknowledged = True

    async def _answer(
        self, function: Process, claim: Decided, token: str, claimed_at: float
    ) -> None:
        (answer,) = claim.effects
        assert isinstance(answer, Answer)
        setup = await function.ledger.messages.send_setup(self.descriptor)
        match await self.acs.answer(token, claimed_at + limits.ANSWER_WITHIN_S):
            case "accepted":
                event: AnswerAccepted | AnswerRefused = AnswerAccepted(CONNECTION, setup)
            case _:
                event = AnswerRefused(answer.attempt, False, setup)
        verdict = await function.ledger.decide(CALL_ID, event)
        if isinstance(verdict, Decided):
            await carry_out(function.ledger, self.acs, verdict)

    def call_back(self, index: int, *, again: bool, first: bool = False) -> None:
        """ACS delivers a callback; `again`: it will come once more; `first`: before any other
        party goes on."""
        doubt = self.acs.callbacks[index] if again else self.acs.callbacks.pop(index)
        function = self.new_function()
        party = self.spawn("callback", function, self._recover(function, doubt))
        if first:
            self.parties.remove(party)
            self.parties.insert(0, party)

    def poll(self, worker: Process) -> None:
        """A worker asks the queue for what has surfaced."""
        self.spawn("reaper", worker, self._reap(worker))

    async def _reap(self, worker: Process) -> None:
        for surfacing in await worker.ledger.messages.receive(8):
            self.spawn("recovery", worker, self._recover(worker, surfacing))

    async def _recover(self, process: Process, doubt: Doubt | Surfacing) -> Recovered | None:
        try:
            if isinstance(doubt, Surfacing):
                return await recover_surfaced(process.ledger, self.acs, doubt, sleep=self.sleep)
            return await recover(process.ledger, self.acs, CALL_ID, doubt, sleep=self.sleep)
        except StorageUnavailable:
            return None

    def open_socket(self, token: str, *, stray: bool = False) -> Socket:
        """A media socket arrives at one of the workers."""
        worker = self.workers[len(self.sockets) % len(self.workers)]
        socket = Socket(worker, token, stray)
        self.sockets.append(socket)
        self.spawn("socket", worker, self._serve(socket))
        return socket

    def name_of(self, socket: Socket) -> str:
        return f"socket-{self.sockets.index(socket)}"

    def socket_named(self, owner: str) -> Socket:
        return self.sockets[int(owner.removeprefix("socket-"))]

    async def _serve(self, socket: Socket) -> None:
        """A worker's part: the door, the first frame, the call, the end."""
        ledger, name = socket.worker.ledger, self.name_of(socket)
        seen = await ledger.records.get(CALL_ID)
        record = seen.record if seen else None
        if record is None or isinstance(record.state, Closing | Ended):
            return self._refused(socket, at_the_door=True)
        if record.media_token_hash != socket.token:
            rule(False, "the door knows the token that ACS was given")
        message = await ledger.messages.send_live(CALL_ID)
        try:
            taken = await self.before_taking(socket)
            event = FirstFrame(name, message, CONNECTION)
            verdict = await ledger.decide(CALL_ID, event) if taken else None
            if not isinstance(verdict, Decided):
                self._refused(socket)
                return await self.let_go(socket.worker, message)
            socket.owner = True
            await carry_out(ledger, self.acs, verdict)
            await _Owner(self, socket, message, verdict.record.epoch).run()
        except StorageUnavailable:
            self._refused(socket)  # its message stays
        finally:
            socket.owner = False

    def _refused(self, socket: Socket, *, at_the_door: bool = False) -> None:
        socket.closed = True
        if socket is self.acs.socket:
            self.acs.drop(at_the_door=at_the_door)

    # --- faults -----------------------------------------------------------------------------------

    def take_fault(self) -> Fault | None:
        assert self.current is not None
        fault, self.current.fault = self.current.fault, None
        return fault

    def kill(self, process: Process, *, vanish: bool = False) -> None:
        """A process dies. `vanish`: its sockets die without a word, so ACS does not notice."""
        process.alive = False
        if process in self.workers:
            self.workers[self.workers.index(process)] = self.new_worker()
        self._end([party for party in self.parties if party.process is process])
        for socket in self.sockets:
            if socket.worker is process and not socket.closed:
                socket.closed = True
                if socket is self.acs.socket and not vanish:
                    self.acs.drop()

    def close(self) -> None:
        """The world ends, with everybody in it."""
        self._end(self.parties)

    def _end(self, parties: list[Party]) -> None:
        for party in parties:
            party.done = True
            party.coroutine.close()

    # --- time and turns ---------------------------------------------------------------------------

    def runnable(self) -> list[Party]:
        self.parties = [party for party in self.parties if not party.done]
        return [
            party for party in self.parties if party.wait.or_when() or self.now >= party.wait.until
        ]

    def run(self, party: Party) -> None:
        """Lets one party go on to its next stop."""
        self.current = party
        try:
            party.wait = party.coroutine.send(None)
        except StopIteration:
            party.done = True
        except BrokenRule:
            self.is_broken = party.done = True
            raise
        finally:
            self.current = None
        try:
            self.check()
        except BrokenRule:
            self.is_broken = True
            raise

    def settle(self, limit: int = 2000) -> None:
        """Everybody goes on, in turns, until all of them wait for time to pass."""
        while ready := self.runnable():
            for party in ready:
                if not party.done:
                    self.run(party)
                    limit -= 1
            rule(limit > 0, "all comes to rest")

    def check(self) -> None:
        """What must be true between any two steps."""
        rule(len(self.acs.bodies) <= 1, "all answers are one answer, sent again")
        rule(self.acs.apologies <= 1, "the caller hears at most one apology")
        rule(self.acs.transfers <= 1, "the caller is transferred at most once")
        intents = self.claims + self.ends_that_hang_up
        rule(self.acs.hang_ups <= intents, "who hangs up has won the right to")
        record = self.record()
        if record is not None and isinstance(record.state, Live):
            named = record.state.message_id
            alive = self.socket_named(record.state.owner).owner
            if not alive and not self._is_being_taken(record.state.owner):
                rule(named is None or named in self.queue, "a live record's message exists")

    def _is_being_taken(self, owner: str) -> bool:
        socket = self.socket_named(owner)
        return socket.worker.alive and not socket.closed

    def is_heard(self) -> bool:
        """Whether the caller talks to somebody, or is not there."""
        if self.acs.state != "connected":
            return True
        socket = self.acs.socket
        return socket is not None and socket.owner and not socket.closed and socket.worker.alive

    def live_on(self, seconds: float) -> None:
        """Time passes with no new faults: timers fire, workers poll, Event Grid and ACS deliver."""
        end = self.now + seconds
        while True:
            while self.acs.callbacks:
                self.call_back(0, again=False)
            self.settle()
            if self.acs.callbacks:
                continue
            timers = [p.wait.until for p in self.parties if not p.done and p.wait.until > self.now]
            step = min([*timers, max(self._poll_at, self.now + 0.1)])
            if step > end:
                self.now = end
                return
            self.now = step
            self.acs.catch_up()
            for delivery in self.deliveries:
                running = delivery.running is not None and not delivery.running.done
                if not delivery.acknowledged and not running and self.now >= delivery.next_at:
                    self.deliver(delivery)
            if self.now >= self._poll_at:
                self._poll_at = self.now + 5.0
                self.poll(self.workers[0])


@dataclass(eq=False)
class _Owner:
    """A worker that owns the call, as docs/ledger.md tells it to behave."""

    world: World
    socket: Socket
    message: MessageRef
    epoch: int

    async def run(self) -> None:
        world, socket, ledger = self.world, self.socket, self.socket.worker.ledger
        while True:
            await Wait(world.now + limits.RENEW_EVERY_S, lambda: socket.closed or bool(socket.wish))
            wish, socket.wish = socket.wish, ""
            if socket.closed:
                doubt: Doubt = SocketLost(self.epoch)
                return await self._recovered(await self._recover(doubt))
            match wish:
                case "":
                    goes_on = await self._renew()
                case "turn":
                    verdict = await ledger.decide(CALL_ID, Checkpoint(self.epoch, ()))
                    goes_on = isinstance(verdict, Decided) or await self._still_heard(verdict)
                case "end" | "apologise":
                    parting: Parting = "apologise" if wish == "apologise" else "hang_up"
                    ending = Ending(self.epoch, EndReason.AGENT_ENDED, parting)
                    await end_call(ledger, world.acs, CALL_ID, ending, sleep=world.sleep)
                    goes_on = False
                case "drain":
                    outcome = await self._recover(HandOver(self.epoch, ()))
                    return await self._recovered(outcome)
                case _:
                    assert_never(wish)
            if not goes_on:
                return await self._part()

    async def _recover(self, doubt: Doubt) -> Recovered:
        ledger = self.socket.worker.ledger
        return await recover(ledger, self.world.acs, CALL_ID, doubt, sleep=self.world.sleep)

    async def _recovered(self, outcome: Recovered) -> None:
        if outcome is Recovered.GONE:
            gone = Finished(self.epoch, EndReason.CALLER_HUNG_UP, self.message)
            verdict = await self.socket.worker.ledger.decide(CALL_ID, gone)
            if isinstance(verdict, Decided):
                return await carry_out(self.socket.worker.ledger, self.world.acs, verdict)
        return await self._part()

    async def _renew(self) -> bool:
        ledger = self.socket.worker.ledger
        renewed = await ledger.messages.renew(self.message)
        if renewed is None:
            self.message = await ledger.messages.send_live(CALL_ID)
            await ledger.decide(CALL_ID, Replaced(self.epoch, self.message.id))
        else:
            self.message = renewed
        seen = await ledger.records.get(CALL_ID)
        assert seen is not None
        match seen.record.state:
            case Live(owner=owner, message_id=named) if owner == self.world.name_of(self.socket):
                if named != self.message.id:
                    await ledger.decide(CALL_ID, Replaced(self.epoch, self.message.id))
                return True
            case Lost(epoch) if epoch == self.epoch:
                return await self._still_heard(None)
            case _:
                return False

    async def _still_heard(self, verdict: object) -> bool:
        if isinstance(verdict, Left) and verdict.why != "lost":
            return False
        name = self.world.name_of(self.socket)
        still = StillHeard(self.epoch, name, self.message.id)
        heard = await self.socket.worker.ledger.decide(CALL_ID, still)
        if isinstance(heard, Decided):
            self.epoch = heard.record.epoch
        return isinstance(heard, Decided)

    async def _part(self) -> None:
        world, name = self.world, self.world.name_of(self.socket)
        record = world.record()
        state = record.state if record else None
        mine = isinstance(state, Live) and state.owner == name and not self.socket.closed
        rule(not mine, "nobody lets go of a call that is its own")
        self.socket.owner = False
        world._refused(self.socket)
        await world.let_go(self.socket.worker, self.message)


def descriptor(fallback: str | None = None) -> SessionDescriptor:
    """A call to +1555… for an agent of the house."""
    return SessionDescriptor(
        call_id=CALL_ID,
        called="4:+15550123",
        caller="4:+15550199",
        caller_name="",
        correlation_id="correlation",
        server_call_id="server-call",
        rung_at=0.0,
        agent=VoiceLiveAgent(name="reception", model="gpt-realtime"),
        directory_generation="0123456789ab",
        fallback_number=fallback,
        traceparent=None,
        audio_rate=24000,
    )
