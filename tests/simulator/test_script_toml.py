"""Scripts in TOML: what they say, and what is said of their mistakes."""

from pathlib import Path

import pytest

from simulator.audio import write_wav
from simulator.script import (
    AfterAgent,
    AfterWait,
    AtTime,
    DuringAgent,
    Expect,
    HangUp,
    Press,
    Say,
    ScriptError,
    Stay,
)
from simulator.script_toml import (
    caller_of_wav,
    load_agents,
    load_caller,
    parse_agents,
    parse_caller,
)

SCRIPTS = Path(__file__).parents[2] / "simulator" / "scripts"


def _clip(directory: Path, name: str, words: str | None = None) -> Path:
    write_wav(directory / name, b"\1\0" * 100, rate=24000)
    if words is not None:
        (directory / name).with_suffix(".txt").write_text(words + "\n")
    return directory / name


def test_a_callers_script_is_read_step_by_step(tmp_path: Path) -> None:
    _clip(tmp_path, "hours.wav", "What are\nyour hours?")
    script = parse_caller(
        """
        from = "+14255550100"
        [[steps]]
        say = "hours.wav"
        pause_ms = 300
        [[steps]]
        text = "Never mind."
        interrupt_after_ms = 900
        limit_s = 5
        [[steps]]
        press = "12#"
        at_ms = 9000
        [[steps]]
        stay = true
        [expect]
        interruptions = 1
        ended_by = "agent"
        """,
        base=tmp_path,
    )
    assert script.number == "+14255550100"
    assert script.expect == Expect(ended_by="agent", interruptions=1)
    said, interrupted, pressed, stayed = script.steps
    assert isinstance(said.act, Say)
    assert said.act.utterance.text == "What are your hours?"
    assert said.act.utterance.pcm(24000) == b"\1\0" * 100
    assert said.when == AfterAgent(300)
    assert isinstance(interrupted.act, Say)
    assert interrupted.act.utterance.clip is None
    assert (interrupted.when, interrupted.limit_s) == (DuringAgent(900), 5)
    assert (pressed.act, pressed.when) == (Press("12#"), AtTime(9000))
    assert (stayed.act, stayed.when) == (Stay(), AfterWait(0))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no \\[\\[steps\\]\\]"),
        ("[[steps]]\nsay = 1", "step 1: say is text"),
        ("[[steps]]\nsay = 'gone.wav'", "gone.wav: No such file"),
        ("[[steps]]\nhang_up = true\npress = '1'", "step 1: do one of"),
        ("[[steps]]\nwait_ms = 3", "step 1: do one of"),
        ("[[steps]]\nhang_up = 'yes'", "write hang_up = true"),
        ("[[steps]]\npress = '1x'", 'press takes digits in quotes, such as "12#"'),
        ("[[steps]]\nhang_up = true\nat_ms = 1\nwait_ms = 2", "give one time"),
        ("[[steps]]\nhang_up = true\nat_ms = -1", "at_ms is a number, 0 or more"),
        ("[[steps]]\nhang_up = true\nwhen = 1", "unknown when; it may be"),
        ("[[steps]]\nhang_up = true\n[expect]\nended_by = 'me'", "expect.ended_by: one of"),
        ("[[steps]]\nhang_up = true\n[expect]\ngreeted = 1", "expect.greeted: true or false"),
        ("[[steps]]\nhang_up = true\n[expect]\ninterruptions = 'one'", "a whole number"),
        ("steps = 3", "write steps as \\[\\[steps\\]\\]"),
        ("[[steps", "Expected"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_its_mend(
    text: str, complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(ScriptError, match=complaint):
        parse_caller(text, base=tmp_path)


def test_a_wav_alone_makes_a_caller_who_asks_listens_and_hangs_up(tmp_path: Path) -> None:
    script = caller_of_wav(_clip(tmp_path, "a.wav", "Hello?"))
    say, gone = script.steps
    assert isinstance(say.act, Say)
    assert say.act.utterance.text == "Hello?"
    assert gone.act == HangUp()
    silent = caller_of_wav(_clip(tmp_path, "b.wav"))
    assert isinstance(silent.steps[0].act, Say)
    assert silent.steps[0].act.utterance.text == ""


def test_agents_mistakes_are_told_too(tmp_path: Path) -> None:
    for text, complaint in [
        ("[[agents]]\nmodel = 'a'\nagent = 'b'", "name one of model, agent, deployment"),
        ("[[agents]]\nlines = 3", "lines: write it as a table"),
        ("[[agents]]\n[[agents.replies]]\ncall = 'x'", "reply 1"),
    ]:
        with pytest.raises(ScriptError, match=complaint):
            parse_agents(text, base=tmp_path)


def test_the_scripts_that_come_with_the_simulators_can_be_read() -> None:
    callers = sorted(SCRIPTS.glob("*caller*.toml"))
    agents = sorted(SCRIPTS.glob("*agents*.toml"))
    assert callers
    assert agents
    assert all(load_caller(path).steps for path in callers)
    assert all(load_agents(path) for path in agents)
