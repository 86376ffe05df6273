"""The native Speech SDK in a process of its own: `python -m tests.simulator.speech_client JSON`.

JSON is a list of synthesizers: {"url", "key" | "token" | "credential", "voice", "rate",
"endpoint_id", "properties", "open", "turns"}; a turn is {"text" | "ssml" | "pieces", "manner",
"pause_s", "stop_after_bytes"}. For each synthesizer a list of what came of its turns is printed, as
one line of JSON.

The process is its own because the native library may abort an interpreter that exits beside it.
What it needs to exit cleanly is done here in order: input streams closed, every signal
disconnected, synthesizers dropped and collected before the interpreter ends.
"""

import asyncio
import gc
import importlib
import json
import sys
import threading
import time
from typing import Any

from azure.core.credentials import AccessToken

speechsdk: Any = importlib.import_module("azure.cognitiveservices.speech")  # it ships no types

VOICE = "en-US-AvaMultilingualNeural"
PROPERTIES = {
    "SpeechSynthesis_FirstChunkTimeoutMs": "1500",
    "SpeechSynthesis_MaxRetryTimes": "0",
    "SpeechSynthesis_KeepConnectionAfterStopping": "true",
    "SpeechServiceConnection_SynthEnableCompressedAudioTransmission": "false",
}
FORMATS = {
    16000: speechsdk.SpeechSynthesisOutputFormat.Raw16Khz16BitMonoPcm,
    24000: speechsdk.SpeechSynthesisOutputFormat.Raw24Khz16BitMonoPcm,
}
SIGNALS = ("synthesizing", "synthesis_word_boundary", "synthesis_completed", "synthesis_canceled")


async def speak(*synthesizers: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """What became of each synthesizer's turns. For tests, on the simulator's loop."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.simulator.speech_client",
        json.dumps(synthesizers),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0
    return [json.loads(line) for line in out.splitlines()]


class _Credential:
    """As azure-identity's are, without Entra."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        assert scopes == ("https://cognitiveservices.azure.com/.default",)
        return AccessToken(self._token, int(time.time()) + 3600)


def _config(wanted: dict[str, Any]) -> Any:
    if "credential" in wanted:
        credential = _Credential(wanted["credential"])
        config = speechsdk.SpeechConfig(endpoint=wanted["url"], token_credential=credential)
    elif "token" in wanted:
        config = speechsdk.SpeechConfig(endpoint=wanted["url"])
        config.authorization_token = wanted["token"]
    elif "host" in wanted:
        config = speechsdk.SpeechConfig(host=wanted["host"], subscription=wanted["key"])
    else:
        config = speechsdk.SpeechConfig(endpoint=wanted["url"], subscription=wanted["key"])
    config.speech_synthesis_voice_name = wanted.get("voice", VOICE)
    config.set_speech_synthesis_output_format(FORMATS[wanted.get("rate", 24000)])
    if "endpoint_id" in wanted:
        config.endpoint_id = wanted["endpoint_id"]
    for name, value in {**PROPERTIES, **wanted.get("properties", {})}.items():
        config.set_property_by_name(name, value)
    return config


class _Turn:
    """One utterance; events come on threads of the SDK."""

    def __init__(self, synthesizer: Any, wanted: dict[str, Any]) -> None:
        self._synthesizer, self._wanted = synthesizer, wanted
        self._audio = bytearray()
        self._words: list[Any] = []
        self._first: float | None = None
        self._enough, self._ended = threading.Event(), threading.Event()
        synthesizer.synthesizing.connect(self._synthesizing)
        synthesizer.synthesis_word_boundary.connect(self._boundary)
        synthesizer.synthesis_completed.connect(lambda _: self._ended.set())
        synthesizer.synthesis_canceled.connect(lambda _: self._ended.set())

    def run(self) -> dict[str, Any]:
        begun = time.monotonic()
        future, spoken_while_writing = self._begin()
        if "stop_after_bytes" in self._wanted:
            self._enough.wait(5)
            self._synthesizer.stop_speaking_async().get()
        result = future.get()
        self._ended.wait(5)
        found: dict[str, Any] = {
            "reason": result.reason.name,
            "audio": bytes(self._audio).hex(),
            "words": self._words,
            "first_s": self._first and self._first - begun,
            "took_s": time.monotonic() - begun,
            "spoken_while_writing": spoken_while_writing,
        }
        if result.reason == speechsdk.ResultReason.Canceled:
            details = result.cancellation_details
            found |= {"code": details.error_code.name, "error": details.error_details}
        for name in SIGNALS:
            getattr(self._synthesizer, name).disconnect_all()
        return found

    def _begin(self) -> tuple[Any, int]:
        """The future, and how much audio had come when the last of the text was written."""
        if "ssml" in self._wanted:
            return self._synthesizer.speak_ssml_async(self._wanted["ssml"]), 0
        if "text" in self._wanted:
            return self._synthesizer.speak_text_async(self._wanted["text"]), 0
        kind = speechsdk.SpeechSynthesisRequestInputType.TextStream
        request = speechsdk.SpeechSynthesisRequest(input_type=kind)
        for name, value in self._wanted.get("manner", {}).items():
            setattr(request, name, value)
        future = self._synthesizer.speak_async(request)
        for piece in self._wanted["pieces"]:
            request.input_stream.write(piece)
            time.sleep(self._wanted.get("pause_s", 0))
        so_far = len(self._audio)
        request.input_stream.close()
        return future, so_far

    def _synthesizing(self, event: Any) -> None:
        self._first = self._first or time.monotonic()
        self._audio += event.result.audio_data
        if len(self._audio) >= self._wanted.get("stop_after_bytes", 0):
            self._enough.set()

    def _boundary(self, event: Any) -> None:
        duration_ms = event.duration.total_seconds() * 1000
        self._words.append(
            [event.boundary_type.name, event.text, event.audio_offset / 10_000, duration_ms]
        )


def _main() -> None:
    for wanted in json.loads(sys.argv[1]):
        synthesizer = speechsdk.SpeechSynthesizer(speech_config=_config(wanted), audio_config=None)
        connection = speechsdk.Connection.from_speech_synthesizer(synthesizer)
        if wanted.get("open"):
            connected = threading.Event()
            connection.connected.connect(lambda _, event=connected: event.set())
            connection.open(True)
            assert connected.wait(5)
            connection.connected.disconnect_all()
        found = [_Turn(synthesizer, turn).run() for turn in wanted["turns"]]
        del connection, synthesizer
        gc.collect()
        sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    _main()
