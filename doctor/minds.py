"""The models: a session is opened for each agent, with that agent's own settings, and closed."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from doctor.limits import SESSION_S, SESSIONS_MOST
from doctor.mends import REALTIME_ROLES, VOICE_LIVE_ROLES, grant, host_label
from doctor.patient import Patient
from doctor.verdicts import Check, Fail, NotChecked, Ok, Verdict
from media_worker.bridges.connect import (
    Access,
    ConnectError,
    RealtimeAccess,
    Socket,
    abort,
    connect,
    opening,
    settle,
)
from media_worker.bridges.endpoints import Endpoints
from media_worker.bridges.realtime_speech import protocol as realtime
from media_worker.bridges.voice_live import protocol as voice_live
from media_worker.bridges.voice_live.access import voice_live as voice_live_access
from media_worker.entra import Tokens
from media_worker.limits import BRIDGE_CLOSE_S
from media_worker.tools import offered
from switchboard.agents import Agent, RealtimeSpeechAgent, VoiceLiveAgent

_CALL = "doctor"
"""In the session's metadata, where a call's id stands else."""

_TOOLS = offered(person=True)
"""All that a call may declare."""

_TOO_MANY = f"more than {SESSIONS_MOST} sessions would take the quota of calls in progress"


def mind_checks(patient: Patient) -> Iterator[Check]:
    """One session for each set of settings that the agents have, at each resource where a call may
    find itself."""
    agents = patient.directory.agents if patient.directory is not None else {}
    seen: set[object] = set()
    opened: Counter[tuple[str, int]] = Counter()
    for agent in agents.values():
        bare: Any = replace(agent, name="", greeting=None)
        key = (type(agent), repr(bare))
        if key in seen:
            continue
        seen.add(key)
        label = "voice_live" if isinstance(agent, VoiceLiveAgent) else "realtime"
        for position, _ in enumerate(_resources(patient, agent) or [""]):
            opened[label, position] += 1
            allowed = opened[label, position] <= SESSIONS_MOST
            yield _check(patient, agent, label, position, allowed=allowed)


def _resources(patient: Patient, agent: Agent) -> tuple[str, ...]:
    """Where the agent's calls are connected: at any of the resources; Foundry's at the first."""
    if isinstance(agent, RealtimeSpeechAgent):
        return patient.worker.realtime_endpoint or ()
    everywhere = patient.worker.voice_live_endpoint or ()
    return everywhere if agent.model is not None else everywhere[:1]


def _check(patient: Patient, agent: Agent, label: str, position: int, *, allowed: bool) -> Check:
    async def examine() -> Verdict:
        if not allowed:
            return NotChecked(_TOO_MANY)
        if isinstance(agent, VoiceLiveAgent):
            return await _voice_live(patient, agent, position)
        return await _realtime(patient, agent, position)

    spoken = isinstance(agent, VoiceLiveAgent)
    key = patient.worker.voice_live_key if spoken else patient.worker.realtime_key
    at = f".{position + 1}" if position else ""
    where = f" at {host_label(_resources(patient, agent)[position])}" if position else ""
    return Check(
        f"{label}.{agent.name}{at}",
        f"{'Voice Live' if spoken else 'Realtime'}: {agent.name} ({_mind(agent)}){where}",
        examine,
        SESSION_S,
        "Check the endpoint, and that this network lets WebSockets out to it.",
        label,
        ("VOICE_LIVE_ENDPOINT", "VOICE_LIVE_API_VERSION") if spoken else ("REALTIME_ENDPOINT",),
        label if key is None else None,
    )


def _mind(agent: Agent) -> str:
    if isinstance(agent, VoiceLiveAgent) and agent.model is None:
        return f"Foundry agent {agent.agent_name} of {agent.project}"
    return f"model {agent.model}"


async def _voice_live(patient: Patient, agent: VoiceLiveAgent, position: int) -> Verdict:
    access = voice_live_access(patient.worker, patient.http, patient.credential, {})
    update = voice_live.session_update(agent, patient.rate, _CALL, _TOOLS)

    def address(endpoint: str) -> str:
        return voice_live.url(endpoint, access.api_version, agent)

    try:
        return await _opened(access, address, position, update)
    except ConnectError as error:
        where = "the resource with Voice Live"
        return _refused(patient, agent, error, VOICE_LIVE_ROLES, where)


async def _realtime(patient: Patient, agent: RealtimeSpeechAgent, position: int) -> Verdict:
    worker = patient.worker
    assert worker.realtime_endpoint is not None, "it was looked for"
    bearer = None
    if worker.realtime_key is None and patient.credential is not None:
        bearer = Tokens(patient.credential, worker.realtime_scope).bearer
    endpoints = Endpoints(worker.realtime_endpoint)
    access = RealtimeAccess(patient.http, endpoints, bearer, worker.realtime_key)
    update = realtime.session_update(agent, _TOOLS)

    def address(endpoint: str) -> str:
        return realtime.url(endpoint, agent.model)

    try:
        return await _opened(access, address, position, update)
    except ConnectError as error:
        return _refused(patient, agent, error, REALTIME_ROLES, "the Azure OpenAI resource")


async def _opened(
    access: Access, address: Callable[[str], str], position: int, update: bytes
) -> Ok:
    """Opens a session with these settings, all of them, and closes it. Raises `ConnectError`."""
    connection: Socket | None = None
    began = _now()
    try:
        connection = await connect(access, address, access.endpoints.urls[position])
        async with opening():
            await settle(connection, update)
    finally:
        await _close(connection)
    return Ok(f"a session took the agent's settings within {_now() - began:.1f} s")


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _close(connection: "Socket | None") -> None:
    if connection is not None:
        with suppress(TimeoutError):
            async with asyncio.timeout(BRIDGE_CLOSE_S):
                await connection.close()
        abort(connection)


def _refused(
    patient: Patient, agent: Agent, error: ConnectError, roles: tuple[str, ...], where: str
) -> Fail:
    code, message = error.failed.code, error.failed.message
    if code.startswith("session_refused"):
        mend = f"Correct that setting of agent {agent.name} in agents.toml (docs/agents.md)."
        return Fail(f"{code}: {message}", mend)
    if code in ("http_401", "http_403"):
        return Fail(code, grant(roles, where, patient.signed_in.client_id))
    if code == "http_404" and isinstance(agent, RealtimeSpeechAgent):
        mend = (
            f"Deploy {agent.model!r} in that resource, or set `model` of agent {agent.name} to the "
            "name of a deployment (az cognitiveservices account deployment list)."
        )
        return Fail(code, mend)
    return Fail(code, f"{message[:1].upper()}{message[1:]}.")
