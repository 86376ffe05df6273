import pytest

from switchboard.directory import DirectoryError, Fault, parse_directory
from switchboard.limits import AGENT_MAX_BYTES
from switchboard.session import SessionDescriptor

AGENTS = """
[agents.reception]
bridge = "voice_live"
model = "gpt-realtime"
[agents.billing]
bridge = "voice_live"
model = "gpt-realtime"
"""


def _faults(head: str, numbers: str) -> tuple[Fault, ...]:
    with pytest.raises(DirectoryError) as refused:
        parse_directory(f"{head}\n{AGENTS}\n[numbers]\n{numbers}\n", source="agents.toml")
    return refused.value.faults


def _only(head: str, numbers: str) -> Fault:
    (fault,) = _faults(head, numbers)
    return fault


@pytest.mark.parametrize(
    ("head", "numbers"),
    [
        ("", '"+1 555 010 0001" = "reception"\n"tel:+1-555-010-0001" = "reception"'),
        ("", '"+15550100001" = "reception"\n"4:+15550100001" = "billing"'),
        ('region = "US"', '"+15550100001" = "reception"\n"555 010 0001" = "reception"'),
        ("", '"8:acs:A" = "reception"\n"8:ACS:a" = "reception"'),
    ],
)
def test_two_writings_of_one_number_are_a_fault(head: str, numbers: str) -> None:
    fault = _only(head, numbers)
    assert "is the same number as" in fault.message
    assert fault.line == 12


@pytest.mark.parametrize(
    ("head", "numbers", "path"),
    [
        ('default_agent = "receptoin"', "", "default_agent"),
        ("", '"+15550100001" = "receptoin"', 'numbers."+15550100001"'),
        ("", '"+15550100001".agent = "receptoin"', 'numbers."+15550100001".agent'),
    ],
)
def test_an_agent_that_does_not_exist_is_a_fault(head: str, numbers: str, path: str) -> None:
    fault = _only(head, numbers)
    assert (fault.path, fault.mend) == (path, 'Did you mean "reception"?')


def test_an_agent_with_faults_of_its_own_does_exist() -> None:
    text = '[agents.a]\nbridge = "voice_live"\n[numbers]\n"+15550100001" = "a"\n'
    with pytest.raises(DirectoryError) as refused:
        parse_directory(text, source="agents.toml")
    assert [fault.path for fault in refused.value.faults] == ["agents.a"]


def test_an_agent_unlike_all_others_gets_a_list_of_them() -> None:
    assert _only('default_agent = "xyz"', "").mend == 'Known: "reception" or "billing".'


@pytest.mark.parametrize(
    ("head", "numbers", "why"),
    [
        ('fallback_number = "+1 900 234 5678"', "", "premium-rate"),
        ('fallback_number = "+1 555"', "", "too short"),
        ('fallback_number = "reception"', "", "not a phone number"),
        ('fallback_number = "555 010 0099"', "", "the country is missing"),
        (
            "",
            '"+15550100001" = { agent = "billing", fallback_number = "+19002345678" }',
            "premium-rate",
        ),
    ],
)
def test_a_fallback_that_nobody_should_be_sent_to_is_a_fault(
    head: str, numbers: str, why: str
) -> None:
    if not numbers:
        numbers = '"+15550100001" = "reception"'
    fault = _only(head, numbers)
    assert why in fault.message
    assert fault.path.endswith("fallback_number")


@pytest.mark.parametrize(
    ("head", "numbers"),
    [
        ("", '"+15550100001" = { agent = "billing", fallback_number = "tel:+15550100001" }'),
        ('fallback_number = "+15550100001"', '"+15550100001" = "reception"'),
    ],
)
def test_a_number_that_falls_back_to_itself_is_a_fault(head: str, numbers: str) -> None:
    assert "leads back to this same number" in _only(head, numbers).message


def test_fallbacks_that_go_in_a_circle_are_a_fault_wherever_they_begin() -> None:
    faults = _faults(
        "",
        '"+15550100001" = { agent = "billing", fallback_number = "+15550100002" }\n'
        '"+15550100002" = { agent = "billing", fallback_number = "+15550100003" }\n'
        '"+15550100003" = { agent = "billing", fallback_number = "+15550100002" }\n',
    )
    assert [fault.line for fault in faults] == [12, 13]


def test_a_second_agent_may_be_the_fallback_of_the_first() -> None:
    numbers = (
        '"+15550100001" = { agent = "billing", fallback_number = "+15550100002" }\n'
        '"+15550100002" = "reception"\n'
    )
    parse_directory(f"{AGENTS}\n[numbers]\n{numbers}", source="agents.toml")


@pytest.mark.parametrize(
    ("key", "setting"),
    [("default", "default_agent"), ("fallback_number", "fallback_number"), ("region", "region")],
)
def test_a_setting_of_the_file_under_numbers_is_sent_to_the_top(key: str, setting: str) -> None:
    fault = _only("", f'{key} = "+15550100099"')
    assert fault.path == f"numbers.{key}"
    assert fault.mend.startswith(f"Write {setting} = … at the top")


def test_a_region_that_does_not_exist_is_one_fault_not_one_for_each_number() -> None:
    fault = _only('region = "XX"\nfallback_number = "555 010 0099"', '"555 010 0001" = "billing"')
    assert fault.path == "region"


@pytest.mark.parametrize("letter", ["x", "ü", "漢", "&", '"', "\\u0001", "\\n"])
def test_an_accepted_agent_always_fits_into_its_calls_message(letter: str) -> None:
    for length in (1_000, 8_000, 12_000, 16_000, 24_000, 32_000):
        instructions = letter.replace('"', '\\"') * length
        text = (
            '[agents.a]\nbridge = "voice_live"\nmodel = "m"\n'
            f'instructions = "{instructions}x"\n[numbers]\n"+15550100001" = "a"\n'
        )
        try:
            agent = parse_directory(text, source="agents.toml").agents["a"]
        except DirectoryError as error:
            refused = error.faults
        else:
            assert _descriptor_size(agent) > 0
            continue
        assert [fault.path.partition(".instructions")[0] for fault in refused] == ["agents.a"]


def _descriptor_size(agent: object) -> int:
    descriptor = SessionDescriptor(
        call_id="20261123-" + "0" * 24,
        called="4:+15550100001",
        caller="4:+15550100002",
        caller_name="A" * 100,
        correlation_id="x" * 100,
        server_call_id="x" * 1000,
        rung_at=0.0,
        agent=agent,  # type: ignore[arg-type]
        directory_generation="0" * 12,
        fallback_number="+15550100099",
        traceparent=None,
        audio_rate=24000,
    )
    return len(descriptor.to_json())


def test_an_agent_too_large_for_a_call_is_a_fault() -> None:
    tools = ", ".join(f'"{"x" * 1000}"' for _ in range(AGENT_MAX_BYTES // 1000))
    text = (
        f'[agents.a]\nbridge = "voice_live"\nmodel = "m"\nsession.tools = [{tools}]\n'
        '[numbers]\n"+15550100001" = "a"\n'
    )
    with pytest.raises(DirectoryError) as refused:
        parse_directory(text, source="agents.toml")
    (fault,) = refused.value.faults
    assert (fault.line, fault.path) == (1, "agents.a")
    assert "more than a call can carry" in fault.message
