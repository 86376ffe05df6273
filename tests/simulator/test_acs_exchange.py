"""What an answer may ask for."""

from typing import Any

import pytest
from azure.core.exceptions import (
    HttpResponseError,
)

from simulator.acs_exchange import Answer, MediaOptions, Refused, parse_answer, reply_to
from simulator.acs_switches import AcsSwitches
from tests.simulator.answerer import scene
from tests.virtual_time import run


def test_addresses_must_be_secure_but_for_this_machine() -> None:
    async def body() -> None:
        async with scene() as s:
            await s.ring()
            context = s.events[-1][1]["incomingCallContext"]
            for uri in ("http://elsewhere.example/x", "no address", ""):
                with pytest.raises(HttpResponseError) as refused:
                    await s.client.answer_call(context, uri)
                assert refused.value.status_code == 400
            media = s.answerer.media_options(transport_url="ws://elsewhere.example/x")
            with pytest.raises(HttpResponseError):
                await s.client.answer_call(context, s.callback_url, media_streaming=media)
            s.acs.switches.insecure_loopback = False
            with pytest.raises(HttpResponseError):
                await s.answer()

    run(body())


MEDIA = {
    "transportUrl": "wss://media.example/x",
    "transportType": "websocket",
    "contentType": "audio",
    "audioChannelType": "mixed",
    "startMediaStreaming": True,
    "enableBidirectional": True,
    "audioFormat": "pcm24KMono",
}


def _answer(**media: Any) -> Answer:
    body = {"callbackUri": "https://app.example/x", "mediaStreamingOptions": {**MEDIA, **media}}
    return parse_answer(body, AcsSwitches())


def test_an_answer_is_read_with_its_media() -> None:
    assert _answer() == Answer(
        "https://app.example/x",
        None,
        MediaOptions("wss://media.example/x", 24000, start=True, bidirectional=True, dtmf=False),
        speech=False,
    )
    assert parse_answer({"callbackUri": "https://app.example/x"}, AcsSwitches()).media is None


def test_audio_is_16_khz_unless_the_answer_says_otherwise() -> None:
    media = _answer(audioFormat=None).media
    assert media is not None
    assert media.rate == 16000


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("transportType", "carrierPigeon"),
        ("contentType", "video"),
        ("audioChannelType", "stereo"),
        ("transportUrl", "https://media.example/x"),
        ("audioFormat", "pcm48KMono"),
    ],
)
def test_media_that_acs_does_not_know_is_refused_by_its_field(field: str, value: str) -> None:
    with pytest.raises(Refused, match=f"400/8523 mediaStreamingOptions.{field}"):
        _answer(**{field: value})


def test_what_an_operation_says_of_its_events_is_read() -> None:
    body = {"operationContext": "c", "operationCallbackUri": "https://app.example/y"}
    assert reply_to(body) == ("c", "https://app.example/y")
    assert reply_to({}) == (None, None)
