"""Storage and Azure Communication Services (ACS) as `call_world` has them: one record, one queue,
one call. Every operation stops before it takes effect, and again before its reply arrives.
"""

from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from switchboard import limits
from switchboard.ledger import Ledger, StorageUnavailable, Surfacing, Versioned
from switchboard.moves import (
    AcsView,
    ConnectedWithoutMedia,
    Doubt,
    MediaDown,
    Surfaced,
)
from switchboard.operations import Acted
from switchboard.record import CallRecord, MessageRef
from switchboard.session import SessionDescriptor

if TYPE_CHECKING:
    from tests.switchboard.call_world import World

CALL_ID = "20261123-0123456789abcdef01234567"
CONNECTION = "connection-1"
RING_S = 30.0

Fault = Literal["resent", "unavailable"]
ViewMode = Literal["truthful", "absent", "stale"]


class Wait:
    """A place where a party stops: until a time, until something happened, or for its turn."""

    def __init__(self, until: float = 0.0, or_when: Callable[[], bool] = lambda: False) -> None:
        self.until = until
        self.or_when = or_when

    def __await__(self) -> Generator["Wait", None, None]:
        yield self


@dataclass(eq=False)
class Party:
    """A coroutine in a process. `process` dies as a whole."""

    name: str
    process: "Process"
    coroutine: Coroutine[Any, Any, object]
    wait: Wait = field(default_factory=Wait)
    done: bool = False
    fault: Fault | None = None
    """What befalls the reply of its next operation."""


@dataclass(eq=False)
class Process:
    """A Functions instance or a worker."""

    name: str
    ledger: Ledger
    alive: bool = True


@dataclass
class Message:
    """A queue message as the service keeps it."""

    id: str
    receipt: str
    visible_at: float
    text: str
    received: int = 0


@dataclass(eq=False)
class Socket:
    """A media socket. `closed`: the worker sees it closed. `heard`: it brought a frame."""

    worker: Process
    token: str
    stray: bool = False
    """ACS gave it up already: it will never bring a frame."""
    closed: bool = False
    heard: bool = False
    owner: bool = False
    """Its worker owns the call and has not let go."""
    wish: Literal["", "turn", "end", "apologise", "drain"] = ""


@dataclass
class Delivery:
    """One Event Grid delivery of the incoming call, with its retries."""

    acknowledged: bool = False
    next_at: float = 0.0
    running: Party | None = None


class WorldRecords:
    """`ledger.Records` over the world's one blob."""

    def __init__(self, world: "World") -> None:
        self._world = world

    async def get(self, call_id: str) -> Versioned | None:
        await self._world.turn()
        if (blob := self._world.blob) is None:
            return None
        age = int(self._world.now) - int(self._world.written_at)
        found = Versioned(blob, str(self._world.version), float(age))
        await self._world.turn()
        return found

    async def put(self, record: CallRecord, etag: str | None) -> bool:
        await self._world.turn()
        world = self._world
        fits = (world.blob is None) if etag is None else (str(world.version) == etag)
        if fits:
            world.write(record)
        await self._world.turn()
        fault = world.take_fault()
        if fault == "unavailable":
            raise StorageUnavailable("its reply was lost")
        return fits and fault is None  # sent again, an accepted write is refused


class WorldMessages:
    """`ledger.Messages` over the world's queue."""

    def __init__(self, world: "World") -> None:
        self._world = world

    async def send_setup(self, descriptor: SessionDescriptor) -> MessageRef:
        return await self._send("setup", limits.SETUP_HIDDEN_S)

    async def send_live(self, call_id: str) -> MessageRef:
        return await self._send("live", limits.LIVE_HIDDEN_S)

    async def renew(self, message: MessageRef) -> MessageRef | None:
        await self._world.turn()
        kept = self._world.held(message)
        if kept is not None:
            kept.receipt = self._world.fresh("receipt")
            kept.visible_at = self._world.now + limits.LIVE_HIDDEN_S
        await self._world.turn()
        if self._world.take_fault() is not None or kept is None:
            return None
        return MessageRef(kept.id, kept.receipt)

    async def delete(self, message: MessageRef) -> None:
        await self._world.turn()
        if self._world.held(message) is not None:
            del self._world.queue[message.id]
        await self._world.turn()

    async def receive(self, most: int) -> list[Surfacing]:
        await self._world.turn()
        received = []
        for kept in self._world.queue.values():
            if kept.visible_at <= self._world.now:
                kept.receipt = self._world.fresh("receipt")
                kept.visible_at = self._world.now + limits.SURFACED_HIDDEN_S
                kept.received += 1
                ref = MessageRef(kept.id, kept.receipt)
                received.append(Surfacing(CALL_ID, Surfaced(ref, kept.received, kept.text)))
        return received

    async def set_aside(self, message: MessageRef, text: str, why: str) -> None:
        await self.delete(message)

    async def _send(self, text: str, hidden_s: float) -> MessageRef:
        await self._world.turn()
        self._world.add_message(text, hidden_s)
        if self._world.take_fault() is not None:  # sent again: now there are two
            self._world.add_message(text, hidden_s)
        sent = list(self._world.queue.values())[-1]
        ref = MessageRef(sent.id, sent.receipt)
        await self._world.turn()
        return ref


