"""What a client says to Azure Voice Live: the address, and every message as the bytes to send.

Source: Microsoft Learn, "Voice Live API reference (2026-07-15)" and "How to use the Voice Live
API"; field names are as on the wire.
"""

from collections.abc import Sequence
from typing import Any, Literal
from urllib.parse import urlencode

import msgspec

from media_worker.bridges import client_events
from media_worker.tools import Tool, declared
from switchboard.agents import VoiceLiveAgent

_OUTPUT_FORMATS = {24000: "pcm16", 16000: "pcm16_16000hz"}
_encode = msgspec.json.Encoder().encode


def url(
    endpoint: str, api_version: str, agent: VoiceLiveAgent, conversation: str | None = None
) -> str:
    """The WebSocket address for this agent. `endpoint` is the resource's (https or http);
    `conversation`: in agent mode, the conversation to go on with."""
    scheme, _, rest = endpoint.rstrip("/").partition("://")
    secure = scheme in ("https", "wss")
    query = {"api-version": api_version}
    if agent.model is not None:
        query["model"] = agent.model
    else:
        query["agent-name"] = agent.agent_name or ""
        query["agent-project-name"] = agent.project or ""
        if agent.agent_version is not None:
            query["agent-version"] = agent.agent_version
        if conversation is not None:
            query["conversation-id"] = conversation
    return f"{'wss' if secure else 'ws'}://{rest}/voice-live/realtime?{urlencode(query)}"


def session_update(
    agent: VoiceLiveAgent, rate: int, call_id: str, tools: Sequence[Tool] = ()
) -> bytes:
    """`session.update` for this agent at `rate` both ways. In agent mode the Foundry agent owns
    instructions and tools, and the service takes neither from here."""
    session: dict[str, Any] = {
        "modalities": ["text", "audio"],
        "turn_detection": _turn_detection(agent),
        "input_audio_noise_reduction": agent.noise_reduction,
        "input_audio_echo_cancellation": agent.echo_cancellation,
        "input_audio_transcription": agent.transcription,
        "metadata": {"call_id": call_id},
    }
    if agent.voice is not None:
        session["voice"] = agent.voice
        if str(agent.voice.get("type", "")).startswith("azure-"):
            session["output_audio_timestamp_types"] = ["word"]
    if agent.model is not None:
        if agent.instructions is not None:
            session["instructions"] = agent.instructions
        if agent.temperature is not None:
            session["temperature"] = agent.temperature
    session |= agent.session
    if agent.model is not None:
        session["tools"] = declared(tools, session.get("tools"))
    # The formats are the call's, not the agent's: a raw field must not make noise of the audio.
    session["input_audio_format"] = "pcm16"
    session["input_audio_sampling_rate"] = rate
    session["output_audio_format"] = _OUTPUT_FORMATS[rate]
    return _encode(
        {"type": "session.update", "event_id": client_events.SESSION_EVENT, "session": session}
    )


def _turn_detection(agent: VoiceLiveAgent) -> dict[str, Any]:
    detection: dict[str, Any] = dict(agent.turn_detection)
    detection |= {"create_response": True, "interrupt_response": True}
    if detection.get("type") != "semantic_vad":  # OpenAI's detector does not know the field
        detection["auto_truncate"] = agent.heard_truth == "service"
    return detection


def say_exactly(text: str, event_id: str) -> list[bytes]:
    """Has the service speak exactly this text, which joins the conversation."""
    message = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": text}]}
    return [client_events.respond(event_id, {"pre_generated_assistant_message": message})]


def say_by_model(text: str, event_id: str) -> list[bytes]:
    """Asks the model to speak this text, where `pre_generated_assistant_message` is refused."""
    order = f"Say exactly the following to the caller, word for word, and nothing else:\n{text}"
    return react_to(order, "system", event_id)


def react_to(text: str, role: Literal["user", "system"], event_id: str) -> list[bytes]:
    """Adds a message to the conversation and asks for a turn."""
    return [add_message(role, text), client_events.respond(event_id)]


def add_message(
    role: Literal["user", "assistant", "system"], text: str, after: str | None = None
) -> bytes:
    """A text message of the conversation. `after`: the id of the item it follows, "root" for the
    beginning; None: at the end."""
    kind = "text" if role == "assistant" else "input_text"
    item = {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}
    message: dict[str, Any] = {"type": "conversation.item.create", "item": item}
    if after is not None:
        message["previous_item_id"] = after
    return _encode(message)


def truncate(item: str, content_index: int, audio_end_ms: int) -> bytes:
    """Cuts an assistant item to what was heard of its audio; more than it has is an error."""
    return _encode(
        {
            "type": "conversation.item.truncate",
            "item_id": item,
            "content_index": content_index,
            "audio_end_ms": audio_end_ms,
        }
    )
