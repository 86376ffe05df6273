"""Scripts of callers and of agents, in TOML: who says what, and when.

A caller's script::

    from = "+14255550123"              # optional
    [[steps]]
    say = "opening_hours.wav"          # words from opening_hours.txt beside it, or: text = "..."
    [[steps]]
    say = "never_mind.wav"
    interrupt_after_ms = 900           # speaks over the agent once it has been heard for 900 ms
    [[steps]]
    press = "12#"
    wait_ms = 400                      # after the step before has ended
    [[steps]]
    hang_up = true                     # or: stay = true, waiting for the other side to hang up
    [expect]
    interruptions = 1                  # ended_by = "caller" | "agent" | "any", answered, greeted

A step does one thing (`say`, `press`, `hang_up`, `listen`, `stay`) at one time: when the agent has
finished speaking (the default), `at_ms` after the media began, `wait_ms` after the step before, or
`interrupt_after_ms` of the agent's speech. `limit_s` bounds every wait; running out of it is
"not as scripted". `text` alone, without a clip, is spoken as a murmur of the right length.

Agents' scripts, for the services that play the agent::

    [[agents]]
    model = "gpt-realtime"             # or agent = "NAME", or deployment = "NAME"; none: any
    [[agents.replies]]
    to = "opening hours"               # in the caller's words (any case); none: whatever was said
    caller = "What are your hours?"    # the transcript of what was said, where sound alone is known
    say = "hours.wav"                  # and/or text = "..."
    delay_ms = 250                     # from the start of the response to its first sound
    call = { name = "end_call", arguments = { } }   # after what is said; or a list of several
    after = "get_order"                # answers what this tool brought, not the caller
    [agents.lines]                     # texts that the product asks to be spoken, with their clips
    "Welcome to Contoso." = "welcome.wav"
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simulator.audio import AudioError, read_wav
from simulator.script import (
    STEP_LIMIT_S,
    Act,
    AfterAgent,
    AfterWait,
    AgentScript,
    AtTime,
    CallerScript,
    DuringAgent,
    Expect,
    HangUp,
    Listen,
    Press,
    Reply,
    Say,
    ScriptError,
    Stay,
    Step,
    ToolCall,
    Utterance,
    When,
)

_DIGITS = frozenset("0123456789ABCD*#")
_ENDERS = ("caller", "agent", "any")


def load_caller(path: Path) -> CallerScript:
    """Reads a caller's script. Raises ScriptError."""
    return parse_caller(_read(path), base=path.parent, source=str(path))


def parse_caller(text: str, *, base: Path, source: str = "script") -> CallerScript:
    """A caller's script from its TOML; clips are found relative to `base`. Raises ScriptError."""
    table = _toml(text, source)
    _known(table, {"from", "steps", "expect"}, source)
    steps = tuple(
        _step(entry, base, f"{source}: step {number}")
        for number, entry in enumerate(_tables(table, "steps", source), 1)
    )
    if not steps:
        raise ScriptError(f"{source}: no [[steps]]: say at least what the caller does first")
    return CallerScript(
        steps, _expect(table.get("expect", {}), source), _text(table, "from", source)
    )


def caller_of_wav(path: Path) -> CallerScript:
    """The plainest caller: hears the greeting, says what the WAV holds, hears the answer, hangs up.

    The words come from the `.txt` beside the file, if there is one. Raises ScriptError.
    """
    said = Step(Say(utterance_of_wav(path)))
    return CallerScript((said, Step(HangUp())), Expect(ended_by="any"))


def utterance_of_wav(path: Path, text: str | None = None) -> Utterance:
    """A clip with its words: those given, or the `.txt` beside it, or none. Raises ScriptError."""
    try:
        clip = read_wav(path)
    except AudioError as error:
        raise ScriptError(str(error)) from error
    words = path.with_suffix(".txt")
    if text is None and words.is_file():
        text = " ".join(_read(words).split())
    return Utterance(text or "", clip)


def load_agents(path: Path) -> tuple[AgentScript, ...]:
    """Reads agents' scripts. Raises ScriptError."""
    return parse_agents(_read(path), base=path.parent, source=str(path))


def parse_agents(text: str, *, base: Path, source: str = "script") -> tuple[AgentScript, ...]:
    """Agents' scripts from their TOML; clips are found relative to `base`. Raises ScriptError."""
    table = _toml(text, source)
    _known(table, {"agents"}, source)
    return tuple(
        _agent(entry, base, f"{source}: agent {number}")
        for number, entry in enumerate(_tables(table, "agents", source), 1)
    )


def _step(entry: Mapping[str, Any], base: Path, where: str) -> Step:
    acts = {"say", "text", "press", "hang_up", "listen", "stay"}
    times = {"pause_ms", "at_ms", "wait_ms", "interrupt_after_ms"}
    _known(entry, acts | times | {"limit_s"}, where)
    act = _act(entry, base, where)
    when = _when(entry, times & entry.keys(), act, where)
    return Step(act, when, _number(entry, "limit_s", where, STEP_LIMIT_S))


