import asyncio
import base64
import io
import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import aiohttp
import jwt
import pytest

from media_worker import log
from media_worker.call import Call
from media_worker.leg import CallOutcome
from media_worker.limits import HANDSHAKE_BURST
from simulator.acs_switches import AcsSwitches
from simulator.keys import SigningKey
from simulator.storage import Fault
from switchboard.end_reason import EndReason
from switchboard.record import Ended
from switchboard.session import derive_token
from tests.media_worker.stage import (
    AGENT,
    CALLED,
    CALLER,
    FALLBACK,
    HANGS_UP,
    METADATA,
    SILENT_FRAME,
    STAYS,
    Answered,
    Stage,
    break_off,
    stage,
)
from tests.virtual_time import run

ELSEWHERE = "ws://127.0.0.1:9"
"""A media URL at which nobody listens: the call is answered, and the test brings its sockets."""


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    log.set_up("DEBUG", stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)


def events(stream: io.StringIO, name: str) -> list[dict[str, object]]:
    found = [json.loads(line) for line in stream.getvalue().splitlines()]
    return [line for line in found if line["event"] == name]


def test_a_call_is_taken_carried_and_ended_with_an_empty_queue(lines: io.StringIO) -> None:
    async def scenario() -> None:
        async with stage() as here:
            call = await here.ring(HANGS_UP)
            outcome = await call.simulated.ended()
            assert outcome.as_scripted, outcome.faults
            await here.until(lambda: here.worker.live_calls == 0)
            record = await here.record(call.call_id)
            assert record.state == Ended(EndReason.CALLER_HUNG_UP)
            assert [turn.speaker for turn in record.turns][:2] == ["agent", "caller"]
            assert here.messages == 0
            (last,) = events(lines, "call_ended")
            assert last["call_id"] == call.call_id
            assert last["reason"] == "caller_hung_up"

    run(scenario())


def test_a_call_whose_socket_was_replaced_ends_once(lines: io.StringIO) -> None:
    async def scenario() -> None:
        async with stage() as here:
            call = await here.ring(STAYS)
            await here.until(lambda: here.worker.live_calls == 1)
            await asyncio.sleep(2)
            await break_off(call)
            await asyncio.sleep(5)
            assert here.worker.live_calls == 1
            here.worker.worker.calls[call.call_id].call.end(EndReason.TOO_LONG)
            await here.until(lambda: here.worker.live_calls == 0)
            await asyncio.sleep(15)
            assert here.messages == 0

    run(scenario())
    assert len(events(lines, "call_ended")) == 1
    assert len(events(lines, "call_taken")) == 2
    assert events(lines, "call_left") == []


def test_a_socket_that_came_early_and_spoke_late_goes_on_with_all_that_was_said() -> None:
    async def talk(socket: aiohttp.ClientWebSocketResponse, seconds: float) -> None:
        for _ in range(int(seconds * 50)):
            await socket.send_str(SILENT_FRAME)
            await asyncio.sleep(0.02)

    async def scenario() -> None:
        async with stage() as here:
            call = await here.ring(STAYS, media_url=ELSEWHERE)
            assert call.simulated.connection is not None
            connection_id = call.simulated.connection.id
            first = await here.knock(call.call_id, call.token, connection_id=connection_id)
            await first.send_str(METADATA)
            early = await here.knock(call.call_id, call.token, connection_id=connection_id)
            await talk(first, 6)  # the agent greets, which the record does not know at first
            here.worker.worker.calls[call.call_id].call.let_go()
            await asyncio.sleep(0.5)
            await early.send_str(METADATA)
            await talk(early, 6)
            here.worker.worker.calls[call.call_id].call.end(EndReason.TOO_LONG)
            await here.until(lambda: here.worker.live_calls == 0)
            record = await here.record(call.call_id)
            assert [turn.text for turn in record.turns] == [AGENT.greeting]
            assert [len(session.responses) for session in here.voice.sessions] == [1, 0]

    run(scenario())


def test_no_number_token_or_spoken_word_reaches_a_log_line(lines: io.StringIO) -> None:
    async def scenario() -> list[str]:
        async with stage(AcsSwitches(restart_works=False)) as here:
            call = await here.ring(HANGS_UP)
            await call.simulated.ended()
            await here.until(lambda: here.worker.live_calls == 0)
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await here.knock(call.call_id, call.token, connection_id="x")
            lost = await here.ring(STAYS, fallback_number=FALLBACK)
            await here.until(lambda: here.worker.live_calls == 1)
            await break_off(lost)
            await lost.simulated.ended()
            await here.until(lambda: here.worker.live_calls == 0)
            contexts = [ring.context for ring in (*call.simulated.rings, *lost.simulated.rings)]
            numbers = [raw_id.strip("4:+") for raw_id in (CALLED, CALLER, FALLBACK)]
            words = ["Harbour", "you open", "technical problem"]
            return [call.token, lost.token, *contexts, *numbers, *words]

    secrets = run(scenario())
    assert events(lines, "media_refused")
    assert [line["reason"] for line in events(lines, "call_ended")] == [
        "caller_hung_up",
        "transferred",
    ]
    assert [secret for secret in secrets if secret in lines.getvalue()] == []


