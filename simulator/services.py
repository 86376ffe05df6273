"""One simulated service in a process of its own: `python -m simulator serve NAME CONFIG`.

CONFIG is JSON. When the service is up, the facts about it are written to the file `ready` names.
"""

import asyncio
import io
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import aiohttp
from aiohttp import web

from simulator.acs import ACCESS_KEY, IMMUTABLE_ID, RESOURCE_ID, Acs
from simulator.acs_auth import AccessKey, EntraTokens
from simulator.acs_calls import SimulatedCall
from simulator.acs_wire import raw_id_of
from simulator.audio import write_wav
from simulator.event_grid import Event, EventGrid, HandshakeFailed, Subscription
from simulator.identity import Identity
from simulator.processes import put_file
from simulator.realtime import Realtime
from simulator.report import channels, describe
from simulator.script import CallerScript, clips
from simulator.script_toml import caller_of_wav, load_agents, load_caller
from simulator.serving import serve
from simulator.speech_service import Speech
from simulator.storage import Storage
from simulator.timeline import Entry
from simulator.tls import Certificate
from simulator.voice_live import VoiceLive

Json: TypeAlias = dict[str, Any]

SERVICES = ("identity", "storage", "voice_live", "realtime", "speech", "event_grid", "acs")
CALLS_KEPT = 16
"""Recordings of ended calls that can still be fetched."""
AFTERMATH_S = 0.3
"""After a call's end its last callbacks are still on their way; the timeline waits for them."""


@asynccontextmanager
async def opened(name: str, config: Json) -> AsyncIterator[Json]:
    """Serves the one of `SERVICES` called `name`; yields the facts about it."""
    async with AsyncExitStack() as stack:
        match name:
            case "identity":
                identity = await stack.enter_async_context(Identity())
                yield {"endpoint": identity.endpoint, "header": identity.header}
            case "storage":
                storage = await stack.enter_async_context(_storage(config))
                yield {
                    "blob": storage.blob_endpoint,
                    "queue": storage.queue_endpoint,
                    "connection_string": storage.connection_string,
                }
            case "voice_live":
                scripts = load_agents(Path(config["agents"])) if config.get("agents") else ()
                service = await stack.enter_async_context(VoiceLive(scripts, keep_audio=False))
                yield {"url": service.url}
            case "realtime":
                scripts = load_agents(Path(config["agents"])) if config.get("agents") else ()
                model = await stack.enter_async_context(Realtime(scripts, keep_audio=False))
                yield {"url": model.url, "key": model.key}
            case "speech":
                scripts = load_agents(Path(config["agents"])) if config.get("agents") else ()
                speech = await stack.enter_async_context(
                    Speech(utterances=clips(scripts), keep_audio=False)
                )
                yield {
                    "url": speech.url,
                    "stream_url": speech.stream_url,
                    "resource_id": speech.resource_id,
                    "key": speech.key,
                }
            case "event_grid":
                yield {"url": await stack.enter_async_context(_event_grid())}
            case "acs":
                yield await _acs(config, stack)
            case _:
                raise ValueError(f"{name} is none of {', '.join(SERVICES)}")


async def serve_until(name: str, config: Json, stopped: asyncio.Event) -> None:
    """Runs one service until `stopped`."""
    async with opened(name, config) as facts:
        put_file(Path(config["ready"]), json.dumps(facts))
        await stopped.wait()


def _storage(config: Json) -> Storage:
    certificate = _certificate(config)
    return Storage(
        queues=("sessions",),
        containers=("records",),
        accept="tokens" if certificate else "keys",
        ssl_context=certificate.server_context() if certificate else None,
    )


def _certificate(config: Json) -> Certificate | None:
    """Made by `simulator.tls.make_certificate` in the directory that `tls` names."""
    if not config.get("tls"):
        return None
    return Certificate(*(Path(config["tls"]) / name for name in ("ca.pem", "cert.pem", "key.pem")))


