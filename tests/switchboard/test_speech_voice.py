from dataclasses import replace
from typing import Any

import pytest

from switchboard.speech_voice import SpeechVoice


@pytest.mark.parametrize("shaped", ["style", "rate", "pitch", "volume", "lexicon_url"])
def test_a_voice_that_only_ssml_can_shape_says_so(shaped: str) -> None:
    change: dict[str, Any] = {shaped: "x"}
    assert replace(SpeechVoice("en-US-AvaNeural"), **change).needs_ssml


def test_a_plain_or_custom_voice_can_speak_from_a_text_stream() -> None:
    assert not SpeechVoice("en-US-AvaNeural", locale="en-US").needs_ssml
    assert not SpeechVoice("Ours", endpoint_id="0f3c7c5b-8f2e-4d67-8a38-6e7d5c1b2a90").needs_ssml