class Acs:
    """The call at ACS, and what was done to it."""

    def __init__(self, world: "World", view: ViewMode, *, reconnects: bool, replays: bool) -> None:
        self.world = world
        self.view_mode = view
        self.reconnects = reconnects
        self.replays = replays
        self.state: Literal["ringing", "connected", "transferring", "gone"] = "ringing"
        self.token = ""
        self.socket: Socket | None = None
        self.known_dead = True
        """Whether ACS knows that there is no stream."""
        self.shown = AcsView.SILENT
        """What a stale view says: it lags behind."""
        self.bodies: set[str] = set()
        self.reaches_us = True
        """Whether a socket that ACS opens gets as far as a worker."""
        self.apologies = 0
        self.transfers = 0
        self.hang_ups = 0
        self.callbacks: list[Doubt] = []

    def truth(self) -> AcsView:
        match self.state:
            case "connected":
                return AcsView.SILENT if self.known_dead else AcsView.STREAMING
            case "transferring":
                return AcsView.TRANSFERRING
            case _:
                return AcsView.GONE

    def catch_up(self) -> None:
        """The state that a stale view shows becomes the true one."""
        self.shown = AcsView.SILENT if self.known_dead else AcsView.STREAMING

    async def answer(self, body: str, by: float) -> Literal["accepted", "refused", "unclear"]:
        await self.world.turn()
        if self.world.now > by:
            return "unclear"
        self.bodies.add(body)
        outcome: Literal["accepted", "refused"] = "refused"
        if self.state == "ringing" and self.world.now <= RING_S:
            self.state, self.token, outcome = "connected", body, "accepted"
            self.callbacks.append(ConnectedWithoutMedia(CONNECTION))
            self.connect()
        elif self.replays and self.state == "connected" and body == self.token:
            outcome = "accepted"
        await self.world.turn()
        return "unclear" if self.world.take_fault() else outcome

    def connect(self) -> None:
        """ACS opens a socket; one that it had is closed, for it replaces and never joins."""
        if self.socket is not None:
            self.socket.closed = True
        self.known_dead = not self.reaches_us
        if self.reaches_us:
            self.socket = self.world.open_socket(self.token)
        else:
            self.socket = None
            self.callbacks.append(MediaDown(CONNECTION))

    def drop(self, *, at_the_door: bool = False) -> None:
        """The socket breaks, and both sides notice; one that was never let in is not retried."""
        if self.socket is None:
            return
        self.socket.closed = True
        self.socket, self.known_dead = None, True
        if self.state == "connected":
            self.callbacks.append(MediaDown(CONNECTION))
            if self.reconnects and not at_the_door:
                self.connect()

    def end(self) -> None:
        """The call is over: the caller hung up, or was hung up on, or is in other hands."""
        if self.state != "gone":
            if self.state != "ringing":  # before the answer ACS knows no callback URL
                self.callbacks.append(MediaDown(CONNECTION))
            self.state = "gone"
            if self.socket is not None:
                self.socket.closed = True
            self.socket, self.known_dead = None, True

    async def view(self, connection_id: str) -> AcsView:
        await self.world.turn()
        seen = self.truth()
        if seen in (AcsView.STREAMING, AcsView.SILENT):
            if self.view_mode == "absent":
                seen = AcsView.UNKNOWN
            elif self.view_mode == "stale":
                seen = self.shown
        await self.world.turn()
        return AcsView.UNKNOWN if self.world.take_fault() else seen

    async def restart(self, connection_id: str) -> Acted:
        def act() -> Acted:
            if not self.known_dead:
                return Acted.REFUSED
            self.connect()
            return Acted.DONE

        return await self._act(act)

    async def stop_and_start(self, connection_id: str) -> Acted:
        def act() -> Acted:
            if self.socket is not None:
                self.socket.closed = True
                self.callbacks.append(MediaDown(CONNECTION))
            self.connect()
            return Acted.DONE

        return await self._act(act)

    async def apologise(self, connection_id: str, text: str) -> Acted:
        def act() -> Acted:
            self.apologies += 1
            return Acted.DONE

        return await self._act(act)

    async def transfer(self, connection_id: str, number: str) -> Acted:
        def act() -> Acted:
            self.transfers += 1
            self.state = "transferring"
            return Acted.DONE

        return await self._act(act)

    async def hang_up(self, connection_id: str) -> Acted:
        await self.world.turn()
        self.hang_ups += 1
        was = self.state
        self.end()
        await self.world.turn()
        if self.world.take_fault():
            return Acted.FAILED
        return Acted.GONE if was == "gone" else Acted.DONE

    async def _act(self, act: Callable[[], Acted]) -> Acted:
        await self.world.turn()
        acted = act() if self.state == "connected" else Acted.GONE
        await self.world.turn()
        return Acted.FAILED if self.world.take_fault() else acted
