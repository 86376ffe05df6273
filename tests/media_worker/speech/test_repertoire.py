"""Phrases that are rendered before anybody calls: the native SDK before the simulated Speech."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from media_worker.speech import clips as kept
from media_worker.speech import repertoire
from media_worker.speech.clips import Clips, Phrase
from media_worker.speech.repertoire import Repertoire, log_news, phrases
from simulator.speech_service import Speech
from simulator.speech_service_switches import SpeechSwitches
from switchboard import limits
from switchboard.directory import parse_directory
from switchboard.live_directory import LiveDirectory, News
from switchboard.speech_voice import SpeechVoice
from tests.media_worker.speech_stage import pooled, real

ONE, OTHER = SpeechVoice("en-US-AvaMultilingualNeural"), SpeechVoice("en-US-AndrewNeural")
AGENTS = """
default_agent = "one"

[agents.one]
bridge = "realtime_speech"
voice = "en-US-AvaMultilingualNeural"
greeting = "Hello, one."
waiting = ["Moment.", "Still here."]
goodbye = "Bye."
apology = "Sorry."
silence = { prompts = ["Hello?"], goodbye = "I hear nothing." }

[agents.other]
bridge = "realtime_speech"
voice = "en-US-AndrewNeural"
greeting = "Hello, other."
waiting = []
goodbye = "Bye."
apology = "Sorry."
silence = { prompts = [] }

[agents.elsewhere]
bridge = "voice_live"
model = "gpt-realtime"
greeting = "Not ours."
"""
SAID = [
    (ONE, "Hello, one."),
    (OTHER, "Hello, other."),
    (ONE, "Moment."),
    (ONE, "Still here."),
    (ONE, "Hello?"),
    (ONE, "I hear nothing."),
    (ONE, "Bye."),
    (OTHER, "Bye."),
    (ONE, "Sorry."),
    (OTHER, "Sorry."),
]


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The waits between looks and tries, shortened: the SDK knows no virtual time."""
    monkeypatch.setattr(repertoire, "DIRECTORY_POLL_S", 0.05)
    monkeypatch.setattr(repertoire, "RENDER_AGAIN_S", 0.2)
    monkeypatch.setattr(limits, "DIRECTORY_LOOK_EVERY_S", 0.05)


@dataclass
class Stage:
    file: Path
    clips: Clips
    speech: Speech

    def holds(self, text: str, voice: SpeechVoice = ONE, rate: int = 24000) -> bool:
        return self.clips.holds(Phrase(voice, rate, text))

    def spoken(self) -> list[str]:
        return [utterance.text.strip() for utterance in self.speech.utterances]


@asynccontextmanager
async def stage(tmp_path: Path, switches: SpeechSwitches | None = None) -> AsyncIterator[Stage]:
    file = tmp_path / "agents.toml"
    file.write_text(AGENTS)
    clips = Clips()
    async with pooled(switches) as (pool, speech), asyncio.TaskGroup() as group:
        live = LiveDirectory(file, None, asyncio.get_running_loop().time, log_news)
        running = group.create_task(Repertoire(live, pool, clips).run())
        yield Stage(file, clips, speech)
        running.cancel()


