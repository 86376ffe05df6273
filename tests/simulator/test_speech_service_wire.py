"""The messages of the protocol, byte for byte."""

import json

import pytest

from simulator.speech_service_wire import (
    Boundary,
    Breach,
    audio_message,
    boundary_metadata,
    parse,
    text_message,
    ticks,
)


def test_audio_has_its_header_length_in_front_and_no_empty_line() -> None:
    message = audio_message("a1", "S1", b"\x01\x02")
    head = b"X-RequestId:a1\r\nContent-Type:audio/x-wav\r\nX-StreamId:S1\r\nPath:audio\r\n"
    assert message == len(head).to_bytes(2, "big") + head + b"\x01\x02"
    assert b"Content-Type" not in audio_message("a1", "S1", b"")


def test_text_messages_are_headers_an_empty_line_and_json() -> None:
    message = text_message("turn.end", "a1", {})
    assert message == (
        "X-RequestId:a1\r\nContent-Type:application/json; charset=utf-8\r\nPath:turn.end\r\n\r\n{}"
    )


def test_headers_are_found_in_any_case_and_the_body_keeps_its_line_ends() -> None:
    message = parse("x-timestamp:now\r\nPATH:Text.Piece\r\nx-requestid:r\r\n\r\na\r\n\r\nb")
    assert (message.path, message.request_id, message.body) == ("text.piece", "r", "a\r\n\r\nb")


@pytest.mark.parametrize(
    "text",
    ["", "Path:ssml", "Path ssml\r\n\r\n", "X-RequestId:r\r\n\r\n", "Path:x\r\n\r\n" + "a" * 65536],
)
def test_what_is_no_message_is_a_breach(text: str) -> None:
    with pytest.raises(Breach) as caught:
        parse(text)
    assert caught.value.code == 1007


@pytest.mark.parametrize("body", ["{", "[]", "1"])
def test_a_body_that_is_no_object_is_a_breach(body: str) -> None:
    with pytest.raises(Breach):
        parse(f"Path:speech.config\r\n\r\n{body}").json()


def test_word_boundaries_count_ticks_of_100_ns() -> None:
    assert ticks(24000, 24000) == 10_000_000
    assert json.loads(json.dumps(boundary_metadata(Boundary("brave", 3_500_000, 1_000)))) == {
        "Type": "WordBoundary",
        "Data": {
            "Offset": 3_500_000,
            "Duration": 1_000,
            "text": {"Text": "brave", "Length": 5, "BoundaryType": "WordBoundary"},
        },
    }
