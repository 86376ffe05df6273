"""Field names are those of Microsoft Learn, "Voice Live API reference (2026-07-15)"."""

import json

from media_worker.bridges import client_events


def test_audio_is_wrapped_as_it_is() -> None:
    assert client_events.append(b"AAAA") == b'{"type":"input_audio_buffer.append","audio":"AAAA"}'


def test_settings_carry_the_name_by_which_an_error_about_them_is_known() -> None:
    assert json.loads(client_events.session_update({"modalities": ["text"]})) == {
        "type": "session.update",
        "event_id": client_events.SESSION_EVENT,
        "session": {"modalities": ["text"]},
    }


def test_a_turn_is_asked_for_with_a_name_for_errors_and_what_it_shall_be() -> None:
    assert json.loads(client_events.respond("ask-1")) == {
        "type": "response.create",
        "event_id": "ask-1",
    }
    assert json.loads(client_events.respond("ask-2", {"instructions": "x"}))["response"] == {
        "instructions": "x"
    }


def test_the_remaining_messages_have_their_documented_form() -> None:
    assert json.loads(client_events.cancel("r1")) == {
        "type": "response.cancel",
        "response_id": "r1",
    }
    assert json.loads(client_events.delete("i1")) == {
        "type": "conversation.item.delete",
        "item_id": "i1",
    }
    assert json.loads(client_events.function_output("c1", "{}")) == {
        "type": "conversation.item.create",
        "item": {"type": "function_call_output", "call_id": "c1", "output": "{}"},
    }
