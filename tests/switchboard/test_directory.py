import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard.directory import Directory, DirectoryError, Fault, parse_directory

EXAMPLE = (Path(__file__).parents[2] / "agents.toml").read_text("utf-8")
GUID = "0f3c7c5b-8f2e-4d67-8a38-6e7d5c1b2a90"
FILE = f"""
region = "US"
default_agent = "reception"
fallback_number = "555-010-0099"

[agents.reception]
bridge = "voice_live"
model = "gpt-realtime"

[agents.billing]
bridge = "voice_live"
project = "p"
agent = "billing-desk"

[numbers]
"(555) 010-0001" = "reception"
"+1 555 010 0002" = {{ agent = "billing", fallback_number = "+15550100098" }}
"28:orgid:{GUID.upper()}" = "billing"
"8:acs:desk_7" = "billing"
"""
WITHOUT_DEFAULT = FILE.replace('default_agent = "reception"', "")


def _parse(text: str | bytes) -> Directory:
    return parse_directory(text, source="agents.toml")


def _faults(text: str | bytes) -> tuple[Fault, ...]:
    with pytest.raises(DirectoryError) as refused:
        _parse(text)
    return refused.value.faults


@pytest.mark.parametrize(
    ("called", "agent", "key"),
    [
        ("4:+15550100001", "reception", "+15550100001"),
        ("+1 (555) 010-0001", "reception", "+15550100001"),
        ("5550100001", "reception", "+15550100001"),
        ("sip:+15550100002@sbc.example.com", "billing", "+15550100002"),
        (f"28:orgid:{GUID}", "billing", f"28:orgid:{GUID}"),
        (f"28:orgid:{GUID.upper()}", "billing", f"28:orgid:{GUID}"),
        ("8:acs:desk_7", "billing", "8:acs:desk_7"),
    ],
)
def test_a_listed_party_is_answered_by_its_agent(called: str, agent: str, key: str) -> None:
    route = _parse(FILE).route(called)
    assert route is not None
    assert (route.agent.name, route.matched, route.key) == (agent, "number", key)


@pytest.mark.parametrize("called", ["4:+15550100077", "+15550100077", "4:+999", "4:unheard-of"])
def test_an_unlisted_phone_number_is_answered_by_the_default_agent(called: str) -> None:
    route = _parse(FILE).route(called)
    assert route is not None
    assert (route.agent.name, route.matched, route.key) == (
        "reception",
        "default",
        "default_agent",
    )
    assert _parse(WITHOUT_DEFAULT).route(called) is None


@pytest.mark.parametrize("called", ["8:acs:other", "28:orgid:other", "", "anonymous", "alice"])
def test_any_other_unlisted_identity_is_nobodys_business(called: str) -> None:
    assert _parse(FILE).route(called) is None


def test_a_number_falls_back_to_its_own_number_before_the_files() -> None:
    directory = _parse(FILE)
    routes = [directory.route(f"4:+1555010000{last}") for last in (1, 2, 3)]
    assert [route and route.fallback_number for route in routes] == [
        "+15550100099",
        "+15550100098",
        "+15550100099",
    ]


def test_the_generation_is_the_files_fingerprint() -> None:
    fingerprint = hashlib.sha256(FILE.encode()).hexdigest()[:12]
    assert _parse(FILE).generation == _parse(FILE.encode()).generation == fingerprint
    assert _parse(FILE + "# later\n").generation != fingerprint


def test_an_agent_that_no_number_leads_to_is_noticed() -> None:
    assert _parse(FILE).unused() == []
    assert _parse(WITHOUT_DEFAULT.replace('0001" = "reception"', '0001" = "billing"')).unused() == [
        "reception"
    ]


BROKEN = '''\
regoin = "US"
default_agent = "recption"
fallback_number = "+19002345678"

[agents.reception]
bridge = "voice_live"
modle = "gpt-realtime"
voice = { type = "azure-standrd", name = "x" }
temperature = 3
silence = { } # a comment

[agents.billing]
bridge = "voice_live"
instructions = """
Several
lines.
"""
model = "m"
transcript = "yes"
session.tools = [
  1,
  2020-01-01,
]
[agents.billing.silence]
prompts = [
  "one",
  2,
]

[numbers]
"+15550100001" = "reception"
"tel:+1-555-010-0001" = { agent = "biling" }
"555 010 0003" = "reception"
'''


