"""From a checked table of `agents.toml` to an agent: wire forms, and defaults that depend on the
model and the voice."""

from collections.abc import Mapping
from typing import Any

from switchboard.agents import (
    JSON,
    TRANSCRIBER,
    Agent,
    HeardTruth,
    RealtimeSpeechAgent,
    Silence,
    VoiceLiveAgent,
)
from switchboard.agents_file import AZURE_REALTIME, GPT_REALTIME
from switchboard.checks import fits
from switchboard.speech_voice import BargeIn, SpeechVoice
from switchboard.voice_live_fields import NATIVE_VOICES, OPENAI_VOICES

_PLAIN = (
    "model",
    "instructions",
    "temperature",
    "project",
    "greeting",
    "goodbye",
    "apology",
    "max_call_minutes",
    "transcript",
)
_WORDED = ("rate", "pitch", "volume")


def agent_of_table(name: str, table: Mapping[str, Any]) -> Agent:
    """The agent of `[agents.NAME]`, which must have passed `switchboard.checks`."""
    if table["bridge"] == "realtime_speech":
        return _realtime_speech(name, table)
    return _voice_live(name, table)


def _realtime_speech(name: str, table: Mapping[str, Any]) -> RealtimeSpeechAgent:
    values: dict[str, Any] = {key: table[key] for key in (*_PLAIN, "speaking") if key in table}
    if "turn_detection" in table:
        values["turn_detection"] = _turn_detection(table["turn_detection"], "server_vad")
    noise = table.get("noise_reduction", True)
    values["noise_reduction"] = _switched(noise, "type", "far_field")
    values["transcription"] = _switched(table.get("transcription", True), "model", TRANSCRIBER)
    values["voice"] = _speech_voice(table["voice"])
    if "fallback_voice" in table:
        values["fallback_voice"] = _speech_voice(table["fallback_voice"])
    values["barge_in"] = BargeIn(**_whole_numbers(table.get("barge_in", {})))
    if "waiting" in table:
        values["waiting"] = tuple(table["waiting"])
    values["silence"] = _silence(table.get("silence", {}))
    return RealtimeSpeechAgent(name=name, **values)


def _speech_voice(voice: str | Mapping[str, Any]) -> SpeechVoice:
    if isinstance(voice, str):
        return SpeechVoice(voice)
    values: dict[str, Any] = {
        key: _worded(item) if key in _WORDED else item for key, item in voice.items()
    }
    return SpeechVoice(**values)


def _voice_live(name: str, table: Mapping[str, Any]) -> VoiceLiveAgent:
    model = table.get("model")
    voice = _voice(table.get("voice"))
    values: dict[str, Any] = {key: table[key] for key in _PLAIN if key in table}
    values["agent_name"] = table.get("agent")
    values["agent_version"] = _worded(table["version"]) if "version" in table else None
    values["voice"] = voice
    if "turn_detection" in table:
        values["turn_detection"] = _turn_detection(table["turn_detection"], "azure_semantic_vad")
    for key, usual in (
        ("noise_reduction", "azure_deep_noise_suppression"),
        ("echo_cancellation", "server_echo_cancellation"),
    ):
        values[key] = _switched(table.get(key, True), "type", usual)
    values["transcription"] = _switched(
        table.get("transcription", True), "model", _transcriber(model)
    )
    values["session"] = dict(table.get("session", {}))
    values["silence"] = _silence(table.get("silence", {}))
    values["heard_truth"] = table.get("heard_truth") or _heard_truth(model, voice)
    return VoiceLiveAgent(name=name, bridge="voice_live", **values)


def _voice(voice: str | Mapping[str, Any] | None) -> Mapping[str, JSON] | None:
    if voice is None:
        return None
    if isinstance(voice, str):
        if voice in OPENAI_VOICES:
            return {"type": "openai", "name": voice}
        kind = "azure-realtime-native" if voice in NATIVE_VOICES else "azure-standard"
        return {"type": kind, "name": voice}
    wire = {key: _worded(item) if key in _WORDED else item for key, item in voice.items()}
    if wire["type"] == "azure-realtime-native":
        wire.setdefault("name", "ava")
    return wire


def _turn_detection(value: str | Mapping[str, Any], usual: str) -> Mapping[str, JSON]:
    if isinstance(value, str):
        return {"type": value}
    return {"type": usual, **_whole_numbers(value)}


def _switched(
    value: bool | str | Mapping[str, Any], tag: str, usual: str
) -> Mapping[str, JSON] | None:
    """The three ways to write such a setting: on or off, its kind, a table."""
    if isinstance(value, bool):
        return {tag: usual} if value else None
    if isinstance(value, str):
        return {tag: value}
    return {tag: usual, **value}


def _silence(table: Mapping[str, Any]) -> Silence:
    values = dict(table)
    if "prompts" in values:
        values["prompts"] = tuple(values["prompts"])
    return Silence(**values)


def _transcriber(model: str | None) -> str:
    """gpt-realtime models do not take azure-speech (Voice Live API reference)."""
    speaks = model is not None and fits(GPT_REALTIME, model)
    return "gpt-4o-mini-transcribe" if speaks else "azure-speech"


def _heard_truth(model: str | None, voice: Mapping[str, JSON] | None) -> HeardTruth:
    """Truncation keeps the words heard only where the model itself makes the audio; where an Azure
    voice reads a text model's words aloud, it removes the whole transcript of the turn."""
    if model is None or not (fits(GPT_REALTIME, model) or fits(AZURE_REALTIME, model)):
        return "replace"
    own = voice is None or voice["type"] in ("openai", "azure-realtime-native")
    return "truncate" if own else "replace"


def _worded(value: str | float) -> str:
    """The service takes these as text only: 1.1 becomes "1.1", and 3.0 becomes "3"."""
    return value if isinstance(value, str) else f"{value:.12g}"


def _whole_numbers(table: Mapping[str, Any]) -> dict[str, Any]:
    """Milliseconds written as 500.0 go out as 500."""
    whole: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            whole[key] = _whole_numbers(value)
        else:
            whole[key] = int(value) if key.endswith("_ms") else value
    return whole
