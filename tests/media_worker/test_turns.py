import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_worker.limits import MAX_TURNS
from media_worker.turns import Turns, words_heard
from switchboard.record import TurnRecord


@pytest.mark.parametrize(
    ("share", "heard"),
    [
        (0.0, ""),
        (0.05, ""),
        (0.3, "We are"),
        (0.5, "We are open"),
        (0.99, "We are open from"),
        (1.0, "We are open from nine."),
    ],
)
def test_only_whole_words_count_as_heard(share: float, heard: str) -> None:
    assert words_heard("We are open from nine.", share) == heard


def test_a_text_without_spaces_is_cut_at_the_character() -> None:
    assert words_heard("\u3053\u3093\u306b\u3061\u306f", 0.5) == "\u3053\u3093"


@given(st.text(max_size=200), st.floats(0, 2))
def test_what_was_heard_is_a_beginning_of_what_was_said(text: str, share: float) -> None:
    assert text.startswith(words_heard(text, share))


def test_a_talk_is_kept_in_order_with_its_reply_latency() -> None:
    turns = Turns(100.0, keep_text=True)
    turns.agent_said("greeting", "Hello, ")
    turns.agent_audio("greeting", 100.4)
    turns.agent_said("greeting", "who is there?")
    turns.agent_ended("greeting", 102.0)
    turns.caller_started("u1", 102.5)
    turns.caller_stopped("u1", 103.5)
    turns.agent_audio("r1", 104.25)
    turns.agent_audio("r1", 105.0)
    turns.agent_said("r1", "Good day, Ada.")
    turns.agent_ended("r1", 106.0)
    turns.caller_said("u1", "It is Ada.", 105.5)  # transcription comes late
    assert turns.records(200.0) == (
        TurnRecord(speaker="agent", text="Hello, who is there?", started_ms=400.0, ended_ms=2000.0),
        TurnRecord(speaker="caller", text="It is Ada.", started_ms=2500.0, ended_ms=3500.0),
        TurnRecord(
            speaker="agent",
            text="Good day, Ada.",
            started_ms=4250.0,
            ended_ms=6000.0,
            reply_latency_ms=750.0,
        ),
    )


def test_an_interrupted_turn_tells_what_was_heard_of_it() -> None:
    turns = Turns(0.0, keep_text=True)
    turns.agent_audio("a", 1.0)
    turns.agent_said("a", "We are open from nine.")
    turns.agent_ended("a", 5.0)
    turns.agent_cut("a", 3.0, heard_ms=2000, sent_ms=4000)
    turns.agent_ended("a", 6.0)
    (record,) = turns.records(9.0)
    assert record.interrupted
    assert (record.text, record.heard_text) == ("We are open from nine.", "We are open")
    assert record.ended_ms == 3000.0


def test_a_turn_of_which_nothing_was_sent_is_no_turn() -> None:
    turns = Turns(0.0, keep_text=True)
    turns.agent_said("a", "Never")
    turns.agent_cut("a", 1.0, heard_ms=0, sent_ms=0)
    turns.agent_ended("a", 2.0)
    assert turns.records(3.0) == ()


def test_without_a_transcript_no_word_is_kept() -> None:
    turns = Turns(0.0, keep_text=False)
    turns.caller_started("u", 0.0)
    turns.caller_said("u", "secret", 1.0)
    turns.agent_audio("a", 1.0)
    turns.agent_said("a", "another secret")
    turns.agent_cut("a", 2.0, heard_ms=500, sent_ms=1000)
    assert [(r.text, r.heard_text) for r in turns.records(3.0)] == [(None, None), (None, None)]


def test_a_silence_prompt_has_no_reply_latency() -> None:
    turns = Turns(0.0, keep_text=True)
    turns.caller_started("u", 0.0)
    turns.caller_stopped("u", 1.0)
    turns.unprompted()
    turns.agent_audio("prompt", 9.0)
    assert turns.records(10.0)[1].reply_latency_ms is None


def test_a_call_that_ends_in_the_middle_of_a_turn_ends_the_turn() -> None:
    turns = Turns(0.0, keep_text=True)
    turns.agent_audio("a", 1.0)
    turns.agent_ended("a", 8.0)
    assert turns.records(3.0)[0].ended_ms == 3000.0


def test_an_endless_call_keeps_its_newest_turns() -> None:
    turns = Turns(0.0, keep_text=True)
    for n in range(MAX_TURNS + 10):
        turns.caller_started(f"u{n}", float(n))
    records = turns.records(1e6)
    assert len(records) == MAX_TURNS
    assert records[-1].started_ms == (MAX_TURNS + 9) * 1000


def test_the_turns_of_the_worker_before_stay_in_the_record() -> None:
    earlier = (TurnRecord(speaker="agent", text="Welcome!"),)
    turns = Turns(0.0, keep_text=True, earlier=earlier)
    turns.caller_said("u", "Hello?", 1.0)
    assert [record.text for record in turns.records(2.0)] == ["Welcome!", "Hello?"]


def test_the_words_heard_are_kept_as_the_bridge_knows_them() -> None:
    turns = Turns(0.0, keep_text=True)
    turns.agent_audio("r1", 1.0)
    turns.agent_said("r1", "One two three four")
    turns.agent_cut("r1", 2.0, 1000, 2000, "One two three")
    (record,) = turns.records(3.0)
    assert record.heard_text == "One two three"


def test_speech_without_a_name_is_no_turn_but_the_reply_is_timed_from_it() -> None:
    turns = Turns(0.0, keep_text=True)
    turns.caller_started("", 1.0)
    turns.caller_stopped("", 2.0)
    turns.agent_audio("r1", 2.5)
    (record,) = turns.records(3.0)
    assert (record.speaker, record.reply_latency_ms) == ("agent", 500.0)


class Listening:
    """A `Listener` that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []

    def agent_began(self, turn: str, at: float, reply_ms: float | None) -> None:
        self.told.append(("began", turn, at, reply_ms))

    def agent_ends(self, turn: str, at: float) -> None:
        self.told.append(("ends", turn, at))

    def agent_cut(self, turn: str, at: float, heard_ms: int) -> None:
        self.told.append(("cut", turn, at, heard_ms))

    def silenced(self, after_ms: float) -> None:
        self.told.append(("silenced", after_ms))


def test_whoever_listens_is_told_of_each_turn_once_and_of_no_words() -> None:
    turns, listening = Turns(100.0, keep_text=True), Listening()
    turns.listener = listening
    turns.caller_started("u1", 101.0)
    turns.caller_stopped("u1", 102.0)
    turns.agent_said("r1", "Good day.")
    for at in (102.5, 103.0, 103.5):
        turns.agent_audio("r1", at)
    turns.agent_ended("r1", 108.0)
    turns.caller_started("u2", 105.0)
    turns.silenced(105.25)
    turns.agent_cut("r1", 105.25, 2750, 5500)
    turns.agent_cut("never heard", 105.25, 0, 0)
    assert listening.told == [
        ("began", "r1", 102.5, 500.0),
        ("ends", "r1", 108.0),
        ("silenced", 250.0),
        ("cut", "r1", 105.25, 2750),
        ("cut", "never heard", 105.25, 0),
    ]


def test_an_agent_that_a_key_silences_was_not_interrupted_by_a_voice() -> None:
    turns, listening = Turns(100.0, keep_text=True), Listening()
    turns.listener = listening
    turns.caller_started("u1", 101.0)
    turns.caller_stopped("u1", 102.0)
    turns.silenced(110.0)
    assert listening.told == []
