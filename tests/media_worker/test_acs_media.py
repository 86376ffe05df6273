"""Literal messages are those of Microsoft Learn, "Audio streaming with Call Automation"."""

import base64
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_worker import acs_media
from media_worker.acs_media import BadFrames, CallerAudio, Malformed, Metadata, Tone, Unknown
from media_worker.limits import ACS_MESSAGE_BYTES, BAD_FRAMES, BAD_FRAMES_S, MAX_FRAME_BYTES

PCM = bytes(range(256)) * 3 + bytes(192)
AUDIO = base64.b64encode(PCM)


def audio_message(data: object) -> bytes:
    return json.dumps({"kind": "AudioData", "audioData": {"data": data, "silent": False}}).encode()


def test_a_frame_of_the_caller_keeps_its_base64_text() -> None:
    message = (
        b'{"kind":"AudioData","audioData":{"timestamp":"2024-11-15T19:16:12.925Z",'
        b'"participantRawID":"8:acs:x","data":"' + AUDIO + b'","silent":false}}'
    )
    assert acs_media.decode(message) == CallerAudio(AUDIO)


def test_a_silent_frame_is_audio_like_any_other() -> None:
    zeros = base64.b64encode(bytes(960)).decode()
    message = {"kind": "AudioData", "audioData": {"data": zeros, "silent": True}}
    assert acs_media.decode(json.dumps(message).encode()) == CallerAudio(zeros.encode())


@pytest.mark.parametrize(
    "message",
    [
        {"Kind": "AudioData", "AudioData": {"Data": AUDIO.decode()}, "StopAudio": None},
        {"kind": "audioData", "audioData": {"data": AUDIO.decode(), "isSilent": False}},
        {"KIND": "AUDIODATA", "AUDIODATA": {"DATA": AUDIO.decode()}},
    ],
)
def test_the_sdks_other_spellings_are_understood(message: object) -> None:
    assert acs_media.decode(json.dumps(message).encode()) == CallerAudio(AUDIO)


def test_an_escaped_plus_sign_is_a_plus_sign() -> None:
    # .NET's serializer writes "+" as \u002B.
    plus = base64.b64encode(b"\xfb\xef\xbe\xfb\xef\xbe").decode()
    escaped = audio_message("x").replace(b'"x"', f'"{plus}"'.replace("+", "\\u002B").encode())
    assert b"u002B" in escaped
    assert acs_media.decode(escaped) == CallerAudio(plus.encode())


def test_the_metadata_tell_the_format() -> None:
    message = (
        b'{"kind":"AudioMetadata","audioMetadata":{"subscriptionId":"89e8cb59-1a2b",'
        b'"encoding":"PCM","sampleRate":16000,"channels":1,"length":640}}'
    )
    assert acs_media.decode(message) == Metadata("PCM", 16000, 1)


@pytest.mark.parametrize(
    ("data", "tone"), [("3", "3"), ("*", "*"), ("pound", "#"), ("Star", "*"), ("a", "A")]
)
def test_a_key_pressed_is_a_tone(data: str, tone: str) -> None:
    message = json.dumps({"kind": "DtmfData", "dtmfData": {"data": data}}).encode()
    assert acs_media.decode(message) == Tone(tone)


