"""Who would answer a call, and why: for the owner, in words and as JSON."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

from switchboard import numbers
from switchboard.agents import JSON, Agent, RealtimeSpeechAgent, VoiceLiveAgent, agent_to_json
from switchboard.checks import shown
from switchboard.directory import Directory, Route


@dataclass(frozen=True)
class Explanation:
    """What happens to a call of `caller` to `called`."""

    called: str
    """E.164, or the raw id in lower case."""

    caller: str | None
    """E.164, a raw id, `anonymous`, or None: not asked for."""

    route: Route | None
    why: str
    generation: str

    def lines(self) -> Iterator[str]:
        """For a terminal."""
        if self.route is None:
            yield f"{self.called}: nobody answers."
            yield f"  because   {self.why}"
        else:
            agent = self.route.agent
            yield f"{self.called}: {agent.name} answers."
            yield f"  because   {self.why}"
            yield f"  bridge    {agent.bridge}, {_mind(agent)}"
            yield f"  voice     {_voice(agent)}"
            yield f"  greeting  {_greeting(agent)}"
            yield f"  fallback  {self.route.fallback_number or 'none: an apology, then hang up'}"
        if self.caller is not None:
            yield f"  caller    {_caller(self.caller)}"

    def to_json(self) -> dict[str, JSON]:
        """The same for programs; without a route only `called`, `caller` and `why` say anything."""
        agent = self.route.agent if self.route else None
        return {
            "called": self.called,
            "caller": self.caller,
            "answered": self.route is not None,
            "agent": agent.name if agent else None,
            "bridge": agent.bridge if agent else None,
            "model": agent.model if agent else None,
            **_foundry(agent),
            "voice": agent_to_json(agent)["voice"] if agent else None,
            "greeting": agent.greeting if agent else None,
            "matched": self.route.matched if self.route else None,
            "key": self.route.key if self.route else None,
            "fallback_number": self.route.fallback_number if self.route else None,
            "why": self.why,
            "generation": self.generation,
        }


def explain(directory: Directory, called: str, caller: str | None = None) -> Explanation:
    """Follows a call to `called`, written in any usual way or as a raw id.

    Raises:
        numbers.NumberError: `called` is neither a phone number nor a raw id.
    """
    identity = numbers.identity(called, directory.region)
    route = directory.route(called)
    return Explanation(
        called=identity,
        caller=None if caller is None else _read_caller(caller, directory.region),
        route=route,
        why=_why(directory, identity, route),
        generation=directory.generation,
    )


def _why(directory: Directory, identity: str, route: Route | None) -> str:
    if route is None and not identity.startswith("+"):
        return (
            "it is not under [numbers], and default_agent is for phone numbers only: the call is "
            "left alone."
        )
    if route is None:
        return "it is not under [numbers] and there is no default_agent: the call is rejected."
    match route.matched:
        case "number":
            return "it is listed under [numbers]."
        case "default":
            return "it is not under [numbers], so default_agent answers."
        case _:
            assert_never(route.matched)


def _read_caller(caller: str, region: str | None) -> str:
    if numbers.is_anonymous(caller):
        return "anonymous"
    try:
        return numbers.identity(caller, region)
    except numbers.NumberError:
        return (
            caller.strip()
        )  # networks send all sorts of things; the call is answered all the same


def _caller(caller: str) -> str:
    return "anonymous: the number is withheld" if caller == "anonymous" else shown(caller)[1:-1]


def _foundry(agent: Agent | None) -> dict[str, JSON]:
    names = ("project", "agent_name", "agent_version")
    return {name: getattr(agent, name, None) for name in names}


def _mind(agent: Agent) -> str:
    match agent:
        case VoiceLiveAgent(model=str(model)) | RealtimeSpeechAgent(model=model):
            return f"model {model}"
        case VoiceLiveAgent():
            version = f", version {agent.agent_version}" if agent.agent_version else ""
            return f"Foundry agent {agent.agent_name} of project {agent.project}{version}"
        case _:
            assert_never(agent)


def _voice(agent: Agent) -> str:
    if agent.voice is None:
        return "the service's own choice"
    if isinstance(agent, RealtimeSpeechAgent):
        return f"{agent.voice.name} (Azure Speech)"
    return f"{agent.voice['name']} ({agent.voice['type']})"


def _greeting(agent: Agent) -> str:
    if agent.greeting is None:
        return "none: the agent waits for the caller"
    return shown(agent.greeting, limit=120)
