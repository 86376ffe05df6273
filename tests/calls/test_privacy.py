"""Nothing of a person, and nothing that opens a door, reaches a log line or telemetry, whatever
happens."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path

import aiohttp
import pytest

from simulator.acs_calls import SimulatedCall
from simulator.acs_switches import AcsSwitches
from simulator.script import (
    AfterAgent,
    AfterWait,
    CallerScript,
    Expect,
    HangUp,
    Press,
    Say,
    Stay,
    Step,
    Utterance,
)
from simulator.storage import Fault
from simulator.voice_live_switches import VoiceLiveSwitches
from switchboard.session import derive_token
from tests.calls.whole import AGENTS, NUMBER, SECOND_NUMBER, Whole, whole
from tests.media_worker.telemetry.collected import Collected
from tests.virtual_time import run

CALLER = "+15550100042"
TALKS = CallerScript(
    (
        Step(Say(Utterance("My password is swordfish.")), AfterWait(1000)),
        Step(Press("90210#"), AfterAgent()),
        Step(Say(Utterance("Goodbye, said the walrus.")), AfterAgent()),
        Step(HangUp(), AfterAgent()),
    ),
    Expect(greeted=False),
)
PATIENT = CallerScript((Step(Stay(), AfterWait(0)),), Expect(greeted=False))
SECRETS = (
    *("5550100001", "5550100002", "5550100042", "5550100099"),
    *("Harbour Cycles", "You answer the phone", "technical problem", "You said"),
    *("swordfish", "walrus", "90210", "Caller Display Name"),
    "eyJ",  # every JSON Web Token begins so
)


class Lines(logging.Handler):
    """What the product, its libraries and the Functions runtime log, as text."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith(("simulator", "asyncio")):
            fields = getattr(record, "fields", "")
            self.lines.append(f"{record.name} {self.format(record)} {fields}")


@pytest.fixture
def lines() -> Iterator[list[str]]:
    root, azure = logging.getLogger(), logging.getLogger("azure")
    levels = root.level, azure.level
    handler = Lines()
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    azure.setLevel(logging.WARNING)  # as both deployables have it
    yield handler.lines
    root.removeHandler(handler)
    root.setLevel(levels[0])
    azure.setLevel(levels[1])


async def talk(system: Whole) -> SimulatedCall:
    system.world.voice_live.know(Utterance("My password is swordfish."))
    return await ended(system, TALKS)


async def waits(system: Whole) -> SimulatedCall:
    return await ended(system, PATIENT)


async def to_nobody(system: Whole) -> SimulatedCall:
    return await ended(system, PATIENT, SECOND_NUMBER)


async def without_storage(system: Whole) -> SimulatedCall:
    outage = Fault(times=60, operation="*Blob*", status=503)
    system.world.storage.faults.append(outage)
    return await ended(system, TALKS)


async def beside_strangers(system: Whole) -> SimulatedCall:
    """A call whose addresses are tried by somebody who has them, but no token of ACS."""
    call = await system.call(TALKS, from_=CALLER, display_name="Caller Display Name")
    while call.connection is None or call.connection.streaming is None:
        await asyncio.sleep(0.1)
    back = call.connection.answer.callback_uri
    media = call.connection.streaming.options.url.replace("ws", "http", 1)
    bearer = {"Authorization": f"Bearer {system.world.acs.token(60, aud='another')}"}
    async with aiohttp.ClientSession() as http:
        for headers in ({}, bearer, {"Authorization": "Bearer eyJhbGciOiJub25lIn0.e30."}):
            async with http.post(back, headers=headers, data=b"swordfish") as reply:
                assert reply.status == 401
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await http.ws_connect(media, headers=headers)
    await call.ended()
    return call


async def ended(system: Whole, script: CallerScript, to: str = NUMBER) -> SimulatedCall:
    call = await system.call(script, to, from_=CALLER, display_name="Caller Display Name")
    await call.ended()
    return call


