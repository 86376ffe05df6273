"""The JSON of ACS, from both sides."""

import base64
import json
from typing import Any

import pytest

from simulator.acs_wire import (
    Audio,
    Faulty,
    Stop,
    Tolerated,
    audio_data,
    audio_metadata,
    cloud_event,
    dtmf_data,
    identifier,
    iso_time,
    parse_from_server,
    raw_id_in,
    raw_id_of,
)

PCM = b"\1\0\2\0"
DATA = base64.b64encode(PCM).decode()


@pytest.mark.parametrize(
    "packet",
    [
        {"Kind": "AudioData", "AudioData": {"Data": DATA}, "StopAudio": None},
        {"kind": "audioData", "audioData": {"data": DATA, "isSilent": False}, "stopAudio": {}},
        {"kind": "AudioData", "audioData": {"data": DATA}},
        {"kind": "AudioData", "AudioData": {"data": DATA}, "StopAudio": None},
    ],
)
def test_audio_is_read_in_every_spelling_that_microsofts_samples_use(packet: Any) -> None:
    assert parse_from_server(json.dumps(packet)) == Audio(PCM)


@pytest.mark.parametrize(
    ("message", "read"),
    [
        ('{"Kind":"StopAudio","AudioData":null,"StopAudio":{}}', Stop()),
        ('{"kind":"stopAudio","stopAudio":{}}', Stop()),
        ('{"Kind":"Transcription"}', Tolerated("Transcription")),
        ("[]", Faulty("no kind")),
        ('{"kind":3}', Faulty("no kind")),
        ("[" * 100_000, Faulty("not JSON")),
        ('{"kind":"AudioData"}', Faulty("audio without data")),
        ('{"kind":"AudioData","audioData":{"data":null}}', Faulty("audio without data")),
        (b"{}", Faulty("binary message")),
    ],
)
def test_what_is_no_audio_is_told_apart(message: str | bytes, read: Any) -> None:
    assert parse_from_server(message) == read


def test_a_frame_of_the_caller_is_as_the_docs_show_it() -> None:
    packet = json.loads(audio_data(PCM, 1_795_000_000.925, silent=False))
    assert packet == {
        "kind": "AudioData",
        "audioData": {"timestamp": "2026-11-18T11:06:40.925Z", "data": DATA, "silent": False},
    }
    assert json.loads(audio_metadata("s", 16000))["audioMetadata"] == {
        "subscriptionId": "s",
        "encoding": "PCM",
        "sampleRate": 16000,
        "channels": 1,
        "length": 640,
    }
    assert json.loads(dtmf_data("#")) == {"kind": "DtmfData", "dtmfData": {"data": "#"}}


def test_times_have_seven_decimals_in_events() -> None:
    assert iso_time(1_795_000_000.5) == "2026-11-18T11:06:40.5000000+00:00"
    event = cloud_event("CallConnected", "id", "conn", 1_795_000_000.0, {"a": 1})
    assert event["type"] == "Microsoft.Communication.CallConnected"
    assert event["data"]["publicEventType"] == event["type"]


def test_the_raw_id_of_a_phone_number_may_be_left_out_by_a_client() -> None:
    assert raw_id_in(identifier("4:+15550001111")) == "4:+15550001111"
    assert raw_id_in({"phoneNumber": {"value": "+15550001111"}}) == "4:+15550001111"
    assert raw_id_in({"phoneNumber": {}}) is None
    assert raw_id_in("nonsense") is None


@pytest.mark.parametrize(
    ("written", "raw_id"),
    [
        ("+15550001111", "4:+15550001111"),
        ("1 (555) 000-1111", "4:+15550001111"),
        ("anonymous", "4:anonymous"),
        ("4:anonymous", "4:anonymous"),
        ("8:acs:somebody", "8:acs:somebody"),
        ("28:orgid:cc123456", "28:orgid:cc123456"),
    ],
)
def test_a_party_may_be_written_as_people_write_it(written: str, raw_id: str) -> None:
    assert raw_id_of(written) == raw_id


@pytest.mark.parametrize("written", ["", "me", "+1", "4:me", "+1555000111122223333", "8:"])
def test_what_is_nobody_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is nobody to call"):
        raw_id_of(written)