async def _acs(config: Json, stack: AsyncExitStack) -> Json:
    http = await stack.enter_async_context(aiohttp.ClientSession())
    certificate = _certificate(config)

    async def publish(subject: str, data: Json) -> None:
        event = {"subject": subject, "data": data}
        async with http.post(f"{config['event_grid']}/events", json=event) as response:
            response.raise_for_status()

    acs = RemoteAcs(
        publish,
        who=EntraTokens() if certificate else AccessKey(ACCESS_KEY),
        numbers=config.get("numbers", ()),
        tls=certificate.server_context() if certificate else None,
    )
    await stack.enter_async_context(acs)
    return {
        "url": acs.url,
        "issuer": acs.issuer,
        "jwks": acs.jwks_url,
        "immutable_id": IMMUTABLE_ID,
        "resource_id": RESOURCE_ID,
        "key": None if certificate else ACCESS_KEY,
    }


@asynccontextmanager
async def _event_grid() -> AsyncIterator[str]:
    """Event Grid with two routes of its own: `POST /events`, `PUT /subscriptions/NAME`."""
    async with EventGrid(RESOURCE_ID) as grid:

        async def publish(request: web.Request) -> web.Response:
            event = await request.json()
            grid.publish(Event(event["subject"], event["data"]))
            return web.Response(status=202)

        async def subscribe(request: web.Request) -> web.Response:
            wanted = await request.json()
            try:
                await grid.subscribe(Subscription(name=request.match_info["name"], **wanted))
            except HandshakeFailed as error:
                return web.json_response({"error": str(error)}, status=400)
            return web.Response(status=201)

        app = web.Application()
        app.router.add_post("/events", publish)
        app.router.add_put("/subscriptions/{name}", subscribe)
        async with serve(app) as url:
            yield url


class RemoteAcs(Acs):
    """ACS whose callers are somewhere else: `POST /simulator/calls`, `GET …/calls/ID.wav`.

    A call is placed with `{"to", "from", "script": PATH | "wav": PATH}`. The response is a line of
    JSON for each thing that happens, `{"t_ms", "event", …}`, and at last `{"report", "recording"}`.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._recordings: deque[tuple[str, SimulatedCall]] = deque(maxlen=CALLS_KEPT)

    def extend(self, app: web.Application) -> None:
        app.router.add_post("/simulator/calls", self._place)
        app.router.add_get("/simulator/calls/{id}.wav", self._recording)

    async def _place(self, request: web.Request) -> web.StreamResponse:
        wanted = await request.json()
        try:
            script = _script(wanted)
            to, from_ = raw_id_of(wanted["to"]), raw_id_of(wanted["from"])
        except ValueError as error:  # ScriptError too
            return web.json_response({"error": str(error)}, status=400)
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        entries: asyncio.Queue[Entry | None] = asyncio.Queue()
        call = await self.ring(to, from_, script)
        for entry in call.timeline.entries:
            entries.put_nowait(entry)
        call.timeline.on_entry.append(entries.put_nowait)
        self._start(_end_of(call, entries))
        try:
            while (known := await entries.get()) is not None:
                await response.write(_line(known.to_json(call.rang_at)))
            self._recordings.append((call.correlation_id, call))
            last = {"report": describe(call), "recording": f"{call.correlation_id}.wav"}
            await response.write(_line(last))
        except ConnectionError:  # whoever placed the call is gone: so is the caller
            await call.hang_up()
        return response

    async def _recording(self, request: web.Request) -> web.Response:
        for name, call in self._recordings:
            if name == request.match_info["id"]:
                left, right, rate = channels(call)
                file = io.BytesIO()
                write_wav(file, left, right, rate=rate)
                return web.Response(body=file.getvalue(), content_type="audio/wav")
        return web.Response(status=404)


async def _end_of(call: SimulatedCall, entries: asyncio.Queue[Entry | None]) -> None:
    await call.ended()
    await asyncio.sleep(AFTERMATH_S)
    entries.put_nowait(None)


def _script(wanted: Json) -> CallerScript:
    if wanted.get("wav"):
        return caller_of_wav(Path(wanted["wav"]))
    return load_caller(Path(wanted["script"]))


def _line(table: Json) -> bytes:
    return json.dumps(table, ensure_ascii=False).encode() + b"\n"