def test_all_faults_of_a_file_are_reported_at_once_each_on_its_line() -> None:
    faults = _faults(BROKEN)
    assert [(fault.line, fault.path) for fault in faults] == [
        (1, "regoin"),
        (2, "default_agent"),
        (3, "fallback_number"),
        (7, "agents.reception.modle"),
        (8, "agents.reception.voice.type"),
        (9, "agents.reception.temperature"),
        (19, "agents.billing.transcript"),
        (22, "agents.billing.session.tools[1]"),
        (27, "agents.billing.silence.prompts[1]"),
        (32, 'numbers."tel:+1-555-010-0001".agent'),
        (32, 'numbers."tel:+1-555-010-0001"'),
        (33, 'numbers."555 010 0003"'),
    ]
    assert all(fault.mend.endswith((".", "?")) for fault in faults)
    assert faults[0].mend == "Did you mean `region`?"


def test_an_error_reads_as_one_line_for_each_fault() -> None:
    with pytest.raises(DirectoryError) as refused:
        _parse('[agents.a]\nbridge = "voice_live"\nmodel = "m"\nvoice = "aloy"\n[numbers]\n1 = "a"')
    first, second = str(refused.value).splitlines()
    assert first.startswith('agents.toml:4: agents.a.voice: "aloy" does not fit here. Did you mean')
    assert second.startswith("agents.toml:6: numbers.1: ")


def test_a_text_that_is_no_toml_has_line_and_column() -> None:
    (fault,) = _faults("[numbers]\n+1555 = 'a'\n")
    assert (fault.line, fault.column, fault.path) == (2, 1, "")
    assert "quotes" in fault.mend


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "`agents` is missing"),
        ("# nothing yet\n", 1, "`agents` is missing"),
        ("agents = []\n", 1, "this is a list, but a table is needed"),
        (f"x = {'[' * 5000}{']' * 5000}\n", 1, "lists or tables are nested too deeply"),
        (f"x = {'9' * 5000}\n", 1, "a number has thousands of digits"),
        (b"a = 1\nb = '\xff'\n", 2, "this is not UTF-8"),
        ("agents = 2020-01-01\n", 1, "this is a date or time, but a table is needed"),
    ],
)
def test_what_is_no_directory_is_refused(text: str | bytes, line: int, message: str) -> None:
    faults = _faults(text)
    assert (faults[0].line, faults[0].message) == (line, message)


def test_files_saved_on_windows_are_read_with_the_right_lines() -> None:
    windows = b"\xef\xbb\xbf" + FILE.replace("\n", "\r\n").encode()
    assert set(_parse(windows).agents) == {"reception", "billing"}
    (fault,) = _faults(
        windows.replace(b'bridge = "voice_live"\r\nproject', b"bridge = 1\r\nproject")
    )
    assert fault.line == 11


@given(
    st.integers(0, len(EXAMPLE)),
    st.integers(0, 60),
    st.text(max_size=4) | st.sampled_from(['"', "'''", "[", "]", "{", "=", "#", "\n[a]\n", "+1 5"]),
)
def test_a_slip_of_the_keyboard_is_never_more_than_a_fault(at: int, gone: int, typed: str) -> None:
    text = EXAMPLE[:at] + typed + EXAMPLE[at + gone :]
    try:
        directory = _parse(text)
    except DirectoryError as error:
        faults = error.faults
    else:
        assert directory.agents
        return
    assert faults
    assert all(1 <= fault.line <= text.count("\n") + 2 for fault in faults)
    assert all(fault.message and fault.mend for fault in faults)


def test_a_bridge_that_does_not_exist_is_told_with_those_that_do() -> None:
    broken = FILE.replace('bridge = "voice_live"', 'bridge = "semaphore"', 1)
    (fault,) = _faults(broken)
    assert fault.path.endswith(".bridge")
    assert "voice_live" in fault.mend
    assert "realtime_speech" in fault.mend
