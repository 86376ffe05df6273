from media_worker.limits import FAREWELL_S
from media_worker.patience import End, Patience, Say
from switchboard.agents import Silence, VoiceLiveAgent
from switchboard.end_reason import EndReason

AGENT = VoiceLiveAgent(
    name="test",
    model="m",
    goodbye="Time is up.",
    silence=Silence(prompt_after_s=8.0, prompts=("Hello?", "Still there?"), goodbye="Bye."),
    max_call_minutes=10,
)


def test_a_silent_caller_is_asked_twice_then_told_goodbye_and_hung_up_on() -> None:
    patience = Patience(AGENT, 0.0)
    assert patience.due_at(0.0) == 8.0
    assert patience.step(7.9, 0.0) is None
    assert patience.step(8.0, 0.0) == Say("Hello?")
    assert patience.step(9.0, None) is None
    assert patience.step(18.0, 10.0) == Say("Still there?")
    assert patience.step(28.0, 20.0) == Say("Bye.")
    assert patience.step(28.1, 20.0) is None  # the goodbye has not begun
    patience.turn_started()
    assert patience.step(29.0, None) is None  # it is being heard
    assert patience.step(31.0, 30.9) == End(EndReason.CALLER_SILENT)


def test_a_word_of_the_caller_starts_the_patience_anew() -> None:
    patience = Patience(AGENT, 0.0)
    patience.step(8.0, 0.0)
    patience.caller_spoke()
    assert patience.step(30.0, 20.0) == Say("Hello?")


def test_a_caller_who_speaks_into_the_goodbye_takes_the_call_back() -> None:
    patience = Patience(AGENT, 0.0)
    patience.say_farewell(EndReason.AGENT_ENDED, 1.0, begun=True)
    patience.caller_spoke()
    assert not patience.ending
    assert patience.step(2.0, 1.5) is None


def test_an_agent_without_prompts_waits_for_ever() -> None:
    agent = VoiceLiveAgent(name="test", model="m", silence=Silence(prompts=()))
    patience = Patience(agent, 0.0)
    assert patience.step(agent.max_call_minutes * 60 - 1, 0.0) is None


def test_the_longest_call_ends_with_a_goodbye_whatever_the_caller_says() -> None:
    patience = Patience(AGENT, 0.0)
    assert patience.due_at(None) == 600.0
    assert patience.step(600.0, None) == Say("Time is up.")
    patience.caller_spoke()
    patience.turn_started()
    assert patience.step(603.0, 602.0) == End(EndReason.TOO_LONG)


def test_a_farewell_that_is_never_heard_is_not_waited_for() -> None:
    patience = Patience(AGENT, 0.0)
    patience.say_farewell(EndReason.AGENT_ENDED, 5.0, begun=False)
    assert patience.step(5.0 + FAREWELL_S - 0.1, 5.0) is None
    assert patience.due_at(5.0) == 5.0 + FAREWELL_S
    assert patience.step(5.0 + FAREWELL_S, None) == End(EndReason.AGENT_ENDED)
