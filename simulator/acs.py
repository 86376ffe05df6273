"""Azure Communication Services, as far as a phone call answered by an application needs it.

A second, independent reading of Call Automation and its audio streaming: REST API, callbacks, the
media WebSocket's client end, and the callers on the other end of the line. Everything that is not
documented is a switch (`AcsSwitches`).
"""

import asyncio
import base64
import ssl
from collections.abc import Awaitable, Callable, Collection, Coroutine
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
from aiohttp import web

from simulator.acs_auth import AccessKey, EntraTokens
from simulator.acs_callbacks import Issuer
from simulator.acs_calls import Ring, SimulatedCall
from simulator.acs_exchange import Exchange, Refused, invalid, parse_answer
from simulator.acs_operations import Leg, operate
from simulator.acs_play import Announcer
from simulator.acs_rest import Json, Reply, Request, Rest
from simulator.acs_switches import CALL_NOT_FOUND, AcsSwitches
from simulator.acs_wire import raw_id_in, raw_id_of
from simulator.keys import process_key
from simulator.script import CallerScript
from simulator.serving import serve

ACCESS_KEY = base64.b64encode(b"simulated access key, no secret!").decode()
IMMUTABLE_ID = "5b1c1d2e-7c3f-4a55-9e0a-2f6f3c1d4e5f"
"""The resource's immutable id: the audience of ACS's tokens."""
RESOURCE_ID = (
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/simulated"
    "/providers/Microsoft.Communication/communicationServices/simulated"
)
"""The ARM id: the topic of its Event Grid events."""

Publish = Callable[[str, dict[str, Any]], Awaitable[None]]


