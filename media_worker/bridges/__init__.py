"""What a bridge is: the agent's side of a call, whatever service speaks for the agent.

A bridge connects when `events()` is first read, and again by itself when the service drops the
conversation. Until it is connected it keeps the newest seconds of caller audio. Everything it
reports is one of a closed union; the last event of a bridge that gave up is `Failed`.

Audio travels as base64 text (bytes without quotes) of 16-bit little-endian mono PCM at the rate
that the bridge was opened with, so that a bridge whose wire is base64 too only wraps it anew.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from switchboard.agents import Agent

TurnStatus = Literal["completed", "cancelled", "incomplete", "failed"]


@dataclass(frozen=True, slots=True)
class Ready:
    """The service listens. Sent once per connection, before anything else of that connection."""

    expires_in_s: float | None
    """Until the service ends this conversation; None: it did not say."""

    resumed: bool
    """Not the call's first connection, here or at another worker, or the bridge greets by itself:
    the service was told what had been said before, and greets nobody."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The caller began to speak (or a sensor believes so)."""

    utterance: str
    """The id that `CallerSaid` will name; empty: a sensor of ours, which knows of no words."""

    ago_ms: float
    """How long before now, by the audio; 0 when the service did not say."""


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The caller stopped speaking."""

    utterance: str
    ago_ms: float
    """How long before now the last word ended, by the audio; 0 when the service did not say."""


@dataclass(frozen=True, slots=True)
class AgentTurnStarted:
    """The agent began to work on a turn; no audio yet. `turn` is the service's response id."""

    turn: str


@dataclass(frozen=True, slots=True)
class AgentAudio:
    """Agent audio of whole samples, usually much longer than a frame and ahead of real time."""

    turn: str
    audio: bytes


@dataclass(frozen=True, slots=True)
class AgentTurnEnded:
    """The service is done with the turn: no more audio of it comes (what does is late)."""

    turn: str
    status: TurnStatus
    usage: Mapping[str, int]
    """Token counts of the turn, as the service names them; may be empty."""


@dataclass(frozen=True, slots=True)
class CallerSaid:
    """The words of one caller utterance. Comes late, often after the agent began to answer."""

    utterance: str
    text: str


@dataclass(frozen=True, slots=True)
class AgentSaid:
    """More words of the agent's turn, in order, about as far as its audio has come."""

    turn: str
    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The agent asks for a function; answer with `Bridge.answer`."""

    turn: str
    call: str
    name: str
    arguments: str
    """JSON text as the model wrote it: not validated."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something for the log that changes nothing: an error that only concerns one request, a
    warning, something that is no event of the service, a dropped connection."""

    kind: Literal["error", "warning", "malformed", "dropped"]
    code: str
    """The service's code; never free text, never words."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The last event: the service cannot be reached, refuses, or failed beyond repair."""

    code: str
    """For the log: `http_401`, `connect_timeout`, `session_refused:…`, `closed:1011`, …"""

    message: str
    """What to do about it, for whoever runs the deployment. Holds no secret and no words."""


BridgeEvent: TypeAlias = (
    Ready
    | SpeechStarted
    | SpeechStopped
    | AgentTurnStarted
    | AgentAudio
    | AgentTurnEnded
    | CallerSaid
    | AgentSaid
    | ToolCall
    | Notice
    | Failed
)


class Bridge(Protocol):
    """The agent's side of one call. Nothing here raises because the service is gone: a call that
    cannot be carried out is dropped, and `events()` tells what happened."""

    async def send_audio(self, audio: bytes) -> None:
        """Caller audio, base64 text, usually 20 ms. Kept (newest 5 s) while not connected."""

    async def interrupt(self, turn: str, heard_ms: int) -> str | None:
        """Stops `turn` and makes the service's memory of it what the caller heard of it. The words
        heard, where the bridge knows when each was spoken; else None."""

    async def cancel(self, turn: str) -> None:
        """Stops the making of `turn`; what was already made stays part of the conversation."""

    async def say(self, text: str) -> None:
        """Has the agent speak exactly these words as a turn of its own, when it may."""

    async def prompt(self, text: str, *, speaker: Literal["caller", "system"]) -> None:
        """Adds a text to the conversation (digits the caller keyed; an instruction) and has the
        agent react to it."""

    async def answer(self, call: str, output: str, *, react: bool) -> None:
        """The result of a `ToolCall`; `react`: the agent goes on speaking with it."""

    async def renew(self) -> None:
        """Connects anew, with what was said so far; for a pause before the service's time limit."""

    def apology(self) -> bytes | None:
        """The agent's apology in its own voice, base64 audio, where it is at hand without any
        service; None: it is not."""

    def events(self) -> AsyncGenerator[BridgeEvent, None]:
        """Connects and reports; ends after `Failed`. Read by exactly one task, once."""
        ...


OpenBridge: TypeAlias = Callable[[Agent, int], AbstractAsyncContextManager[Bridge]]
"""Opens the bridge that an agent asks for, at this rate (24000 or 16000); leaving the context
closes its connection. Nothing connects before `events()` is read."""