def test_a_message_of_an_unknown_kind_is_no_fault() -> None:
    assert acs_media.decode(b'{"kind":"MarkData","markData":{"id":"1"}}') == Unknown()


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (b"", "not JSON"),
        (b'{"kind":"AudioData"', "not JSON"),
        (b'{"kind":"\xff\xfe"}', "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"kind":' + b'{"a":' * 20_000, "not JSON"),
        (b"[]", "not an object"),
        (b"{}", "no kind"),
        (b'{"kind":17}', "no kind"),
        (b'{"kind":1' + b"0" * 5000 + b"}", "not JSON"),
        (b'{"kind":"AudioData"}', "no audio"),
        (b'{"kind":"AudioData","audioData":[]}', "no audio"),
        (audio_message(5), "no audio"),
        (audio_message("AAA"), "base64"),
        (audio_message("AA!="), "base64"),
        (audio_message("AA==AA=="), "base64"),
        (audio_message("=AAA"), "base64"),
        (audio_message("\u00e4\u00e4\u00e4\u00e4"), "base64"),
        (audio_message("AAAA"), "odd length"),
        (b'{"kind":"DtmfData","dtmfData":{"data":"12"}}', "tone"),
        (b'{"kind":"AudioMetadata","audioMetadata":{"sampleRate":"x"}}', "metadata"),
        (audio_message("A" * MAX_FRAME_BYTES), "oversized"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_message_is_malformed(message: bytes, why: str) -> None:
    assert acs_media.decode(message) == Malformed(why)


def test_150_000_damaged_frames_are_each_told_for_what_they_are() -> None:
    drawn = random.Random(20261123)
    seeds = [
        audio_message(AUDIO.decode()[:40]),
        b'{"Kind":"AudioData","AudioData":{"Data":"AAAAAAAA"},"StopAudio":null}',
        b'{"kind":"AudioMetadata","audioMetadata":{"encoding":"PCM","sampleRate":24000,"channels":1}}',
        b'{"kind":"DtmfData","dtmfData":{"data":"3"}}',
    ]
    scraps = [b'"', b"\\", b"{", b"[", b"}", b"\x00", b"\xff", b"1e999", b"null", b"\\ud800", b"="]
    malformed = 0
    for _ in range(150_000):
        frame = bytearray(drawn.choice(seeds))
        for _ in range(drawn.randrange(1, 4)):
            at = drawn.randrange(len(frame) + 1)
            match drawn.randrange(4):
                case 0:
                    frame[at : at + drawn.randrange(8)] = b""
                case 1:
                    frame[at:at] = drawn.choice(scraps)
                case 2:
                    frame[at : at + 1] = bytes([drawn.randrange(256)])
                case _:
                    frame = frame[:at]
        match acs_media.decode(bytes(frame)):
            case CallerAudio(audio):
                assert len(base64.b64decode(audio, validate=True)) % 2 == 0
            case Tone(tone):
                assert tone in acs_media.TONES
            case Malformed():
                malformed += 1
            case _:
                pass
    assert 50_000 < malformed < 150_000


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["kind", "audioData", "Data", "dtmfData"]), inner)
        ),
    )
)
def test_any_json_gives_a_frame(value: object) -> None:
    assert isinstance(acs_media.decode(json.dumps(value).encode()), acs_media.Frame)


@given(st.binary(max_size=4000).filter(lambda pcm: len(pcm) % 2 == 0))
def test_samples_are_counted_without_decoding(pcm: bytes) -> None:
    assert acs_media.sample_count(base64.b64encode(pcm)) == len(pcm) // 2


def test_agent_audio_is_spelled_as_the_documentation_does() -> None:
    assert acs_media.encode_audio(b"AAAA") == [
        b'{"Kind":"AudioData","AudioData":{"Data":"AAAA"},"StopAudio":null}'
    ]
    assert json.loads(acs_media.STOP_AUDIO) == json.loads(
        '{"Kind": "StopAudio", "AudioData": null, "StopAudio": {}}'
    )


@pytest.mark.parametrize("samples", [1, 24_000, 24_571, 200_000, 480_001])
def test_long_audio_goes_in_parts_that_lose_nothing(samples: int) -> None:
    pcm = random.Random(samples).randbytes(samples * 2)
    messages = acs_media.encode_audio(base64.b64encode(pcm))
    parts = [base64.b64decode(json.loads(m)["AudioData"]["Data"], validate=True) for m in messages]
    assert b"".join(parts) == pcm
    assert all(len(part) % 2 == 0 for part in parts)
    assert all(len(message) <= ACS_MESSAGE_BYTES for message in messages)


def test_a_glitch_is_forgiven_and_a_stream_of_bad_frames_is_not() -> None:
    slow, fast = BadFrames(), BadFrames()
    apart = BAD_FRAMES_S / (BAD_FRAMES - 2)
    assert not any(slow.add(number * apart) for number in range(BAD_FRAMES * 3))
    assert [fast.add(number * 0.02) for number in range(BAD_FRAMES)].index(True) == BAD_FRAMES - 1
    assert fast.count == BAD_FRAMES
