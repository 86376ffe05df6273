import json
from collections.abc import Sequence
from typing import Any

from media_worker.bridges import (
    AgentAudio,
    AgentSaid,
    AgentTurnEnded,
    AgentTurnStarted,
    BridgeEvent,
    CallerSaid,
    Failed,
    Notice,
    SpeechStarted,
    SpeechStopped,
    ToolCall,
)
from media_worker.bridges import server_events as wire
from media_worker.bridges.realtime_speech.conversation import GO_ON, Conversation
from switchboard.agents import RealtimeSpeechAgent
from switchboard.record import TurnRecord
from switchboard.speech_voice import SpeechVoice

AGENT = RealtimeSpeechAgent("desk", SpeechVoice("en-US-AvaNeural"), greeting="Welcome!")
SILENT_FRAME = b"A" * 1280


class Parts:
    """The voice and the sensor of one conversation, as notes."""

    def __init__(self, *, decides: bool = False) -> None:
        self.decides = decides
        self.playing = False
        self.calls: list[tuple[str, ...]] = []

    def begin(self, turn: str) -> None:
        self.calls.append(("begin", turn))

    def write(self, turn: str, text: str) -> None:
        self.calls.append(("write", turn, text))

    def end(self, turn: str) -> None:
        self.calls.append(("end", turn))

    def say(self, turn: str, text: str) -> None:
        self.calls.append(("say", turn, text))

    def cancel(self, turn: str) -> None:
        self.calls.append(("cancel", turn))

    def played(self, pcm: bytes) -> None:
        self.calls.append(("played",))

    def silenced(self) -> None:
        self.calls.append(("silenced",))


class Scene:
    def __init__(self, *earlier: TurnRecord, decides: bool = False) -> None:
        self.parts = Parts(decides=decides)
        self.events: list[BridgeEvent] = []
        self.talk = Conversation(AGENT, 24000, self.events.append, earlier, self.parts)
        self.talk.speaker = self.parts

    def open(self) -> "Scene":
        self.talk.opened()
        return self

    def answer(self, *deltas: str) -> "Scene":
        self.talk.receive(wire.ResponseCreated("r1"))
        for delta in deltas:
            self.talk.receive(wire.TextDelta("r1", "item", delta))
        return self


def kinds(messages: Sequence[bytes]) -> list[str]:
    return [json.loads(message)["type"] for message in messages]


def items(messages: Sequence[bytes]) -> list[Any]:
    return [json.loads(m)["item"] for m in messages if b"item.create" in m]


def test_a_new_caller_is_greeted_before_there_is_a_connection_which_is_told_later() -> None:
    scene = Scene()
    scene.talk.greet()
    assert scene.parts.calls == [("say", "own-1", "Welcome!")]
    assert scene.events == [AgentTurnStarted("own-1"), AgentSaid("own-1", "Welcome!")]
    (item,) = items(scene.talk.opened())
    assert item["content"] == [{"type": "output_text", "text": "Welcome!"}]


def test_a_call_that_another_worker_carried_is_not_greeted_but_goes_on() -> None:
    scene = Scene(TurnRecord(speaker="caller", text="Hello?"))
    scene.talk.greet()
    assert scene.parts.calls == []
    messages = scene.talk.opened()
    assert [item["content"][0]["text"] for item in items(messages)] == ["Hello?", GO_ON]
    assert kinds(messages)[-1] == "response.create"


def test_words_are_spoken_as_a_person_would_say_them_as_they_come() -> None:
    scene = Scene().open().answer("**We", " are** open", " now.")
    scene.talk.receive(wire.ResponseDone("r1", "completed"))
    spoken = "".join(call[2] for call in scene.parts.calls if call[0] == "write")
    assert spoken.strip() == "We are open now."
    assert ("end", "r1") in scene.parts.calls


def test_a_turn_is_over_when_it_is_both_written_and_said() -> None:
    scene = Scene().open().answer("Yes.")
    scene.talk.sound("r1", bytes(960))
    scene.talk.spoken("r1")
    assert not any(isinstance(event, AgentTurnEnded) for event in scene.events)
    scene.talk.receive(wire.ResponseDone("r1", "completed", {"total_tokens": 3}))
    assert scene.events[-1] == AgentTurnEnded("r1", "completed", {"total_tokens": 3})
    assert any(isinstance(event, AgentAudio) for event in scene.events)


def test_an_interrupted_turn_falls_silent_and_ends_when_it_is_done() -> None:
    scene = Scene().open().answer("One two three. ")
    messages, _ = scene.talk.interrupt("r1", 0)
    assert kinds(messages) == ["response.cancel"]
    assert ("cancel", "r1") in scene.parts.calls
    scene.talk.receive(wire.TextDelta("r1", "item", "four. "))
    written = [call for call in scene.parts.calls if call[0] == "write"]
    assert not any("four" in call[2] for call in written)
    messages = list(scene.talk.receive(wire.ResponseDone("r1", "cancelled")).send)
    assert kinds(messages) == ["conversation.item.delete"]
    assert scene.events[-1] == AgentTurnEnded("r1", "cancelled", {})