# --- the doors, over real upgrades, with a call beside them ---------------------------------------


def hs256(here: Stage) -> str:
    """Key confusion: signed with HMAC, the published modulus as the secret."""
    published = here.acs._key.jwks()["keys"][0]
    claims = {"iss": here.acs.issuer, "aud": here.acs.immutable_id, "exp": 4e9}
    secret = published["n"].encode()
    return jwt.encode(claims, secret, "HS256", headers={"kid": published["kid"]})


def unsigned(here: Stage) -> str:
    """`alg: none`, with the kid of a published key."""
    claims = {"iss": here.acs.issuer, "aud": here.acs.immutable_id, "exp": 4e9}
    return jwt.encode(claims, "", "none", headers={"kid": here.acs._key.kid})


def stranger(here: Stage) -> str:
    """Well made, but by a key that nobody published."""
    claims = {"iss": here.acs.issuer, "aud": here.acs.immutable_id, "exp": 4e9}
    return SigningKey().sign(claims)


def nested(_: Stage) -> str:
    """A header that is JSON nested deeper than any parser follows."""
    header = base64.urlsafe_b64encode(b"[" * 4000).decode().rstrip("=")
    return f"{header}.e30.e30"


BAD_BEARERS: dict[str, tuple[Callable[[Stage], str | None], str]] = {
    "missing": (lambda _: None, "authorization"),
    "garbage": (lambda _: "not.a.token", "header"),
    "nested": (nested, "header"),
    "expired": (lambda here: here.acs.token(-3600), "exp"),
    "not_yet": (lambda here: here.acs.token(300, nbf=4_000_000_000), "nbf"),
    "wrong_issuer": (lambda here: here.acs.token(300, iss="https://elsewhere.example"), "iss"),
    "wrong_audience": (lambda here: here.acs.token(300, aud="another-resource"), "aud"),
    "alg_none": (unsigned, "alg"),
    "hs256": (hs256, "alg"),
    "unknown_key": (stranger, "kid"),
}


async def refused(here: Stage, call: Answered, **how: Any) -> int:
    """The status of a handshake that must not succeed; `how` differs from what ACS would send."""
    connection = call.simulated.connection
    usual = {
        "call_id": call.call_id,
        "token": call.token,
        "connection_id": connection.id if connection else None,
    }
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await here.knock(**usual | how)
    return caught.value.status


def test_every_bad_service_token_is_refused_before_the_upgrade_and_the_call_beside_goes_on(
    lines: io.StringIO,
) -> None:
    async def scenario() -> None:
        async with stage() as here:
            beside = await here.ring(STAYS)
            victim = await here.ring(STAYS, media_url=ELSEWHERE)
            await here.until(lambda: here.worker.live_calls == 1)
            for name, (make, claim) in BAD_BEARERS.items():
                status = await refused(here, victim, bearer=make(here))
                assert status == 401, name
                last = events(lines, "media_refused")[-1]
                assert (last["claim"], last["call_id"]) == (claim, victim.call_id), name
            await asyncio.sleep(5)
            assert here.worker.live_calls == 1
            await still_talks(here, beside)

    run(scenario())


def test_tokens_of_another_call_and_of_an_ended_one_are_refused(lines: io.StringIO) -> None:
    async def scenario() -> None:
        async with stage() as here:
            beside = await here.ring(STAYS)
            over = await here.ring(HANGS_UP)
            await over.simulated.ended()
            await here.until(lambda: here.worker.live_calls == 1)
            victim = await here.ring(STAYS, media_url=ELSEWHERE)
            assert await refused(here, victim, token=beside.token) == 403
            assert await refused(here, victim, token="short") == 403
            assert await refused(here, victim, connection_id="another") == 403
            assert await refused(here, victim, connection_id=None) == 403
            assert await refused(here, over) == 409
            assert await refused(here, victim, call_id="20261118-" + "0" * 24) == 404
            assert await refused(here, victim, call_id="records") == 404
            browser = {"Origin": "https://contoso.example"}
            assert await refused(here, victim, headers=browser) == 403
            await still_talks(here, beside)

    run(scenario())


async def still_talks(here: Stage, call: Answered) -> None:
    """The call's audio still reaches its agent, second by second."""
    session = here.voice.sessions[0]
    before = session.received_bytes
    await asyncio.sleep(1)
    assert session.received_bytes - before == pytest.approx(48_000, abs=960)
    assert (await here.record(call.call_id)).state.__class__.__name__ == "Live"


