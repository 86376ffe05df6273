"""The client's messages that Voice Live and Azure OpenAI Realtime spell alike, as bytes to send.

Source: Microsoft Learn, "Voice Live API reference (2026-07-15)" and "Realtime API (GA) reference".
"""

from collections.abc import Mapping
from typing import Any

import msgspec

SESSION_EVENT = "session"
"""Our `event_id` of `session.update`: an error that names it refuses the agent's settings."""

_APPEND_BEFORE = b'{"type":"input_audio_buffer.append","audio":"'
_APPEND_AFTER = b'"}'
_encode = msgspec.json.Encoder().encode


def session_update(session: Mapping[str, Any]) -> bytes:
    """Our settings; an error about them names `SESSION_EVENT`."""
    return _encode({"type": "session.update", "event_id": SESSION_EVENT, "session": session})


def append(audio: bytes) -> bytes:
    """Caller audio, base64 text."""
    return _APPEND_BEFORE + audio + _APPEND_AFTER


def function_output(call: str, output: str) -> bytes:
    """The result of a function that the model called."""
    item = {"type": "function_call_output", "call_id": call, "output": output}
    return _encode({"type": "conversation.item.create", "item": item})


def respond(event_id: str, response: Mapping[str, Any] | None = None) -> bytes:
    """Asks for a turn. An error that concerns it will name `event_id`."""
    message: dict[str, Any] = {"type": "response.create", "event_id": event_id}
    if response is not None:
        message["response"] = response
    return _encode(message)


def cancel(response: str) -> bytes:
    """Stops the making of a turn."""
    return _encode({"type": "response.cancel", "response_id": response})


def delete(item: str) -> bytes:
    """Removes an item from the conversation."""
    return _encode({"type": "conversation.item.delete", "item_id": item})