UNREACHABLE = AcsSwitches(media_unreachable=True)
NOBODY = AGENTS.replace('default_agent = "reception"', "").replace(
    '"+15550100002" = "workshop"', ""
)
Scene = Callable[[Whole], Awaitable[SimulatedCall]]
SCENES: dict[str, tuple[Scene, dict[str, object], str]] = {
    # what happens, with which switches, and a line that shows that it did
    "a conversation": (talk, {}, "call_ended"),
    "a call passed to a person": (waits, {"acs": UNREACHABLE}, '"reason": "transferred"'),
    "a socket refused": (
        waits,
        {"worker_env": {"ACS_IMMUTABLE_RESOURCE_ID": "00000000-0000-4000-8000-000000000000"}},
        "media_refused",
    ),
    "an agent out of reach": (
        waits,
        {"voice_live": VoiceLiveSwitches(refuse_status=401)},
        "http_401",
    ),
    "a number of nobody": (to_nobody, {"agents_toml": NOBODY}, '"reason": "rejected"'),
    "an outage of storage": (without_storage, {}, "claim_failed"),
    "strangers at the doors": (beside_strangers, {}, "callback_refused"),
}
WITHOUT_MEDIA = {"a call passed to a person", "a number of nobody", "an outage of storage"}
"""Scenes in which no socket reaches the worker."""


def told(seen: Collected, secrets: Iterable[str]) -> list[str]:
    """Those of `secrets` that are anywhere in what a collector would get."""
    wire = seen.wire()
    return [secret for secret in secrets if secret.encode() in wire]


@pytest.mark.parametrize("name", SCENES)
def test_no_number_token_context_word_or_instruction_is_logged_or_told(
    name: str, tmp_path: Path, lines: list[str]
) -> None:
    scene, options, shown = SCENES[name]
    seen = Collected()

    async def scenario() -> set[str]:
        more: dict[str, object] = {"functions_env": {"LOG_LEVEL": "DEBUG"}} | options
        async with whole(tmp_path, telemetry=seen.telemetry, **more) as system:  # type: ignore[arg-type]  # any scene
            call = await scene(system)
            await system.settled()
            contexts = {ring.context for ring in call.rings}
            ids = {record.call_id for record in system.records()}
            tokens = {
                derive_token(context, label, call_id)
                for context in contexts
                for call_id in ids
                for label in ("media", "callback")
            }
            return contexts | tokens

    secrets = {*SECRETS, *run(scenario())}
    assert any(shown in line and '"call_id"' in line.replace("'", '"') for line in lines)
    assert [line for line in lines if any(secret in line for secret in secrets)] == []
    assert seen.spans() or name in WITHOUT_MEDIA
    assert told(seen, secrets) == []


def in_a_span(seen: Collected, secret: str) -> None:
    seen.telemetry.tracer.start_span("call", attributes={"caller": f"4:+1{secret}"}).end()


def in_a_name(seen: Collected, secret: str) -> None:
    seen.telemetry.tracer.start_span(f"call of {secret}").end()


def in_an_event(seen: Collected, secret: str) -> None:
    span = seen.telemetry.tracer.start_span("call")
    span.add_event("said", {"words": [f"It is {secret}."]})
    span.end()


def in_an_exception(seen: Collected, secret: str) -> None:
    span = seen.telemetry.tracer.start_span("call")
    span.record_exception(ValueError(secret))
    span.end()


def in_a_metric(seen: Collected, secret: str) -> None:
    seen.telemetry.calls_ended.add(1, {"caller": secret})


@pytest.mark.parametrize("plant", [in_a_span, in_a_name, in_an_event, in_an_exception, in_a_metric])
def test_what_is_planted_in_telemetry_is_found(plant: Callable[[Collected, str], None]) -> None:
    seen = Collected()
    assert told(seen, SECRETS) == []
    plant(seen, "5550100042")
    assert told(seen, SECRETS) == ["5550100042"]