def test_when_the_caller_spoke_is_told_by_the_audio_that_was_sent() -> None:
    scene = Scene().open()
    for _ in range(100):  # two seconds
        scene.talk.clock.sent(SILENT_FRAME)
    scene.talk.receive(wire.SpeechStarted("q", 1000.0))
    scene.talk.receive(wire.SpeechStopped("q", 1900.0))
    scene.talk.receive(wire.CallerTranscript("q", "Hello?"))
    assert scene.events == [
        SpeechStarted("q", 700.0),  # the padding of 300 ms is no speech
        SpeechStopped("q", 600.0),  # the silence of 500 ms neither
        CallerSaid("q", "Hello?"),
    ]


def test_where_our_sensor_decides_the_services_beginning_of_speech_is_not_reported() -> None:
    scene = Scene(decides=True).open()
    scene.talk.receive(wire.SpeechStarted("q", None))
    assert scene.events == []


def test_a_request_waits_for_the_turn_that_is_being_written() -> None:
    scene = Scene().open().answer("One moment.")
    assert scene.talk.prompt("[keys: 1]", "caller") == []
    messages = list(scene.talk.receive(wire.ResponseDone("r1", "completed")).send)
    assert kinds(messages) == ["conversation.item.create", "response.create"]


def test_a_tool_call_is_reported_and_its_result_sent() -> None:
    scene = Scene().open().answer()
    scene.talk.receive(wire.FunctionCall("r1", "c1", "end_call", "{}"))
    assert scene.events[-1] == ToolCall("r1", "c1", "end_call", "{}")
    scene.talk.receive(wire.ResponseDone("r1", "completed"))
    (item,) = items(scene.talk.answer("c1", "{}", react=False))
    assert (item["type"], item["call_id"]) == ("function_call_output", "c1")


def test_what_a_lost_connection_wrote_is_said_and_the_next_one_goes_on() -> None:
    scene = Scene().open().answer("We are open. ")
    scene.talk.dropped()
    assert ("end", "r1") in scene.parts.calls
    scene.talk.spoken("r1")
    assert scene.events[-1] == AgentTurnEnded("r1", "failed", {})
    messages = scene.talk.opened()
    assert [item["content"][0]["text"].strip() for item in items(messages)] == [
        "We are open.",
        GO_ON,
    ]


def test_troubles_are_told_by_their_codes() -> None:
    scene = Scene().open()
    scene.talk.receive(wire.Trouble(True, "oops", None, ""))
    scene.talk.receive(wire.Malformed())
    scene.talk.hoarse("TooManyRequests")
    scene.talk.speechless("no_audio")
    assert scene.events[:3] == [
        Notice("error", "oops"),
        Notice("malformed", "event"),
        Notice("warning", "speech:TooManyRequests"),
    ]
    assert isinstance(failed := scene.events[3], Failed)
    assert failed.code == "speech:no_audio"


def owes(scene: Scene) -> bool:
    return scene.talk.owes_answer


def is_answering(scene: Scene) -> bool:
    return scene.talk.is_answering


def test_a_caller_who_was_not_heard_or_not_answered_waits_for_the_model() -> None:
    scene = Scene()
    assert owes(scene)  # nobody listens yet
    scene.open()
    assert not owes(scene)
    scene.talk.receive(wire.SpeechStopped("q", 900.0))
    assert owes(scene)
    assert not is_answering(scene)
    scene.answer("We open ")
    assert is_answering(scene)
    scene.talk.receive(wire.ResponseDone("r1", "completed"))
    assert owes(scene)  # it is not said yet
    scene.talk.sound("r1", bytes(4800))
    scene.talk.spoken("r1")
    assert not owes(scene)


def test_a_model_that_says_nothing_on_purpose_owes_nothing() -> None:
    scene = Scene().open()
    scene.talk.receive(wire.SpeechStopped("q", 900.0))
    scene.talk.receive(wire.ResponseCreated("r1"))
    scene.talk.receive(wire.ResponseDone("r1", "completed"))
    scene.talk.spoken("r1")
    assert not owes(scene)


def test_a_model_that_calls_a_function_is_not_asked_again_meanwhile() -> None:
    scene = Scene().open()
    scene.talk.receive(wire.SpeechStopped("q", 900.0))
    scene.talk.receive(wire.ResponseCreated("r1"))
    scene.talk.receive(wire.FunctionCall("r1", "c1", "transfer_to_person", "{}"))
    scene.talk.receive(wire.ResponseDone("r1", "completed"))
    scene.talk.spoken("r1")
    assert not owes(scene)


def test_an_answer_that_failed_is_asked_for_again_and_given_up_at_the_third_time() -> None:
    scene = Scene().open()
    for name in ("r1", "r2", "r3"):
        scene.talk.receive(wire.ResponseCreated(name))
        assert scene.talk.receive(wire.ResponseDone(name, "failed")).send == []
        assert scene.talk.debt.failed
        assert kinds(scene.talk.ask_again()) == ["response.create"]
    assert [type(event) for event in scene.events].count(Failed) == 1


def test_a_model_that_stalls_is_cancelled_and_asked_anew() -> None:
    scene = Scene().open().answer("We ")
    assert kinds(scene.talk.ask_again()) == ["response.cancel"]
    messages = scene.talk.receive(wire.ResponseDone("r1", "cancelled")).send
    assert kinds(messages) == ["response.create"]


def test_a_model_that_does_not_begin_is_asked() -> None:
    scene = Scene().open()
    assert kinds(scene.talk.ask_again()) == ["response.create"]
    assert scene.talk.ask_again() == []  # once
