"""Scripts of callers and agents as data: who says what, and when. `script_toml` reads them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from simulator.audio import Clip, placeholder

CALLER = "+14255550123"
"""Who calls, where nobody says: a fictitious number, of the block reserved for such."""
STEP_LIMIT_S = 20.0
"""How long a caller waits for what a step waits for, unless the script says otherwise."""


class ScriptError(ValueError):
    """A script that cannot be followed: says where it is wrong and how to mend it."""


@dataclass(frozen=True)
class Utterance:
    """Words, and their sound where there is a recording."""

    text: str
    clip: Clip | None = None

    def pcm(self, rate: int) -> bytes:
        """The sound at `rate` hertz: the clip, or a murmur as long as the words take."""
        return self.clip.at(rate) if self.clip else placeholder(self.text, rate).pcm


@dataclass(frozen=True)
class AfterAgent:
    """Once the agent has spoken and has then been silent for `pause_ms`."""

    pause_ms: float = 700.0


@dataclass(frozen=True)
class AtTime:
    """`at_ms` after the media began."""

    at_ms: float


@dataclass(frozen=True)
class AfterWait:
    """`wait_ms` after the step before has ended."""

    wait_ms: float


@dataclass(frozen=True)
class DuringAgent:
    """Over the agent's speech, when it has been heard for `after_ms` in this turn."""

    after_ms: float


When: TypeAlias = AfterAgent | AtTime | AfterWait | DuringAgent


@dataclass(frozen=True)
class Say:
    utterance: Utterance


@dataclass(frozen=True)
class Press:
    digits: str
    """Of 0-9, A-D, `*` and `#`."""


@dataclass(frozen=True)
class HangUp:
    """The caller puts the phone down."""


@dataclass(frozen=True)
class Listen:
    """Does nothing: waits for its time."""


@dataclass(frozen=True)
class Stay:
    """Stays silent on the line until the other side hangs up."""


Act: TypeAlias = Say | Press | HangUp | Listen | Stay


@dataclass(frozen=True)
class Step:
    act: Act
    when: When = AfterAgent()
    limit_s: float = STEP_LIMIT_S


@dataclass(frozen=True)
class Expect:
    """What must be true at the end for the call to have gone as scripted."""

    answered: bool = True
    greeted: bool = True
    """The agent was heard before the caller said anything."""
    ended_by: Literal["caller", "agent", "any"] = "any"
    interruptions: int | None = None
    """How often the agent fell silent because the caller spoke over it."""


@dataclass(frozen=True)
class CallerScript:
    steps: tuple[Step, ...]
    expect: Expect = Expect()
    number: str | None = None


@dataclass(frozen=True)
class ToolCall:
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Reply:
    """What an agent answers; `to` None answers anything, `caller` is what it says it heard.

    `after` names a tool: the reply answers what this tool brought. `delay_ms` counts from the
    creation of the response (the silence that ends the caller's turn comes before it).
    """

    utterance: Utterance
    to: str | None = None
    caller: str | None = None
    after: str | None = None
    delay_ms: float = 250.0
    calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True)
class AgentScript:
    """One agent's part. At most one of `model`, `agent`, `deployment` is set; none fits any."""

    replies: tuple[Reply, ...]
    lines: Mapping[str, Utterance]
    """Texts the product asks to have spoken word by word (greeting, farewell), with their sound."""
    model: str | None = None
    agent: str | None = None
    deployment: str | None = None

    def line(self, text: str) -> Utterance:
        """`text` with its sound, if it has a clip."""
        return self.lines.get(text, Utterance(text))


def clips(scripts: Sequence[AgentScript]) -> list[Utterance]:
    """All that these agents say with a sound of their own."""
    said = [
        utterance
        for script in scripts
        for utterance in (*(reply.utterance for reply in script.replies), *script.lines.values())
    ]
    return [utterance for utterance in said if utterance.clip]


def choose_agent(
    scripts: Sequence[AgentScript],
    *,
    model: str | None = None,
    agent: str | None = None,
    deployment: str | None = None,
) -> AgentScript | None:
    """The first script that names this model, agent or deployment; else the first that fits any."""
    for script in scripts:
        wanted = (script.model, script.agent, script.deployment)
        if any(wanted) and all(
            want is None or want == has
            for want, has in zip(wanted, (model, agent, deployment), strict=True)
        ):
            return script
    return next((s for s in scripts if not (s.model or s.agent or s.deployment)), None)
