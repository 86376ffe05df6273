import base64
import json
from collections.abc import Sequence

from media_worker.bridges import AgentAudio, AgentTurnEnded, Notice, SpeechStarted, SpeechStopped
from media_worker.bridges import server_events as wire
from media_worker.bridges.voice_live.conversation import Conversation
from switchboard.agents import VoiceLiveAgent
from switchboard.record import TurnRecord

AGENT = VoiceLiveAgent(name="a", model="m", greeting="Welcome!")
AUDIO = base64.b64encode(bytes(4800))


def kinds(messages: Sequence[bytes]) -> list[str]:
    return [json.loads(message)["type"] for message in messages]


def opened(agent: VoiceLiveAgent = AGENT) -> Conversation:
    conversation = Conversation(agent, 24000, "call")
    conversation.opened()
    return conversation


def test_nothing_is_sent_before_the_session_is_open_and_nothing_is_forgotten() -> None:
    conversation = Conversation(AGENT, 24000, "call")
    assert conversation.say("Still there?") == []
    (greeting,) = conversation.opened()
    assert b"Welcome!" in greeting
    conversation.receive(wire.ResponseCreated("r1"))
    (prompt,) = conversation.receive(wire.ResponseDone("r1", "completed")).send
    assert b"Still there?" in prompt


def test_the_agent_without_a_greeting_waits_for_the_caller() -> None:
    conversation = Conversation(VoiceLiveAgent(name="a", model="m"), 24000, "call")
    assert conversation.opened() == []


def test_the_greeting_is_not_said_again_on_a_new_connection() -> None:
    conversation = opened()
    conversation.receive(wire.ResponseCreated("r1"))
    conversation.receive(wire.AudioDelta("r1", "i1", 0, AUDIO))
    conversation.receive(wire.TextDelta("r1", "i1", "Welcome!"))
    conversation.receive(wire.ResponseDone("r1", "completed"))
    assert conversation.dropped() == []
    assert kinds(conversation.opened()) == ["conversation.item.create"]


def test_a_caller_left_without_an_answer_gets_one_from_the_next_connection() -> None:
    conversation = opened(VoiceLiveAgent(name="a", model="m"))
    conversation.receive(wire.SpeechStopped("u", 900.0))
    conversation.dropped()
    assert kinds(conversation.opened()) == [
        "conversation.item.create",
        "response.create",
    ]


SAID = (
    TurnRecord(speaker="agent", text="Welcome!"),
    TurnRecord(speaker="caller", text="When are you open?"),
    TurnRecord(speaker="agent", text="From nine to five.", heard_text="From", interrupted=True),
)


def test_a_call_taken_over_from_another_worker_goes_on_where_it_was() -> None:
    conversation = Conversation(AGENT, 24000, "call", SAID)
    *retold, note, respond = (json.loads(m) for m in conversation.opened())
    assert [message["item"]["content"][0]["text"] for message in retold] == [
        "Welcome!",
        "When are you open?",
        "From",
    ]
    assert note["item"]["role"] == "system"  # speech was lost: sorry
    assert respond["type"] == "response.create"


def test_a_call_taken_over_in_a_pause_goes_on_without_a_word() -> None:
    conversation = Conversation(AGENT, 24000, "call", SAID[:1])
    assert kinds(conversation.opened()) == ["conversation.item.create"]


def test_a_turn_cut_by_the_network_is_over() -> None:
    conversation = opened()
    conversation.receive(wire.ResponseCreated("r1"))
    assert conversation.dropped() == [AgentTurnEnded("r1", "failed", {})]
    assert conversation.interrupt("r1", 100) == []


def test_nothing_can_be_told_to_a_connection_that_is_gone() -> None:
    conversation = opened()
    conversation.dropped()
    assert conversation.answer("c", "{}", react=False) == []
    assert conversation.prompt("keys", "caller") == []


def test_speech_is_timed_by_the_audio_sent_without_padding_and_silence() -> None:
    agent = VoiceLiveAgent(
        name="a",
        model="m",
        turn_detection={
            "type": "server_vad",
            "prefix_padding_ms": 300,
            "silence_duration_ms": 700,
        },
    )
    conversation = opened(agent)
    for _ in range(20):
        conversation.clock.sent(AUDIO)  # two seconds
    started = conversation.receive(wire.SpeechStarted("u", 500.0)).report
    stopped = conversation.receive(wire.SpeechStopped("u", 1900.0)).report
    assert started == [SpeechStarted("u", 1200.0)]
    assert stopped == [SpeechStopped("u", 800.0)]
    assert conversation.receive(wire.SpeechStarted("u", None)).report == [SpeechStarted("u", 0.0)]
    assert conversation.receive(wire.SpeechStarted("u", 9e9)).report == [SpeechStarted("u", 0.0)]


def test_odd_bytes_are_made_whole_samples() -> None:
    conversation = opened()
    first, second = base64.b64encode(b"\1\2\3"), base64.b64encode(b"\4")
    events = [
        *conversation.receive(wire.AudioDelta("r", "i", 0, first)).report,
        *conversation.receive(wire.AudioDelta("r", "i", 0, second)).report,
    ]
    assert [base64.b64decode(e.audio) for e in events if isinstance(e, AgentAudio)] == [
        b"\1\2",
        b"\3\4",
    ]


def test_audio_that_is_none_is_noticed_and_skipped() -> None:
    received = opened().receive(wire.AudioDelta("r", "i", 0, b"A!="))
    assert received.report == [Notice("malformed", "audio")]