def test_under_prefer_a_socket_without_a_service_token_is_taken_and_noted(
    lines: io.StringIO,
) -> None:
    async def scenario() -> None:
        async with stage(MEDIA_AUTH="prefer") as here:
            call = await here.ring(STAYS, media_url=ELSEWHERE)
            assert call.simulated.connection is not None
            socket = await here.knock(
                call.call_id, call.token, bearer=None, connection_id=call.simulated.connection.id
            )
            await socket.close()
            (noted,) = events(lines, "media_token_doubtful")
            assert noted["claim"] == "authorization"

    run(scenario())


def test_the_call_beyond_the_hard_limit_is_refused_with_503(lines: io.StringIO) -> None:
    async def scenario() -> None:
        async with stage(MAX_CALLS="1") as here:
            await here.ring(STAYS)
            await here.until(lambda: here.worker.live_calls == 1)
            second = await here.ring(STAYS, media_url=ELSEWHERE)
            assert await refused(here, second) == 503

    run(scenario())


def test_a_plain_request_on_the_media_route_is_told_to_upgrade() -> None:
    async def scenario() -> None:
        async with stage() as here, here.http.get(f"{here.worker.url}/media/a/b") as reply:
            assert reply.status == 426
            assert await reply.json() == {"error": "refused", "claim": "upgrade"}

    run(scenario())


def test_a_call_whose_sockets_the_door_refuses_ends_as_refused_with_an_apology() -> None:
    async def scenario() -> None:
        wrong = "2d1f0000-0000-4000-8000-000000000001"
        async with stage(ACS_IMMUTABLE_RESOURCE_ID=wrong) as here:
            call = await here.ring(STAYS)
            await asyncio.sleep(1)
            assert (await here.record(call.call_id)).media_refusal == "aud"
            outcome = await call.simulated.ended()
            assert outcome.ended_by == "agent"
            await asyncio.sleep(60)
            assert (await here.record(call.call_id)).state == Ended(EndReason.MEDIA_REFUSED)
            assert here.messages == 0

    run(scenario())


def test_a_strangers_refused_socket_leaves_the_record_alone() -> None:
    async def scenario() -> None:
        async with stage() as here:
            call = await here.ring(STAYS, media_url=ELSEWHERE)
            before = await here.record(call.call_id)
            other = derive_token("another context", "media", call.call_id)
            assert await refused(here, call, token=other, bearer=None) == 401
            assert await here.record(call.call_id) == before

    run(scenario())


def test_a_flood_of_strangers_is_cut_off_and_keeps_no_caller_out() -> None:
    async def scenario() -> None:
        async with stage() as here:
            beside = await here.ring(STAYS)
            await here.until(lambda: here.worker.live_calls == 1)
            statuses: Counter[int] = Counter()

            async def flood() -> None:
                while True:
                    statuses[await refused(here, beside, bearer=None)] += 1
                    await asyncio.sleep(0.001)

            async with asyncio.TaskGroup() as strangers:
                flooding = strangers.create_task(flood())
                await here.until(lambda: statuses[429] > 0)
                await here.ring(STAYS)
                await here.until(lambda: here.worker.live_calls == 2)
                flooding.cancel()
            await still_talks(here, beside)

    run(scenario())


def test_a_flood_of_sockets_with_the_services_token_is_cut_off_too() -> None:
    async def scenario() -> None:
        async with stage() as here:
            beside = await here.ring(STAYS)
            await here.until(lambda: here.worker.live_calls == 1)
            other = derive_token("another context", "media", beside.call_id)
            knocks = range(HANDSHAKE_BURST + 20)
            statuses = Counter([await refused(here, beside, token=other) for _ in knocks])
            assert statuses[403] >= HANDSHAKE_BURST - 1
            assert statuses[429] > 0
            await still_talks(here, beside)

    run(scenario())


def test_an_outage_of_the_records_is_not_taken_for_a_stranger(lines: io.StringIO) -> None:
    async def scenario() -> None:
        async with stage() as here:
            call = await here.ring(STAYS, media_url=ELSEWHERE)
            here.storage.faults.append(Fault(times=3, operation="GetBlob", status=503))
            assert await refused(here, call) == 503
            assert events(lines, "media_refused")[-1]["claim"] == "record"

    run(scenario())


def test_a_defect_in_one_call_ends_it_with_an_apology_and_no_other(
    lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with stage() as here:
            beside = await here.ring(STAYS)
            await here.until(lambda: here.worker.live_calls == 1)

            async def defective(self: Call) -> CallOutcome:
                assert await self._owner.first_frame()
                raise KeyError("my card number")

            monkeypatch.setattr(Call, "run", defective)
            victim = await here.ring(STAYS)
            outcome = await victim.simulated.ended()
            assert outcome.ended_by == "agent"
            await here.until(lambda: here.worker.live_calls == 1)
            assert (await here.record(victim.call_id)).state == Ended(EndReason.FAULT)
            (fault,) = events(lines, "call_fault")
            assert (fault["error"], fault["call_id"]) == ("KeyError", victim.call_id)
            assert "card number" not in lines.getvalue()
            await still_talks(here, beside)
            assert here.messages == 1

    run(scenario())
