"""A connection's media streaming subscription: its socket opened, read, broken and opened again."""

import asyncio
import uuid
from collections.abc import Callable
from typing import Any, assert_never

from simulator import acs_wire as wire
from simulator.acs_exchange import Exchange, MediaOptions
from simulator.acs_media import Closed, MediaRefused, MediaSocket
from simulator.audio import resample
from simulator.caller import Tick
from simulator.clock import wall_now
from simulator.line import Line
from simulator.timeline import Timeline

UNREACHABLE = wire.result(
    400,
    8581,
    "Action failed, Transport url is not valid or web socket server is not operational.",
)

Report = Callable[[str, dict[str, Any], str | None, str | None], None]
"""Posts an event: type, data, the operation's context and its callback URI."""


class Streaming:
    """Media streaming of one call connection, from the answer to the end of the call."""

    def __init__(
        self,
        exchange: Exchange,
        options: MediaOptions,
        line: Line,
        timeline: Timeline,
        ids: tuple[str, str],
        report: Report,
    ) -> None:
        self.options = options
        self._exchange = exchange
        self._line = line
        self._timeline = timeline
        self._connection_id, self._correlation_id = ids
        self._report = report
        self._subscription_id = str(uuid.uuid4())
        self._socket: MediaSocket | None = None
        self._was_open = False
        self._failure: str | None = None
        self._reconnects = 0
        self._over = False
        self._held: list[str] | None = None

    @property
    def active(self) -> bool:
        """A socket is open."""
        return self._socket is not None

    def shown(self) -> dict[str, Any] | None:
        """mediaStreamingSubscription, as the switch has it."""
        kind = self._exchange.switches.subscription
        if kind == "absent":
            return None
        active = self.active or (kind == "stale" and self._was_open)
        return {
            "id": self._subscription_id,
            "state": "active" if active else "inactive",
            "subscribedContentTypes": ["audio"],
        }

    async def start(self, context: str | None, uri: str | None) -> None:
        """startMediaStreaming: to the same URL as ever; Started or Failed follows."""
        if self._was_open and not self._exchange.switches.restart_works:
            self._failure = "streamConnectionUnsuccessful"
        else:
            await self.open()
        self.report_start(context, uri)

    async def stop(self, context: str | None, uri: str | None) -> None:
        """stopMediaStreaming; Stopped follows."""
        await self._close(1000)
        self._say("MediaStreamingStopped", "subscriptionStopped", wire.DONE, context, uri)

    async def open(self) -> None:
        """Opens a socket, in as many tries as the switches allow."""
        switches = self._exchange.switches
        self._failure = "initialWebSocketConnectionFailed"
        if switches.media_unreachable:
            self._timeline.add("media_refused", status=None)
            return
        for attempt in range(switches.media_attempts):
            if attempt:
                await asyncio.sleep(switches.media_retry_s)
            if self._over or await self._try():
                return

    async def _try(self) -> bool:
        try:
            async with asyncio.timeout(self._exchange.switches.media_open_limit_s):
                socket = await MediaSocket.open(self.options.url, self._headers())
        except (MediaRefused, TimeoutError) as error:
            self._timeline.add("media_refused", status=getattr(error, "status", None))
            return False
        if self._over:
            await socket.break_off()
            return True
        replaced, self._socket = self._socket, socket
        self._failure = None
        self._was_open = True
        self._line.media_began()
        self._timeline.add("media_connected", rate=self.options.rate)
        self._exchange.start(self._read(socket))
        if self._exchange.switches.metadata == "first":
            await socket.send(wire.audio_metadata(self._subscription_id, self.options.rate))
        if replaced is not None:
            await replaced.close(1000)
        return True

    def _headers(self) -> dict[str, str]:
        token = self._exchange.issuer.token(self._exchange.switches.token_life_s)
        return {
            "Authorization": f"Bearer {token}",
            "x-ms-call-connection-id": self._connection_id,
            "x-ms-call-correlation-id": self._correlation_id,
        }

    def report_start(self, context: str | None = None, uri: str | None = None) -> None:
        """Started, or Failed where no socket could be opened."""
        if self._over:
            return
        if self._failure is None:
            self._say("MediaStreamingStarted", "subscriptionStarted", wire.DONE, context, uri)
        else:
            self._say("MediaStreamingFailed", self._failure, UNREACHABLE, context, uri)

    def _say(
        self,
        kind: str,
        details: str,
        result: dict[str, Any],
        context: str | None = None,
        uri: str | None = None,
    ) -> None:
        update = {
            "contentType": "Audio",
            "mediaStreamingStatus": kind[0].lower() + kind[1:],
            "mediaStreamingStatusDetails": details,
        }
        data = {"mediaStreamingUpdate": update, "resultInformation": result}
        self._report(kind, data, context, uri)

    async def hear(self, tick: Tick) -> None:
        """Sends 20 ms of the caller, and what was pressed."""
        socket = self._socket
        if socket is None:
            return
        packets = [wire.dtmf_data(digit) for digit in tick.digits if self.options.dtmf]
        pcm = tick.frame
        if self.options.rate != self._line.rate:
            pcm = resample(pcm, self._line.rate, self.options.rate)
        packets.append(wire.audio_data(pcm, wall_now(), silent=tick.silent))
        if self._held is not None:
            self._held += packets
            return
        await self._send(socket, packets)

    async def _send(self, socket: MediaSocket, packets: list[str]) -> None:
        try:
            async with asyncio.timeout(self._exchange.switches.media_send_limit_s):
                for packet in packets:
                    await socket.send(packet)
        except TimeoutError:
            self._timeline.add("media_stuck")
            await socket.break_off()

    async def _read(self, socket: MediaSocket) -> None:
        while not isinstance(message := await socket.receive(), Closed):
            match wire.parse_from_server(message):
                case _ if socket is not self._socket or not self.options.bidirectional:
                    pass
                case _ if self._held is not None:
                    self._timeline.add("lost_in_stall")
                case wire.Audio(pcm):
                    self._line.receive(pcm, self.options.rate)
                case wire.Stop():
                    self._line.stop_audio()
                case wire.Faulty(why):
                    self._timeline.add("media_fault", why=why)
                case wire.Tolerated():
                    pass
                case unreachable:
                    assert_never(unreachable)
            if pause := self._exchange.switches.reader_pause_s:
                await asyncio.sleep(pause)
        if socket is self._socket:
            self._socket = None
            self._timeline.add("media_closed", code=message.code)
            if not self._over:
                await self._broken()

    async def _broken(self) -> None:
        """The socket closed while the call goes on."""
        switches = self._exchange.switches
        if switches.flush_on_break:
            self._line.stop_audio()
        while self._reconnects < switches.reconnects:
            self._reconnects += 1
            await asyncio.sleep(switches.reconnect_after_s)
            if self._over or self.active:
                return
            if await self._try():
                self._say("MediaStreamingStarted", "streamConnectionReestablished", wire.DONE)
                return
        if kind := switches.break_event:
            failed = kind == "MediaStreamingFailed"
            details = "streamConnectionUnsuccessful" if failed else "streamConnectionInterrupted"
            self._say(kind, details, UNREACHABLE if failed else wire.DONE)

    async def break_off(self) -> None:
        """The network between ACS and the product fails: the socket is gone without a word."""
        if self._socket is not None:
            await self._socket.break_off()

    def stall(self) -> None:
        """The network goes silent without closing anything: no packet comes or goes."""
        self._held = []

    async def resume(self) -> None:
        """The network is back: what was held up comes all at once, as after real stalls."""
        held, self._held = self._held, None
        if held and self._socket is not None:
            await self._send(self._socket, held)

    async def finish(self) -> None:
        """The call is over."""
        self._over = True
        await self._close(self._exchange.switches.close_code)

    async def _close(self, code: int) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            self._timeline.add("media_closed", code=code)
            await socket.close(code)