class Acs:
    """The service; an async context manager. Calls begin with `ring`.

    `publish` takes an IncomingCall's subject and data to Event Grid. With `tls` it is served by
    https. `numbers` are those that ring here when a call is passed on to them.
    """

    def __init__(
        self,
        publish: Publish,
        switches: AcsSwitches | None = None,
        *,
        who: AccessKey | EntraTokens | None = None,
        numbers: Collection[str] = (),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.switches = switches or AcsSwitches()
        self.calls: list[SimulatedCall] = []
        """Those that have not ended."""
        self.immutable_id = IMMUTABLE_ID
        """The audience of its tokens."""
        self.url = ""
        """Of the REST API, the key set and the OpenID configuration; set once it is served."""
        self.rest = Rest(self.switches, who or AccessKey(ACCESS_KEY), self._perform)
        self._publish = publish
        self._numbers = frozenset(raw_id_of(number) for number in numbers)
        self._tls = tls
        self._key = process_key()
        self._legs: dict[str, Leg] = {}
        self._stack = AsyncExitStack()
        self._tasks = asyncio.TaskGroup()
        self._started: set[asyncio.Task[None]] = set()
        self._closing = False
        self._exchange: Exchange | None = None

    @property
    def issuer(self) -> str:
        """The `iss` of its tokens: its own address."""
        return self.url

    @property
    def bot(self) -> str:
        """Raw id of the identity that answers for the application."""
        return f"8:acs:{self.immutable_id}_00000000-0000-0000-0000-00000000b07b"

    @property
    def jwks_url(self) -> str:
        return f"{self.url}/calling/keys"

    async def __aenter__(self) -> "Acs":
        app = web.Application(client_max_size=1024 * 1024)
        app.router.add_get("/calling/keys", self._keys)
        app.router.add_get("/calling/.well-known/acsopenidconfiguration", self._openid)
        app.router.add_route("*", "/calling/callConnections{rest:.*}", self.rest.handle)
        self.extend(app)
        await self._stack.enter_async_context(self._tasks)
        connector = aiohttp.TCPConnector(limit=0)
        http = await self._stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        self.url = await self._stack.enter_async_context(serve(app, ssl_context=self._tls))
        self._exchange = Exchange(
            self.switches,
            Issuer(self._key, self.issuer, self.immutable_id),
            http,
            self._start,
            self._publish,
            self._numbers,
            self.bot,
        )
        return self

    async def __aexit__(self, *error: object) -> None:
        for call in list(self.calls):
            await call.fail()
        self._closing = True
        for task in self._started:
            task.cancel()
        await self._stack.aclose()  # not told of `error`, which would come back as a group

    def extend(self, app: web.Application) -> None:
        """Where a subclass adds routes."""

    def token(self, life_s: float = 300, **claims: Any) -> str:
        """A token of this ACS; `claims` replace its own, to try doors with."""
        return Issuer(self._key, self.issuer, self.immutable_id).token(life_s, **claims)

    async def ring(
        self,
        to: str,
        from_: str,
        script: CallerScript,
        *,
        display_name: str = "",
        custom_context: dict[str, Any] | None = None,
    ) -> SimulatedCall:
        """Somebody calls. `to` and `from_`: numbers, `anonymous`, or raw ids.

        Returns when Event Grid has the IncomingCall.
        """
        assert self._exchange is not None, "use it in `async with`"
        call = SimulatedCall(
            self._exchange,
            raw_id_of(to),
            raw_id_of(from_),
            script,
            display_name=display_name,
            custom_context=custom_context,
        )
        self.calls.append(call)
        self._start(self._watch(call))
        await call.ring(call.to)
        return call

    async def _watch(self, call: SimulatedCall) -> None:
        """Forgets a call that has ended."""
        await call.ended()
        self.calls.remove(call)
        for key, leg in list(self._legs.items()):
            if leg.call is call:
                leg.announcer.cancel()
                del self._legs[key]

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
        if self._closing:
            work.close()
            return None
        task = self._tasks.create_task(work)
        self._started.add(task)
        task.add_done_callback(self._started.discard)
        return task

    # The REST API

    async def _perform(self, request: Request) -> Reply:
        if request.connection_id is not None:
            leg = self._legs.get(request.connection_id)
            if leg is None:
                raise Refused(CALL_NOT_FOUND)
            return await operate(request.name, leg, request.body)
        call, ring = self._ringing(request.body.get("incomingCallContext"))
        match request.name:
            case "answer":
                return await self._answer(call, ring, request.body)
            case "reject":
                await call.reject(ring, str(request.body.get("callRejectReason", "none")))
                return 204, None
            case "redirect":
                target = raw_id_in(request.body.get("target"))
                if target is None:
                    raise invalid("target is invalid.")
                await call.redirect(ring, target)
                return 204, None
            case _:
                raise invalid(f"{request.name} is not simulated.")

    def _ringing(self, context: object) -> tuple[SimulatedCall, Ring]:
        if not isinstance(context, str) or not context:
            raise invalid("incomingCallContext is invalid.")
        for call in self.calls:
            for ring in call.rings:
                if ring.context == context:
                    return call, ring
        raise Refused(self.switches.second_answer or CALL_NOT_FOUND)

    async def _answer(self, call: SimulatedCall, ring: Ring, body: Json) -> Reply:
        connection = call.answer(ring, parse_answer(body, self.switches))
        if connection.id in self._legs:
            return 200, connection.properties()
        self._legs[connection.id] = Leg(call, connection, Announcer(connection))
        order = self.switches.answer_order
        response = order.index("response")
        await connection.pass_moments(order[: response + 1])
        self._start(connection.pass_moments(order[response + 1 :]))
        return 200, connection.properties()

    async def _keys(self, _: web.Request) -> web.Response:
        return web.json_response(self._key.jwks())

    async def _openid(self, _: web.Request) -> web.Response:
        """As https://acscallautomation.communication.azure.com/calling/.well-known/… has it."""
        return web.json_response(
            {
                "issuer": self.issuer,
                "jwks_uri": self.jwks_url,
                "id_token_signing_alg_values_supported": ["RS256"],
                "response_types_supported": ["token"],
                "subject_types_supported": ["public"],
            }
        )
