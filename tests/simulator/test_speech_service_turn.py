"""When a turn's messages come, and the faults that switches make."""

import asyncio
import math
from typing import Any

import pytest

from simulator.script_toml import utterance_of_wav
from simulator.speech_service import RECORDINGS, Speech
from simulator.speech_service_switches import SpeechSwitches
from tests.simulator.speech_socket import Heard, Socket, connected
from tests.virtual_time import run

BREAD = utterance_of_wav(RECORDINGS / "bakery_bread.wav")
LONG_MS = 9_000
PATIENT_S = 30.0


async def _waited(socket: Socket, request_id: str) -> Heard:
    try:
        async with asyncio.timeout(PATIENT_S):
            return await socket.until_end(request_id)
    except TimeoutError:
        return socket.heard[request_id]


def _one_turn(switches: SpeechSwitches, **more: Any) -> tuple[Heard, Speech, int | None, float]:
    """A recorded text as SSML: what came of it, the close code, the seconds it took."""

    async def body() -> tuple[Heard, Speech, int | None, float]:
        async with Speech(switches, **more) as service, connected(service) as socket:
            began = asyncio.get_running_loop().time()
            await socket.speak("a", BREAD.text)
            heard = await _waited(socket, "a")
            return heard, service, socket.close_code, asyncio.get_running_loop().time() - began

    return run(body())


def test_audio_comes_some_times_faster_than_it_plays_in_small_messages() -> None:
    heard, service, _, took_s = _one_turn(SpeechSwitches(speed=4.0, chunk_ms=50))
    assert heard.audio == BREAD.pcm(24000) == service.utterances[0].audio
    assert took_s == pytest.approx(len(heard.audio) / 48_000 / 4, abs=0.1)
    assert heard.paths.count("audio") == math.ceil(len(heard.audio) / 2400) + 1


def test_without_a_speed_limit_no_time_passes() -> None:
    heard, _, _, took_s = _one_turn(SpeechSwitches(speed=math.inf))
    assert heard.audio == BREAD.pcm(24000)
    assert took_s == 0


def test_the_first_byte_can_be_late() -> None:
    _, service, _, _ = _one_turn(SpeechSwitches(first_byte_s=1.5))
    (spoken,) = service.utterances
    assert spoken.first_audio_at is not None
    assert spoken.first_audio_at - spoken.began_at == pytest.approx(1.5)


def test_words_are_told_before_their_sound_or_at_the_end_or_never() -> None:
    before, service, _, _ = _one_turn(SpeechSwitches())
    assert before.paths[2:4] == ["audio.metadata", "audio"]
    assert before.words == [b.text for b in service.utterances[0].boundaries]
    after, _, _, _ = _one_turn(SpeechSwitches(boundaries="after_audio"))
    assert after.paths[2:4] == ["audio", "audio"]
    assert after.words == before.words
    never, service, _, _ = _one_turn(SpeechSwitches(boundaries="never"))
    assert never.words == []
    assert [b.text for b in service.utterances[0].boundaries] == before.words


def test_of_a_turn_that_was_cut_only_the_words_that_were_sent_are_known() -> None:
    _, service, _, _ = _one_turn(SpeechSwitches(stall_after_ms=1000))
    (spoken,) = service.utterances
    assert spoken.audio_ms == 1000
    assert [b.text for b in spoken.boundaries] == ["Today", "we", "have", "rye"]


def test_the_end_of_audio_need_not_be_told() -> None:
    heard, _, _, _ = _one_turn(SpeechSwitches(empty_audio=False))
    assert heard.paths[-2:] == ["audio.metadata", "turn.end"]


@pytest.mark.parametrize("code", [1000, 1007, 1011, 4429])
def test_the_socket_can_be_closed_before_audio(code: int) -> None:
    heard, _, closed, _ = _one_turn(SpeechSwitches(close_before_audio=code))
    assert (heard.paths, closed) == ([], code)


def test_the_socket_can_be_closed_in_the_middle() -> None:
    heard, service, closed, _ = _one_turn(SpeechSwitches(close_after_ms=2000, close_code=1011))
    assert (len(heard.audio), closed) == (96_000, 1011)
    assert service.utterances[0].outcome == "lost"


def test_a_turn_can_stay_without_audio_for_ever() -> None:
    heard, service, _, took_s = _one_turn(SpeechSwitches(no_audio=True))
    assert heard.paths == ["turn.start", "response"]
    assert took_s == pytest.approx(PATIENT_S)
    assert service.utterances[0].outcome == "lost"  # once its client had gone


def test_a_turn_can_go_on_for_ever_or_just_not_end() -> None:
    heard, _, _, took_s = _one_turn(SpeechSwitches(endless="audio", speed=4.0))
    assert took_s == pytest.approx(PATIENT_S)
    assert len(heard.audio) / 48_000 == pytest.approx(PATIENT_S * 4, rel=0.05)
    heard, _, _, _ = _one_turn(SpeechSwitches(endless="silent"))
    assert heard.audio == BREAD.pcm(24000)
    assert not heard.ended


def test_no_turn_is_longer_than_ten_minutes() -> None:
    switches = SpeechSwitches(endless="audio", speed=math.inf, chunk_ms=1000)
    heard, _, _, _ = _one_turn(switches, keep_audio=False)
    assert len(heard.audio) == 600 * 48_000


def test_a_word_that_arrives_in_pieces_waits_for_its_end_but_not_for_ever() -> None:
    async def body() -> None:
        async with Speech() as service, connected(service) as socket:
            await socket.stream("a", "Wal", end=False)
            await asyncio.sleep(0.05)
            await socket.send("text.piece", "a", "nut")
            await socket.until_audio("a")
            (spoken,) = service.utterances
            assert [b.text for b in spoken.boundaries] == ["Walnut"]
            assert spoken.first_audio_at is not None
            assert spoken.first_audio_at - spoken.began_at == pytest.approx(0.15)
            assert not spoken.text_ended
            await socket.send("text.piece", "a", " bread.")
            await socket.send("text.end", "a", "")
            heard = await socket.until_end("a")
            assert heard.words == ["Walnut", "bread", "."]

    run(body())


def test_a_turn_without_any_text_ends_without_audio() -> None:
    async def body() -> None:
        async with Speech() as service, connected(service) as socket:
            await socket.stream("a")
            heard = await socket.until_end("a")
            assert (heard.audio, heard.ended) == (b"", True)
            assert service.utterances[0].outcome == "complete"

    run(body())
