import asyncio
import base64
from typing import Any

import pytest

from simulator.script import ToolCall, Utterance
from simulator.voice_live_conversation import Conversation
from simulator.voice_live_door import Mode, ModelMode
from simulator.voice_live_fields import new_session
from simulator.voice_live_replies import Answer
from simulator.voice_live_response import Response, chunks, timed
from simulator.voice_live_switches import VoiceLiveSwitches
from tests.virtual_time import run

WORDS = Utterance("one two three four five six seven eight nine ten")


class Paper:
    """An outlet that writes down what is sent, with its loop time."""

    def __init__(self) -> None:
        self.switches = VoiceLiveSwitches()
        self.conversation = Conversation()
        self.config: dict[str, Any] = new_session("gpt-realtime")
        self.mode: Mode = ModelMode("gpt-realtime")
        self.sent: list[tuple[float, str, dict[str, Any]]] = []

    async def send(self, kind: str, **fields: Any) -> None:
        self.sent.append((asyncio.get_running_loop().time(), kind, fields))

    async def close(self, code: int) -> None: ...

    def kinds(self) -> list[str]:
        return [kind for _, kind, _ in self.sent]


def test_the_first_sound_comes_after_the_delay_of_the_reply_and_of_the_model() -> None:
    async def scenario() -> None:
        paper = Paper()
        paper.switches.first_token_s = 1.0
        await Response(Answer(WORDS, delay_ms=300), 24000).run(paper)
        first = next(at for at, kind, _ in paper.sent if kind == "response.audio.delta")
        assert first == pytest.approx(1.3)

    run(scenario())


def test_the_transcript_never_lags_behind_the_audio() -> None:
    async def scenario() -> None:
        paper = Paper()
        response = Response(Answer(WORDS), 16000)
        await response.run(paper)
        times = timed(WORDS.text, len(WORDS.pcm(16000)) / 32)
        heard_ms, words = 0.0, 0
        for _, kind, fields in paper.sent:
            words += kind == "response.audio_transcript.delta"
            if kind == "response.audio.delta":
                heard_ms += len(base64.b64decode(fields["delta"])) / 32
                assert words == sum(word.start_ms < heard_ms for word in times)
        assert words == 10
        assert bytes(response.audio) == WORDS.pcm(16000)

    run(scenario())


def test_a_response_cancelled_before_its_first_word_has_no_output() -> None:
    async def scenario() -> None:
        paper = Paper()
        response = Response(Answer(WORDS, delay_ms=1000), 24000)
        async with asyncio.TaskGroup() as group:
            group.create_task(response.run(paper))
            await asyncio.sleep(0.5)
            await response.cancel("turn_detected")
            assert asyncio.get_running_loop().time() == pytest.approx(0.5)
        assert paper.kinds() == ["response.created", "rate_limits.updated", "response.done"]
        assert response.wire()["output"] == []
        assert paper.conversation.items == []

    run(scenario())


def test_a_cancelled_response_calls_no_tool() -> None:
    async def scenario() -> None:
        paper = Paper()
        response = Response(Answer(WORDS, calls=(ToolCall("end_call", {}),)), 24000)
        async with asyncio.TaskGroup() as group:
            group.create_task(response.run(paper))
            await asyncio.sleep(0.4)
            await response.cancel("turn_detected")
        assert response.calls == []
        assert 0 < len(response.audio) < len(WORDS.pcm(24000))

    run(scenario())


def test_a_response_outside_the_conversation_leaves_no_item() -> None:
    async def scenario() -> None:
        paper = Paper()
        await Response(Answer(WORDS), 24000, in_conversation=False).run(paper)
        assert paper.conversation.items == []
        assert "response.audio.delta" in paper.kinds()

    run(scenario())


@pytest.mark.parametrize("rate", [8000, 16000, 24000])
def test_chunks_add_up_and_last_as_long_at_every_rate(rate: int) -> None:
    pcm = WORDS.pcm(rate)
    cut = list(chunks(pcm, rate, (4800, 7200, 12000)))
    assert b"".join(cut) == pcm
    assert [round(len(chunk) / 2 / rate * 1000) for chunk in cut[:4]] == [100, 150, 250, 250]


def test_words_fill_the_time_in_the_share_of_their_letters() -> None:
    words = timed("a long word", 1200)
    assert [round(word.end_ms) for word in words] == [200, 700, 1200]
    assert words[1].start_ms == words[0].end_ms
