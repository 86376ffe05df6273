"""One synthesizer of the native Speech SDK: everything here blocks, and runs in a pool's threads.

Verified against azure-cognitiveservices-speech 1.53.0: its futures may come before the last events,
so an utterance ends with its `completed` or `canceled` event; both always come, also after a stop.
Events come on threads of the SDK, those of words on another one than those of audio; every event
names its request. A text stream that is left open hangs the synthesizer's destructor, and what is
written to it later is spoken in the next request: it is closed before anything else is done.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import azure.cognitiveservices.speech as sdk

from media_worker.limits import SPEECH_ALL_AUDIO_S, SPEECH_FIRST_CHUNK_S

_TICKS_PER_MS = 10_000
_FORMATS = {
    16000: sdk.SpeechSynthesisOutputFormat.Raw16Khz16BitMonoPcm,
    24000: sdk.SpeechSynthesisOutputFormat.Raw24Khz16BitMonoPcm,
}
_PROPERTIES = {
    # Else a stop closes the connection, and the next utterance waits for another one.
    "SpeechSynthesis_KeepConnectionAfterStopping": "true",
    "SpeechSynthesis_FirstChunkTimeoutMs": str(int(SPEECH_FIRST_CHUNK_S * 1000)),
    "SpeechSynthesis_AllChunkTimeoutMs": str(int(SPEECH_ALL_AUDIO_S * 1000)),
    "SpeechSynthesis_MaxRetryTimes": "0",
    # Else the SDK asks for a compressed format where it finds GStreamer.
    "SpeechServiceConnection_SynthEnableCompressedAudioTransmission": "false",
}


@dataclass(frozen=True, slots=True)
class Sound:
    """More audio: 16-bit PCM at the synthesizer's rate."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class Word:
    """A word's place in the utterance's audio."""

    text: str
    start_ms: float
    end_ms: float


@dataclass(frozen=True, slots=True)
class Finished:
    """All audio has come."""


@dataclass(frozen=True, slots=True)
class Broken:
    """The utterance ends before its text does: stopped, or failed."""

    code: str
    """For the log: the SDK's error code, `stopped` or a limit of ours; never free text."""


SpeechEvent: TypeAlias = Sound | Word | Finished | Broken


@dataclass(frozen=True, slots=True)
class Kind:
    """What a synthesizer is made for; those of the same kind stand in for each other."""

    mode: Literal["stream", "ssml"]
    voice: str
    endpoint_id: str | None
    rate: int


@dataclass(frozen=True, slots=True)
class SignIn:
    """How a synthesizer proves itself: exactly one of the three."""

    key: str | None = None
    authorization: str | None = None
    """`aad#RESOURCE_ID#TOKEN`; to be renewed."""
    credential: Any = None
    """A synchronous credential, which the SDK asks from a thread of its own."""


