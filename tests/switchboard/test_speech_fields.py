from typing import Any

import pytest

from switchboard.checks import check
from switchboard.speech_fields import REALTIME_SPEECH


def _faults(**agent: Any) -> list[tuple[tuple[str | int, ...], str, str]]:
    table = {"bridge": "realtime_speech", "voice": "en-US-AvaNeural", **agent}
    return [(fault.path, fault.message, fault.mend) for fault in check(REALTIME_SPEECH, table)]


def test_a_custom_voice_without_its_deployment_is_told_what_it_needs() -> None:
    ((path, message, mend),) = _faults(voice={"name": "OurVoice"})
    assert path == ("voice", "name")
    assert message == "this is no name of an Azure voice"
    assert mend.endswith("A custom voice needs endpoint_id.")


@pytest.mark.parametrize("key", ["style", "rate", "pitch", "volume"])
def test_a_shaped_voice_cannot_be_forced_into_a_text_stream(key: str) -> None:
    value = "cheerful" if key == "style" else "default"
    ((path, message, mend),) = _faults(
        voice={"name": "en-US-AvaNeural", key: value}, speaking="stream"
    )
    assert path == ("speaking",)
    assert key in message
    assert key in mend


def test_who_answers_and_interrupts_cannot_be_set() -> None:
    ((path, _, mend),) = _faults(turn_detection={"interrupt_response": False})
    assert path == ("turn_detection", "interrupt_response")
    assert mend == "Remove it: Switchboard decides this."
