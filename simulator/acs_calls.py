"""A phone call from the first ring to the last word, with the person who makes it."""

import asyncio
import uuid
from dataclasses import dataclass
from typing import Any, Literal

from simulator.acs_connection import Connection
from simulator.acs_exchange import Answer, Exchange, Refused
from simulator.acs_switches import CALL_NOT_FOUND
from simulator.caller import Tick
from simulator.incoming import incoming_call_context, incoming_call_data, server_call_id, subject
from simulator.line import Line
from simulator.script import CallerScript, HangUp, Stay
from simulator.timeline import Timeline

Ender = Literal["caller", "agent", "transfer", "rejected", "nobody", "network"]
"""Who ended a call: the caller, the answering side, a transfer away, a rejection, the ring's end
(or a caller who lost patience), a failing network."""

_REMOTE = "The conversation has ended. DiagCode: 0#7000.@"
_OURS = (
    "Call was ended by Azure Communication Service Call Automation API or a server bot. "
    "DiagCode: 0#7000.@"
)


@dataclass(frozen=True)
class Outcome:
    """How a call ended; `faults` says where it did not go as the caller's script has it."""

    answered: bool
    ended_by: Ender
    faults: tuple[str, ...]

    @property
    def as_scripted(self) -> bool:
        return not self.faults


@dataclass
class Ring:
    """One IncomingCall: a number rings, and whoever holds the context may answer, once."""

    to: str
    context: str
    state: Literal["ringing", "answered", "redirected", "over"] = "ringing"
    connection: Connection | None = None


