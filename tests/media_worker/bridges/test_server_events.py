"""Events are those of Microsoft Learn, "Voice Live API reference (2026-07-15)"."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_worker.bridges import server_events as wire


def decode(event: object) -> wire.ServerEvent:
    return wire.decode(json.dumps(event).encode())


@pytest.mark.parametrize(
    ("event", "meaning"),
    [
        (
            {"type": "session.created", "session": {"id": "s", "expires_at": 1795003600}},
            wire.SessionCreated(1795003600.0, None),
        ),
        (
            {"type": "session.created", "session": {"agent": {"name": "a", "thread_id": "t"}}},
            wire.SessionCreated(None, "t"),
        ),
        ({"type": "session.updated", "session": {"id": "s"}}, wire.SessionUpdated()),
        (
            {
                "type": "input_audio_buffer.speech_started",
                "audio_start_ms": 40,
                "item_id": "i",
            },
            wire.SpeechStarted("i", 40.0),
        ),
        (
            {"type": "input_audio_buffer.speech_stopped", "audio_end_ms": 900, "item_id": "i"},
            wire.SpeechStopped("i", 900.0),
        ),
        (
            {
                "type": "conversation.item.created",
                "previous_item_id": "h",
                "item": {"id": "i", "type": "message"},
            },
            wire.ItemCreated("i", "h"),
        ),
        (
            {"type": "conversation.item.created", "previous_item_id": None, "item": {"id": "i"}},
            wire.ItemCreated("i", None),
        ),
        (
            {
                "type": "conversation.item.input_audio_transcription.completed",
                "item_id": "i",
                "content_index": 0,
                "transcript": "Hello",
            },
            wire.CallerTranscript("i", "Hello"),
        ),
        (
            {"type": "response.created", "response": {"id": "r", "status": "in_progress"}},
            wire.ResponseCreated("r"),
        ),
        (
            {
                "type": "response.audio.delta",
                "response_id": "r",
                "item_id": "i",
                "output_index": 0,
                "content_index": 1,
                "delta": "AAAA",
            },
            wire.AudioDelta("r", "i", 1, b"AAAA"),
        ),
        (
            {
                "type": "response.audio_transcript.delta",
                "response_id": "r",
                "item_id": "i",
                "delta": "He",
            },
            wire.TextDelta("r", "i", "He"),
        ),
        (
            {
                "type": "response.output_item.done",
                "response_id": "r",
                "item": {
                    "type": "function_call",
                    "name": "end_call",
                    "call_id": "c",
                    "arguments": "{}",
                },
            },
            wire.FunctionCall("r", "c", "end_call", "{}"),
        ),
        (
            {
                "type": "response.audio_timestamp.delta",
                "response_id": "r",
                "item_id": "i",
                "audio_offset_ms": 100,
                "audio_duration_ms": 250,
                "text": "Hello",
                "timestamp_type": "word",
            },
            wire.WordSpoken("r", "i", "Hello", 350.0),
        ),
        (
            {"type": "response.output_item.done", "item": {"type": "message"}},
            wire.Other("response.output_item.done"),
        ),
        (
            {
                "type": "response.done",
                "response": {
                    "id": "r",
                    "status": "cancelled",
                    "usage": {
                        "total_tokens": 9,
                        "input_token_details": {"audio_tokens": 4, "cached_tokens_details": {}},
                    },
                },
            },
            wire.ResponseDone(
                "r", "cancelled", {"total_tokens": 9, "input_token_details.audio_tokens": 4}
            ),
        ),
        (
            {
                "type": "error",
                "error": {
                    "type": "invalid_request_error",
                    "code": "response_cancel_not_active",
                    "message": "Cancellation failed: no active response found",
                    "param": None,
                    "event_id": "e1",
                },
            },
            wire.Trouble(True, "response_cancel_not_active", "e1", ""),
        ),
        (
            {"type": "warning", "warning": {"message": "m", "code": "w", "param": "p"}},
            wire.Trouble(False, "w", None, "p"),
        ),
        (
            {"type": "response.animation_blendshapes.delta", "delta": {}},
            wire.Other("response.animation_blendshapes.delta"),
        ),
    ],
    ids=lambda value: str(value.get("type")) if isinstance(value, dict) else "",
)
def test_every_event_that_matters_is_understood(event: object, meaning: wire.ServerEvent) -> None:
    assert decode(event) == meaning


def test_audio_with_escaped_slashes_is_the_same_audio() -> None:
    message = b'{"type":"response.audio.delta","response_id":"r","item_id":"i","delta":"\\/+AA"}'
    assert wire.decode(message) == wire.AudioDelta("r", "i", 0, b"/+AA")


@pytest.mark.parametrize(
    "message", [b"", b"[" * 100_000, b"[]", b"{}", b'{"type":7}', b'{"type":"\xff"}']
)
def test_what_is_no_event_is_malformed(message: bytes) -> None:
    assert wire.decode(message) == wire.Malformed()


def test_fields_of_another_type_than_documented_do_no_harm() -> None:
    for event in (
        {"type": "session.created", "session": [], "response_id": 3},
        {"type": "session.created", "session": {"expires_at": 10**300}},
        {"type": "response.audio.delta", "response_id": None, "delta": 5},
        {"type": "response.done", "response": {"usage": [1], "status": 4}},
        {"type": "error", "error": "text"},
    ):
        assert isinstance(decode(event), wire.ServerEvent)


@given(
    st.sampled_from(["session.created", "response.done", "response.audio.delta", "error", "x"]),
    st.dictionaries(
        st.sampled_from(["session", "response", "delta", "error", "item_id", "content_index"]),
        st.recursive(
            st.none() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=8), inner),
        ),
    ),
)
def test_any_json_gives_an_event(kind: str, fields: dict[str, object]) -> None:
    assert isinstance(decode(fields | {"type": kind}), wire.ServerEvent)


def test_20_000_damaged_events_raise_nothing() -> None:
    drawn = random.Random(7)
    delta = b'{"type":"response.audio.delta","response_id":"r","item_id":"i","delta":"AAAAAAAA"}'
    for _ in range(20_000):
        event = bytearray(delta)
        event[drawn.randrange(len(event))] = drawn.randrange(256)
        assert isinstance(wire.decode(bytes(event)), wire.ServerEvent)