class NativeSynthesizer:
    """`post(utterance, event)` is called on threads of the SDK. Raises RuntimeError when the SDK
    refuses, which it does for settings that cannot be right."""

    def __init__(
        self, kind: Kind, endpoint: str, sign_in: SignIn, post: Callable[[int, SpeechEvent], None]
    ) -> None:
        self._post = post
        self._utterance = 0
        self._requests: dict[str, int] = {}
        self._stream: Any = None
        self._speaking: Any = None
        """The newest utterance's future; it holds native memory and threads until it is asked."""
        config = _config(kind, endpoint, sign_in)
        self._synthesizer: Any = sdk.SpeechSynthesizer(config, audio_config=None)
        self._synthesizer.synthesis_started.connect(self._on_started)
        self._synthesizer.synthesizing.connect(self._on_audio)
        self._synthesizer.synthesis_word_boundary.connect(self._on_word)
        self._synthesizer.synthesis_completed.connect(self._on_completed)
        self._synthesizer.synthesis_canceled.connect(self._on_canceled)
        self._connection: Any = sdk.Connection.from_speech_synthesizer(self._synthesizer)
        self._connection.open(True)

    def renew(self, authorization: str) -> None:
        """A newer token, for the next connection."""
        self._synthesizer.authorization_token = authorization

    def speak_ssml(self, utterance: int, document: str) -> None:
        """Begins to speak `document`; the one before has ended."""
        self._begin(utterance)
        self._speaking = self._synthesizer.speak_ssml_async(document)

    def speak_stream(self, utterance: int) -> None:
        """Begins to speak what will be written."""
        self._begin(utterance)
        request = sdk.SpeechSynthesisRequest(
            input_type=sdk.SpeechSynthesisRequestInputType.TextStream
        )
        self._stream = request.input_stream
        self._speaking = self._synthesizer.speak_async(request)

    def write(self, text: str) -> None:
        """More text for the stream; of no effect after `end_text`."""
        if self._stream is not None:
            self._stream.write(text)

    def end_text(self) -> None:
        """No more text comes."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
            # A request and its stream hold each other: left alone they are released by whatever
            # thread the garbage collector next runs on, which is the event loop's.
            vars(stream).clear()

    def stop(self) -> None:
        """Ends the utterance; returns before its `canceled` event has come."""
        self.end_text()
        self._synthesizer.stop_speaking_async().get()

    def destroy(self) -> None:
        """Leaves nothing: no thread, no socket."""
        self.stop()
        synthesizer = self._synthesizer
        for signal in (
            synthesizer.synthesis_started,
            synthesizer.synthesizing,
            synthesizer.synthesis_word_boundary,
            synthesizer.synthesis_completed,
            synthesizer.synthesis_canceled,
        ):
            signal.disconnect_all()
        with suppress(RuntimeError):  # there may be no connection
            self._connection.close()
        self._connection = None
        self._release()
        self._synthesizer = None

    def _release(self) -> None:
        """Takes the last utterance's result, which is there: the utterance has ended."""
        future, self._speaking = self._speaking, None
        if future is not None:
            future.get()

    def _begin(self, utterance: int) -> None:
        self._release()
        self._utterance = utterance
        self._requests = {r: u for r, u in self._requests.items() if u >= utterance - 1}

    # --- on the SDK's threads ---------------------------------------------------------------------

    def _on_started(self, event: Any) -> None:
        self._requests[event.result.result_id] = self._utterance

    def _of(self, result_id: str) -> int:
        return self._requests.get(result_id, self._utterance)

    def _on_audio(self, event: Any) -> None:
        result = event.result
        if pcm := result.audio_data:
            self._post(self._of(result.result_id), Sound(pcm))

    def _on_word(self, event: Any) -> None:
        if event.boundary_type is sdk.SpeechSynthesisBoundaryType.Word:
            start_ms = event.audio_offset / _TICKS_PER_MS
            end_ms = start_ms + event.duration.total_seconds() * 1000
            self._post(self._of(event.result_id), Word(event.text, start_ms, end_ms))

    def _on_completed(self, event: Any) -> None:
        self._post(self._of(event.result.result_id), Finished())

    def _on_canceled(self, event: Any) -> None:
        result = event.result
        details = result.cancellation_details
        stopped = details.reason is sdk.CancellationReason.CancelledByUser
        code = "stopped" if stopped else str(details.error_code).rpartition(".")[2]
        self._post(self._of(result.result_id), Broken(code))


def _config(kind: Kind, endpoint: str, sign_in: SignIn) -> Any:
    if sign_in.credential is not None:
        config = sdk.SpeechConfig(endpoint=endpoint, token_credential=sign_in.credential)
    elif sign_in.authorization is not None:
        config = sdk.SpeechConfig(endpoint=endpoint)
        config.authorization_token = sign_in.authorization
    else:
        config = sdk.SpeechConfig(endpoint=endpoint, subscription=sign_in.key)
    config.set_speech_synthesis_output_format(_FORMATS[kind.rate])
    config.speech_synthesis_voice_name = kind.voice
    if kind.endpoint_id is not None:
        config.endpoint_id = kind.endpoint_id
    for name, value in _PROPERTIES.items():
        config.set_property_by_name(name, value)
    return config
