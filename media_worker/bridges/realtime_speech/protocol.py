"""What a client says to Azure OpenAI Realtime: the address, and every message as the bytes to send.

The GA dialect (`/openai/v1/realtime`, `session.type`, `output_text`), text out only; the preview
dialect is another protocol and is not spoken here. Source: Microsoft Learn, "Realtime API (GA)
reference and migration guide", and the types of the openai client 3.54.0. The messages that both
dialects spell alike are in `client_events`; `server_events` reads both spellings.
"""

from collections.abc import Sequence
from typing import Any, Literal
from urllib.parse import urlencode

import msgspec

from media_worker.bridges import client_events
from media_worker.tools import Tool, declared
from switchboard.agents import RealtimeSpeechAgent

RATE = 24000
"""The one rate of `audio/pcm`."""

_encode = msgspec.json.Encoder().encode


def url(endpoint: str, model: str) -> str:
    """The WebSocket address. No api-version: the GA path refuses one."""
    scheme, _, rest = endpoint.rstrip("/").partition("://")
    secure = scheme in ("https", "wss")
    query = urlencode({"model": model})
    return f"{'wss' if secure else 'ws'}://{rest}/openai/v1/realtime?{query}"


def session_update(agent: RealtimeSpeechAgent, tools: Sequence[Tool] = ()) -> bytes:
    """`session.update` for this agent: hears, and writes."""
    detection: dict[str, Any] = dict(agent.turn_detection)
    # What only our own sensor decides, the service's must not: it would cancel by itself.
    detection |= {"create_response": True, "interrupt_response": agent.barge_in.sensor != "rms"}
    session: dict[str, Any] = {
        "type": "realtime",
        "output_modalities": ["text"],
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": RATE},
                "turn_detection": detection,
                "noise_reduction": agent.noise_reduction,
                "transcription": agent.transcription,
            }
        },
        "tools": declared(tools),
        "tool_choice": "auto",
    }
    if agent.instructions is not None:
        session["instructions"] = agent.instructions
    return _encode(
        {"type": "session.update", "event_id": client_events.SESSION_EVENT, "session": session}
    )


def add_message(
    role: Literal["user", "assistant", "system"],
    text: str,
    item: str | None = None,
    after: str | None = None,
) -> bytes:
    """A text message of the conversation. `item`: the id that it shall have; `after`: the id of
    the item that it follows, "root" for the beginning; None: at the end."""
    kind = "output_text" if role == "assistant" else "input_text"
    fields: dict[str, Any] = {
        "type": "message",
        "role": role,
        "content": [{"type": kind, "text": text}],
    }
    if item is not None:
        fields["id"] = item
    message: dict[str, Any] = {"type": "conversation.item.create", "item": fields}
    if after is not None:
        message["previous_item_id"] = after
    return _encode(message)
