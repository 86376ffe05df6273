"""What the simulated agent answers: by its script, or plainly if there is none. No I/O.

A scripted agent is obedient: told by an instruction or a system item to say something between
quotation marks, it says that.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulator.script import AgentScript, Reply, ToolCall, Utterance
from simulator.voice_live_conversation import Conversation, Item

PLAIN_DELAY_MS = 250.0
"""From the creation of a response to its first sound, where no script says otherwise."""
_QUOTED = re.compile(r"[\"“]([^\"”]+)[\"”]")


@dataclass(frozen=True)
class Answer:
    """One response: words (none: only calls), then calls of tools."""

    utterance: Utterance
    delay_ms: float = PLAIN_DELAY_MS
    calls: tuple[ToolCall, ...] = ()


class Replies:
    """Works through one session's script; each reply is given once, in order, if it fits.

    A reply that names words (`to`) goes before one that answers anything, and may be given again.
    """

    def __init__(self, script: AgentScript | None, clips: Mapping[str, Utterance]) -> None:
        self._script = script or AgentScript((), {})
        self._clips = clips
        self._given: set[int] = set()

    def heard(self, words: str | None) -> str | None:
        """The caller's words: those recognised, else what the script says it would have heard."""
        if words is not None:
            return words
        return next(
            (r.caller for i, r in self._open() if r.caller is not None and r.after is None), None
        )

    def answer(
        self,
        conversation: Conversation,
        request: Mapping[str, Any],
        tools: Sequence[Mapping[str, Any]],
        said: str | None,
    ) -> Answer:
        """The answer to the conversation so far. `said`: the caller's words, if they spoke."""
        told = request.get("pre_generated_assistant_message")
        if told is not None:
            return Answer(self._spoken(str(told["content"][0]["text"])), 0.0)
        last = conversation.items[-1] if conversation.items else None
        order = str(request.get("instructions") or "")
        if last is not None and last.kind == "system":
            order = order or last.text
        if quoted := _QUOTED.search(order):
            return Answer(self._spoken(quoted[1]))
        words, after = said, None
        if last is not None and last.kind == "function_call_output":
            words, after = last.text, _tool_of(last, conversation)
        elif words is None and last is not None and last.kind == "user":
            words = last.text
        names = {str(tool.get("name")) for tool in tools}
        reply = self._choose(words or "", after)
        return self._scripted(reply, names) if reply else self._plain(words, after, names)

    def _choose(self, words: str, after: str | None) -> Reply | None:
        fitting = [
            (index, reply)
            for index, reply in enumerate(self._script.replies)
            if reply.after == after and (reply.to is None or reply.to.lower() in words.lower())
        ]
        named = [(index, reply) for index, reply in fitting if reply.to is not None]
        fresh = [pair for pair in named if pair[0] not in self._given] or named
        fresh = fresh or [pair for pair in fitting if pair[0] not in self._given]
        if not fresh:
            return None
        self._given.add(fresh[0][0])
        return fresh[0][1]

    def _open(self) -> list[tuple[int, Reply]]:
        pairs = enumerate(self._script.replies)
        return [(index, reply) for index, reply in pairs if index not in self._given]

    def _scripted(self, reply: Reply, tools: set[str]) -> Answer:
        utterance = reply.utterance if reply.utterance.clip else self._spoken(reply.utterance.text)
        calls = tuple(call for call in reply.calls if call.name in tools)
        return Answer(utterance, reply.delay_ms, calls)

    def _plain(self, words: str | None, after: str | None, tools: set[str]) -> Answer:
        if after is not None:
            return Answer(Utterance("" if after == "end_call" else f"The answer is: {words}"))
        if words and "goodbye" in words.lower():
            leave = (ToolCall("end_call", {}),) if "end_call" in tools else ()
            return Answer(self._spoken("Thank you for calling. Goodbye."), calls=leave)
        return Answer(self._spoken(f"You said: {words}" if words else "I did not catch that."))

    def _spoken(self, text: str) -> Utterance:
        """`text` with its sound, if the script or the recordings have it."""
        line = self._script.line(text)
        return line if line.clip else self._clips.get(plain(text), line)


def plain(text: str) -> str:
    """Words alone, to find a recording however it is punctuated."""
    return " ".join(re.findall(r"[\w']+", text.lower()))


def _tool_of(output: Item, conversation: Conversation) -> str | None:
    call_id = output.wire["call_id"]
    return next(
        (
            str(item.wire["name"])
            for item in conversation
            if item.wire["type"] == "function_call" and item.wire["call_id"] == call_id
        ),
        None,
    )
