"""Who may open a Voice Live session, and with which parameters. No I/O.

Voice Live API reference 2026-07-15, "Endpoint" and "Authentication": api-version always; a model,
or an agent's name and project; a key or an Entra token in the header or the query; agents take
tokens only (a model named beside an agent is ignored). Parameters that nobody knows are ignored:
the SDK itself adds `x-ms-client-sdk`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator.identity import TokenRefused, check_token
from simulator.voice_live_switches import API_VERSIONS, MODELS

AUDIENCES = ("https://cognitiveservices.azure.com", "https://ai.azure.com")
"""Of the older scope, which is still taken, and of https://ai.azure.com/.default."""
_PROFILES = frozenset({"byom-azure-openai-realtime", "byom-azure-openai-chat-completion"})


@dataclass(frozen=True)
class ModelMode:
    model: str


@dataclass(frozen=True)
class AgentMode:
    agent: str
    project: str
    version: str | None
    conversation: str | None


Mode = ModelMode | AgentMode


@dataclass(frozen=True)
class Refused:
    """An HTTP answer in place of the upgrade; `code` is the status unless the service names one."""

    status: int
    message: str
    code: str = ""


def admit(
    query: Mapping[str, str],
    headers: Mapping[str, str],
    *,
    key: str,
    now: float,
    token_key: Any = None,
) -> Mode | Refused:
    """What the request opens, or why not. `now` is wall time; `headers` finds in any case.

    `token_key` is the public key of the tokens' issuer; None leaves their signature unchecked.
    """
    version = query.get("api-version")
    if version not in API_VERSIONS:
        return Refused(400, f"api-version {version!r} is missing or unknown")
    mode = _mode(query)
    if isinstance(mode, Refused):
        return mode
    authorization = headers.get("Authorization") or query.get("Authorization")
    if authorization:
        fault = token_fault(authorization, token_key, now)
        return Refused(401, f"Access denied: {fault}") if fault else mode
    given = headers.get("api-key") or query.get("api-key")
    if not given:
        return Refused(401, "Access denied: neither a key nor a token")
    if isinstance(mode, AgentMode):
        return Refused(401, "Access denied: agents need an Entra token, not a key")
    if given != key:
        return Refused(401, "Access denied: wrong key")
    return mode


def _mode(query: Mapping[str, str]) -> Mode | Refused:
    model, agent = query.get("model"), query.get("agent-name")
    project = query.get("agent-project-name")
    if model and not agent and not project:
        profile = query.get("profile")
        if profile is not None and profile not in _PROFILES:
            return Refused(400, f"profile {profile!r} is unknown")
        if profile is None and model not in MODELS:
            return Refused(400, f"model {model!r} is not supported")
        return ModelMode(model)
    if not agent and not project:
        return Refused(400, "neither model nor agent-name")
    if not agent or not project:
        return Refused(400, "agent-name and agent-project-name go together")
    return AgentMode(agent, project, query.get("agent-version"), query.get("conversation-id"))


def token_fault(authorization: str, key: Any, now: float) -> str | None:
    """What is wrong with an Authorization header at wall time `now`; None: nothing.

    `key` is the public key of the tokens' issuer; None leaves their signature unchecked.
    """
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        return "not a bearer token"
    fault = None
    for audience in AUDIENCES:
        try:
            check_token(token, audience=audience, now=now, key=key)
        except TokenRefused as refused:
            fault = str(refused)
        else:
            return None
    return fault