class SimulatedCall:
    """A caller on the phone. Made by `Acs.ring`; the attributes are for tests to look at."""

    def __init__(
        self,
        exchange: Exchange,
        to: str,
        from_: str,
        script: CallerScript,
        *,
        display_name: str = "",
        custom_context: dict[str, Any] | None = None,
    ) -> None:
        self.to = to
        self.from_ = from_
        self.script = script
        self.correlation_id = str(uuid.uuid4())
        self.timeline = Timeline()
        self.rings: list[Ring] = []
        self.line: Line | None = None
        """From the first answer on."""
        self.connection: Connection | None = None
        """The one that has the caller now, or had last."""
        self.rang_at = asyncio.get_running_loop().time()
        self.outcome: Outcome | None = None
        self._exchange = exchange
        self._display_name = display_name
        self._custom_context = custom_context
        self._over = asyncio.Event()

    async def ended(self) -> Outcome:
        """Waits for the end of the call."""
        await self._over.wait()
        assert self.outcome is not None
        return self.outcome

    # Ringing

    async def ring(self, to: str) -> Ring:
        """Rings at `to`: an IncomingCall goes to Event Grid, and 30 s begin."""
        seed = f"{self.correlation_id} {to} {len(self.rings)}"
        ring = Ring(to, incoming_call_context(seed))
        self.rings.append(ring)
        self.timeline.add("ringing", to=to)
        self._exchange.start(self._ring_out(ring))
        data = incoming_call_data(
            to,
            self.from_,
            self.correlation_id,
            ring.context,
            display_name=self._display_name,
            custom_context=self._custom_context,
        )
        await self._exchange.publish(subject(to, self.from_), data)
        return ring

    async def _ring_out(self, ring: Ring) -> None:
        try:
            async with asyncio.timeout(self._exchange.switches.ring_s):
                await self._over.wait()
        except TimeoutError:
            if ring.state == "ringing":
                ring.state = "over"
                await self._end("nobody")

    def answer(self, ring: Ring, answer: Answer) -> Connection:
        """Somebody answers. Raises Refused."""
        if ring.connection is not None and self._exchange.switches.second_answer is None:
            return ring.connection
        self._must_ring(ring)
        first = self.line is None
        if self.line is None:
            rate = answer.media.rate if answer.media else 16000
            self.line = Line(self._exchange.switches, self.script, rate, self.timeline)
        self.connection = ring.connection = Connection(
            self._exchange,
            answer,
            self.line,
            self.timeline,
            caller=self.from_,
            called=ring.to,
            correlation_id=self.correlation_id,
            server_call_id=server_call_id(self.correlation_id),
        )
        ring.state = "answered"
        self.timeline.add("answered", to=ring.to)
        if first:
            self._exchange.start(self.line.run(self._each))
        return self.connection

    def _must_ring(self, ring: Ring) -> None:
        match ring.state:
            case "ringing":
                return
            case "redirected":
                raise Refused(self._exchange.switches.after_redirect or CALL_NOT_FOUND)
            case _:
                raise Refused(self._exchange.switches.second_answer or CALL_NOT_FOUND)

    async def reject(self, ring: Ring, reason: str) -> None:
        """Nobody will answer: the caller hears the busy tone. Raises Refused."""
        if ring.state == "redirected" and not self._exchange.switches.after_redirect:
            return
        self._must_ring(ring)
        ring.state = "over"
        self.timeline.add("rejected", reason=reason)
        await self._end("rejected")

    async def redirect(self, ring: Ring, target: str) -> None:
        """The ring goes on elsewhere, with the same correlation id. Raises Refused."""
        self._must_ring(ring)
        ring.state = "redirected"
        await self.pass_on(target)

    async def pass_on(self, target: str) -> None:
        """The call goes to `target`: one of our numbers rings anew, anybody else takes it away."""
        for ring in self.rings:
            if ring.state == "ringing":
                ring.state = "redirected"
        if target in self._exchange.numbers:
            await self.ring(target)
        else:
            self.timeline.add("passed_on", to=target)
            await self._end("transfer")

    # Talking

    async def _each(self, tick: Tick) -> None:
        if self.connection is not None and self.connection.state != "disconnected":
            await self.connection.hear(tick)
        if tick.hang_up:
            await self.hang_up()

    async def hang_up(self) -> None:
        """The caller puts the phone down, even while it rings."""
        if not self._over.is_set():
            await self._end("caller" if self.line else "nobody")

    async def hung_up_on(self, connection: Connection) -> None:
        """The answering side ended the call, or left it."""
        ours = (self.from_, self._exchange.bot)
        others = [raw for raw in connection.participants if raw not in ours]
        if others:
            self.timeline.add("passed_on", to=others[0])
        await self._end("transfer" if others else "agent")

    async def transferred(self, connection: Connection, target: str) -> None:
        """A transfer was accepted: the answerer's leg is over, the caller is with `target`."""
        connection.state = "transferAccepted"
        await connection.finish(_REMOTE)
        await self.pass_on(target)

    async def fail(self) -> None:
        """The network drops the call."""
        await self._end("network")

    async def _end(self, by: Ender) -> None:
        if self._over.is_set():
            return
        self.outcome = Outcome(self.line is not None, by, tuple(self._faults(by)))
        self._over.set()
        for ring in self.rings:
            ring.state = "over" if ring.state == "ringing" else ring.state
        self.timeline.add("ended", by=by)
        if self.line is not None:
            self.line.close()
        if self.connection is not None:
            await self.connection.finish(_OURS if by == "agent" else _REMOTE)

    def _faults(self, by: Ender) -> list[str]:
        expect = self.script.expect
        if self.line is None:
            return ["not answered"] if expect.answered else []
        caller, faults = self.line.caller, list(self.line.caller.faults)
        if not expect.answered:
            faults.append("answered, which was not expected")
        if expect.greeted and not caller.greeted:
            faults.append("no greeting was heard")
        left = [step.act for step in caller.steps_left if not isinstance(step.act, HangUp | Stay)]
        if left:
            faults.append(f"the call ended with {len(left)} steps of the script left")
        if expect.ended_by not in ("any", by):
            faults.append(f"ended by {by}, expected {expect.ended_by}")
        if by == "network":
            faults.append("the network failed")
        broken_off = sum(turn.interrupted for turn in caller.ear.turns)
        if expect.interruptions not in (None, broken_off):
            faults.append(f"{broken_off} interruptions, expected {expect.interruptions}")
        return faults
