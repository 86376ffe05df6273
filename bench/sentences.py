"""What many voice agents do: they speak a sentence when all of it has been written.

It gives each sentence to the same speaker the moment that its last sign is there, so nothing but
the waiting differs from the product.
"""

import re
from collections.abc import Callable, Collection
from typing import Any

from media_worker.speech.clips import Clips
from media_worker.speech.seams import Listener
from media_worker.speech.speaking import Speaker
from media_worker.speech.synthesizers import Synthesizers
from switchboard.agents import RealtimeSpeechAgent

_ENDS = re.compile(r"[.!?]")


class SentenceSpeaker(Speaker):
    """See `Speaker`."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._begun: dict[str, str] = {}

    def write(self, turn: str, text: str) -> None:
        written = self._begun.get(turn, "") + text
        end = max((sign.end() for sign in _ENDS.finditer(written)), default=0)
        self._begun[turn] = written[end:]
        if end:
            super().write(turn, written[:end])

    def end(self, turn: str) -> None:
        if rest := self._begun.pop(turn, ""):
            super().write(turn, rest)
        super().end(turn)

    def cancel(self, turn: str) -> None:
        self._begun.pop(turn, None)
        super().cancel(turn)


def speakers(names: Collection[str]) -> Callable[..., Speaker]:
    """Makes the speakers of calls: of the agents with these names, those that wait."""

    def speaker(
        agent: RealtimeSpeechAgent, rate: int, pool: Synthesizers, clips: Clips, told: Listener
    ) -> Speaker:
        kind = SentenceSpeaker if agent.name in names else Speaker
        return kind(agent, rate, pool, clips, told)

    return speaker
