"""Virtual time for calls that speak through the native Speech SDK, whose threads know no clock but
the machine's: the loop's clock stands still while something is under way between the product, the
SDK's threads and the simulated service.

Nothing is simulated here. The product's synthesizers are watched at both ends, theirs and the
service's, and counted is what one side has given and the other has not got yet: text, audio, word
boundaries, the end. While an utterance only waits for the model to write on, or for a timer of the
simulated service, nothing is under way and time goes on.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from media_worker.speech import synthesizers
from media_worker.speech.native import NativeSynthesizer
from simulator.speech_service import Speech
from simulator.speech_service_turn import SpokenUtterance
from tests.virtual_time import VirtualTimeLoop

LOST_S = 0.3
"""Real time for the SDK to notice that its connection is gone; of a close with 1000 it notices
nothing, and the call must go on all the same."""
STUCK_S = 10.0
"""Real time in which whatever is under way arrives; longer is a defect of this accounting."""


@dataclass(eq=False)
class _Flight:
    """One utterance of the product's, as the SDK has told of it so far."""

    streaming: bool
    request_id: str | None = None
    pieces: int = 0
    text_ended: bool = False
    stopped: bool = False
    audio_bytes: int = 0
    boundaries: int = 0
    over: bool = False
    spoken: SpokenUtterance | None = None
    lost_since: float | None = None

    def under_way(self, tells_boundaries: bool) -> bool:
        """Whether there is something that one side has given and the other has not got."""
        spoken = self.spoken
        if self.over:
            return False
        if spoken is None or self.stopped:
            return True
        if spoken.outcome == "lost":
            self.lost_since = self.lost_since or time.monotonic()
            return time.monotonic() - self.lost_since < LOST_S
        given = (
            len(spoken.pieces) >= self.pieces and (spoken.text_ended or not self.text_ended)
            if self.streaming
            else spoken.ssml is not None
        )
        got = self.audio_bytes >= spoken.audio_bytes
        told = not tells_boundaries or self.boundaries >= len(spoken.boundaries)
        return not (given and got and told) or spoken.outcome != "speaking"


@dataclass
class SpeechInFlight:
    """All utterances of a process before one simulated service."""

    speech: Speech
    flights: list[_Flight] = field(default_factory=list)
    held_since: float | None = None

    def under_way(self) -> bool:
        """On the loop's thread."""
        self.flights = [flight for flight in self.flights if not flight.over]
        tells = self.speech.switches.boundaries == "before_audio"
        for flight in self.flights:
            if flight.spoken is None and flight.request_id is not None:
                flight.spoken = self._spoken(flight.request_id)
        held = [flight for flight in self.flights if flight.under_way(tells)]
        if not held:
            self.held_since = None
            return False
        self.held_since = self.held_since or time.monotonic()
        assert time.monotonic() - self.held_since < STUCK_S, f"the clock is held for ever: {held}"
        return True

    def _spoken(self, request_id: str) -> SpokenUtterance | None:
        known = reversed(self.speech.utterances)
        return next((spoken for spoken in known if spoken.request_id == request_id), None)


class _Watched(NativeSynthesizer):
    """Tells `all_` what is given and got. What the SDK says goes on to the loop first."""

    def __init__(self, all_: SpeechInFlight, *args: Any) -> None:
        self._all = all_
        self._flights: dict[int, _Flight] = {}
        super().__init__(*args)

    def speak_ssml(self, utterance: int, document: str) -> None:
        self._take_off(utterance, streaming=False)
        super().speak_ssml(utterance, document)

    def speak_stream(self, utterance: int) -> None:
        self._take_off(utterance, streaming=True)
        super().speak_stream(utterance)

    def write(self, text: str) -> None:
        self._flights[self._utterance].pieces += bool(text and self._stream is not None)
        super().write(text)

    def end_text(self) -> None:
        if self._stream is not None:
            self._flights[self._utterance].text_ended = True
        super().end_text()

    def stop(self) -> None:
        for flight in self._flights.values():
            flight.stopped = True
        super().stop()

    def destroy(self) -> None:
        super().destroy()
        for flight in self._flights.values():  # no event comes any more
            flight.over = True

    def _take_off(self, utterance: int, *, streaming: bool) -> None:
        flight = self._flights[utterance] = _Flight(streaming)
        self._all.flights.append(flight)

    # --- on the SDK's threads ---------------------------------------------------------------------

    def _on_started(self, event: Any) -> None:
        super()._on_started(event)
        self._flight(event.result.result_id).request_id = event.result.result_id

    def _on_audio(self, event: Any) -> None:
        super()._on_audio(event)
        self._flight(event.result.result_id).audio_bytes += len(event.result.audio_data or b"")

    def _on_word(self, event: Any) -> None:
        super()._on_word(event)
        self._flight(event.result_id).boundaries += 1

    def _on_completed(self, event: Any) -> None:
        super()._on_completed(event)
        self._flight(event.result.result_id).over = True

    def _on_canceled(self, event: Any) -> None:
        super()._on_canceled(event)
        self._flight(event.result.result_id).over = True

    def _flight(self, result_id: str) -> _Flight:
        return self._flights[self._of(result_id)]


@asynccontextmanager
async def clock_held_for(speech: Speech) -> AsyncIterator[None]:
    """Within the block virtual time waits for what is under way in the SDK; real time goes on."""
    loop = asyncio.get_running_loop()
    if not isinstance(loop, VirtualTimeLoop):
        yield
        return
    flying = SpeechInFlight(speech)

    def watched(*args: Any) -> _Watched:
        return _Watched(flying, *args)

    with pytest.MonkeyPatch.context() as patch, loop.hold_while(flying.under_way):
        patch.setattr(synthesizers, "NativeSynthesizer", watched)
        yield