def _act(entry: Mapping[str, Any], base: Path, where: str) -> Act:
    named = [key for key in ("press", "hang_up", "listen", "stay") if key in entry]
    spoken = "say" in entry or "text" in entry
    if len(named) + spoken != 1:
        raise ScriptError(f"{where}: do one of say (or text), press, hang_up, listen, stay")
    match named:
        case []:
            return Say(_utterance(entry, base, where))
        case ["press"]:
            digits = entry["press"]
            if not isinstance(digits, str) or not digits or set(digits) - _DIGITS:
                raise ScriptError(f'{where}: press takes digits in quotes, such as "12#"')
            return Press(digits)
        case _:
            if entry[named[0]] is not True:
                raise ScriptError(f"{where}: write {named[0]} = true")
            silent: dict[str, Act] = {"hang_up": HangUp(), "listen": Listen(), "stay": Stay()}
            return silent[named[0]]


def _when(entry: Mapping[str, Any], given: set[str], act: Act, where: str) -> When:
    if len(given) > 1:
        raise ScriptError(f"{where}: {' and '.join(sorted(given))}: give one time, not several")
    match given:
        case s if "at_ms" in s:
            return AtTime(_number(entry, "at_ms", where, 0))
        case s if "wait_ms" in s:
            return AfterWait(_number(entry, "wait_ms", where, 0))
        case s if "interrupt_after_ms" in s:
            return DuringAgent(_number(entry, "interrupt_after_ms", where, 0))
        case s if "pause_ms" in s:
            return AfterAgent(_number(entry, "pause_ms", where, 0))
        case _:
            return AfterWait(0) if isinstance(act, Stay) else AfterAgent()


def _expect(entry: Any, source: str) -> Expect:
    where = f"{source}: expect"
    if not isinstance(entry, dict):
        raise ScriptError(f"{where}: write it as a table, [expect]")
    _known(entry, {"answered", "greeted", "ended_by", "interruptions"}, where)
    ended_by = entry.get("ended_by", "any")
    if ended_by not in _ENDERS:
        raise ScriptError(f"{where}.ended_by: one of {', '.join(_ENDERS)}")
    count = entry.get("interruptions")
    if count is not None and (not isinstance(count, int) or isinstance(count, bool)):
        raise ScriptError(f"{where}.interruptions: a whole number")
    flags = {}
    for key in ("answered", "greeted"):
        flags[key] = entry.get(key, True)
        if not isinstance(flags[key], bool):
            raise ScriptError(f"{where}.{key}: true or false")
    return Expect(ended_by=ended_by, interruptions=count, **flags)


def _agent(entry: Mapping[str, Any], base: Path, where: str) -> AgentScript:
    _known(entry, {"model", "agent", "deployment", "replies", "lines"}, where)
    names = {key: _text(entry, key, where) for key in ("model", "agent", "deployment")}
    if sum(name is not None for name in names.values()) > 1:
        raise ScriptError(f"{where}: name one of model, agent, deployment")
    lines = entry.get("lines", {})
    if not isinstance(lines, dict):
        raise ScriptError(f"{where}.lines: write it as a table of text = clip")
    replies = tuple(
        _reply(reply, base, f"{where}, reply {number}")
        for number, reply in enumerate(_tables(entry, "replies", where), 1)
    )
    spoken = {text: utterance_of_wav(base / str(clip), text) for text, clip in lines.items()}
    return AgentScript(replies, spoken, **names)


def _reply(entry: Mapping[str, Any], base: Path, where: str) -> Reply:
    _known(entry, {"to", "caller", "after", "say", "text", "delay_ms", "call"}, where)
    given = entry.get("call", [])
    calls = given if isinstance(given, list) else [given]
    for call in calls:
        if not isinstance(call, dict) or not isinstance(call.get("name"), str):
            raise ScriptError(f'{where}.call: write {{ name = "...", arguments = {{ }} }}')
    return Reply(
        _utterance(entry, base, where),
        to=_text(entry, "to", where),
        caller=_text(entry, "caller", where),
        after=_text(entry, "after", where),
        delay_ms=_number(entry, "delay_ms", where, 250.0),
        calls=tuple(ToolCall(call["name"], call.get("arguments", {})) for call in calls),
    )


def _utterance(entry: Mapping[str, Any], base: Path, where: str) -> Utterance:
    text, clip = _text(entry, "text", where), _text(entry, "say", where)
    if clip is None:
        return Utterance(text or "")
    return utterance_of_wav(base / clip, text)


def _toml(text: str, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScriptError(f"{source}: {error}") from error


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ScriptError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ScriptError(f"{path}: is not UTF-8 text ({error})") from error


def _known(table: Mapping[str, Any], keys: set[str], where: str) -> None:
    if unknown := sorted(table.keys() - keys):
        raise ScriptError(
            f"{where}: unknown {', '.join(unknown)}; it may be {', '.join(sorted(keys))}"
        )


def _tables(table: Mapping[str, Any], key: str, where: str) -> list[dict[str, Any]]:
    entries = table.get(key, [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ScriptError(f"{where}: write {key} as [[{key}]]")
    return entries


def _text(table: Mapping[str, Any], key: str, where: str) -> str | None:
    value = table.get(key)
    if value is not None and not isinstance(value, str):
        raise ScriptError(f"{where}: {key} is text in quotes")
    return value


def _number(table: Mapping[str, Any], key: str, where: str, default: float) -> float:
    value = table.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ScriptError(f"{where}: {key} is a number, 0 or more")
    return float(value)
