"""Which voices there are."""

import pytest

from simulator.speech_service_voices import VOICES, takes_streamed_text


@pytest.mark.parametrize(
    "name",
    ["en-US-AvaMultilingualNeural", "de-DE-KatjaNeural", "en-US-Ava:DragonHDLatestNeural"],
)
def test_common_voices_are_known_and_take_streamed_text(name: str) -> None:
    assert name in VOICES
    assert takes_streamed_text(name)


@pytest.mark.parametrize(
    "name", ["en-US-AlloyTurboMultilingualNeural", "en-US-Nova:DragonHDLatestNeural"]
)
def test_voices_of_openai_take_no_streamed_text(name: str) -> None:
    assert name in VOICES
    assert not takes_streamed_text(name)