async def until(met: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not met():
            await asyncio.sleep(0.02)


def events(caplog: pytest.LogCaptureFixture) -> list[tuple[str, int | None]]:
    """What was logged of clips, and of how many."""
    return [
        (record.message, getattr(record, "fields", {}).get("clips"))
        for record in caplog.records
        if record.name == "media_worker" and record.message.startswith("clips_")
    ]


def test_all_fixed_words_of_agents_with_azure_voices_are_wanted_greetings_first() -> None:
    directory = parse_directory(AGENTS, source="agents.toml")
    assert list(phrases(directory, frozenset({24000}))) == [
        Phrase(voice, 24000, text) for voice, text in SAID
    ]
    both = list(phrases(directory, frozenset({16000, 24000})))
    assert both[:2] == [Phrase(ONE, 16000, "Hello, one."), Phrase(ONE, 24000, "Hello, one.")]
    assert len(both) == 2 * len(SAID)


def test_everything_is_rendered_once_and_then_it_is_said_so_and_no_synthesizer_is_left(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with stage(tmp_path) as s:
            await until(lambda: bool(events(caplog)))
            assert all(s.holds(text, voice) for voice, text in SAID)
            assert len(s.spoken()) == len(SAID)
            await asyncio.sleep(0.3)
            assert len(s.spoken()) == len(SAID)
            await until(lambda: all(c.close_code is not None for c in s.speech.connections))

    with caplog.at_level(logging.INFO, "media_worker"):
        real(scenario)
    assert events(caplog) == [("clips_ready", len(SAID))]
    assert "Hello" not in caplog.text


def test_an_owners_edit_is_rendered_and_what_stays_is_not_rendered_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with stage(tmp_path) as s:
            await until(lambda: s.holds("Sorry.", OTHER))
            s.file.write_text(AGENTS.replace("Hello, one.", "Welcome."))
            await until(lambda: s.holds("Welcome."))
            assert len(s.spoken()) == len(SAID) + 1

    real(scenario)


def test_what_is_wrong_with_the_directory_is_logged_by_its_line_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, "media_worker"):
        log_news(News("directory_refused", "published", "0123456789ab", 3, "fault", 7))
        log_news(News("directory_refused", "file", None, 0, "FileNotFoundError"))
    wrong, absent = caplog.records
    assert wrong.levelname == "WARNING"
    assert vars(wrong)["fields"] == {
        "source": "published",
        "agents": 3,
        "generation": "0123456789ab",
        "error": "fault",
        "line": 7,
    }
    assert absent.levelname == "INFO", "a worker need not have a directory"


def test_an_edit_in_the_midst_of_it_comes_first(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with stage(tmp_path, SpeechSwitches(first_byte_s=0.2)) as s:
            await until(lambda: s.holds("Hello, one."))
            s.file.write_text(AGENTS.replace("Hello, one.", "Welcome."))
            await until(lambda: s.holds("Welcome."))
            assert not s.holds("Sorry.", OTHER)

    real(scenario)


def test_a_call_at_another_rate_has_everything_rendered_at_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with stage(tmp_path) as s:
            s.clips.get(ONE, 16000, "Hello, one.")
            await until(lambda: s.holds("Sorry.", OTHER, 16000))

    real(scenario)


def test_while_speech_is_out_it_is_tried_again_less_and_less_often(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        switches = SpeechSwitches(refuse_status=503)
        async with stage(tmp_path, switches) as s:
            await until(lambda: len(events(caplog)) >= 2)
            assert len(s.speech.refusals) <= 3 * 2 * 3, "each time once for each voice"
            switches.refuse_status = None
            await until(lambda: s.holds("Sorry.", OTHER))
            await until(lambda: events(caplog)[-1] == ("clips_ready", len(SAID)))

    with caplog.at_level(logging.INFO, "media_worker"):
        real(scenario)
    assert events(caplog)[:2] == [("clips_missing", len(SAID))] * 2


def test_a_voice_that_cannot_be_had_does_not_keep_the_others_waiting(tmp_path: Path) -> None:
    async def scenario() -> None:
        broken = SpeechSwitches(only_voices=(ONE.name,), close_before_audio=1007)
        async with stage(tmp_path, broken) as s:
            await until(lambda: s.holds("Sorry.", OTHER))
            assert not s.holds("Hello, one.")

    real(scenario)


def test_what_does_not_fit_into_memory_is_not_rendered_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(kept, "CLIPS_KEPT_BYTES", 150_000)

    async def scenario() -> None:
        async with stage(tmp_path) as s:
            await until(lambda: bool(events(caplog)))
            assert s.holds("Hello, one.")
            assert not s.holds("Sorry.", OTHER)
            spoken = len(s.spoken())
            await asyncio.sleep(0.5)
            assert len(s.spoken()) == spoken

    with caplog.at_level(logging.INFO, "media_worker"):
        real(scenario)
    ((event, missing),) = events(caplog)
    assert event == "clips_full"
    assert missing


def test_without_a_directory_nothing_is_rendered_until_there_is_one(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with stage(tmp_path) as s:
            s.file.unlink()
            await asyncio.sleep(0.3)
            assert s.spoken() == []
            s.file.write_text(AGENTS)
            await until(lambda: s.holds("Hello, one."))

    real(scenario)
