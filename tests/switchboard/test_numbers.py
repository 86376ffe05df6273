import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard import numbers
from switchboard.numbers import NumberError

WRITINGS = [
    # as Azure Communication Services and SIP write a called party
    ("4:+15550100001", None),
    (" 4:+15550100001 ", None),
    ("4:15550100001", "US"),
    ("sip:+15550100001@sbc.example.com", None),
    ("sip:+15550100001@sbc.example.com;user=phone", None),
    ("sips:+15550100001@10.0.0.1:5061", None),
    ("SIP:+15550100001@sbc.example.com", None),
    ("sip:%2B15550100001@sbc.example.com", None),
    ("tel:+15550100001", None),
    ("tel:+1-555-010-0001", None),
    ("TEL:+1-555-010-0001", None),
    ("tel:+1-555-010-0001;ext=12", None),
    ("tel:555-010-0001;phone-context=+1", None),
    # as people write it
    ("+15550100001", None),
    ("+1 555 010 0001", None),
    ("+1 (555) 010-0001", None),
    ("+1-555-010-0001", None),
    ("+1.555.010.0001", None),
    ("+1/555/010/0001", None),
    ("+1 555 010 0001", None),  # no-break spaces
    ("+1‑555‑010‑0001", None),  # no-break hyphens
    ("(+1) 555 010 0001", None),
    ("+1 555 010 0001 ext. 7", None),
    ("+1 555 010 0001 x7", None),
    ("+15550100001;ext=7", None),
    ("  +1 555 010 0001\n", None),
    ("0015550100001", None),
    ("001 555 010 0001", None),
    ("0015550100001", "US"),
    ("0015550100001", "DE"),
    ("001 (555) 010-0001", "GB"),
    ("＋１５５５０１００００１", None),  # full width
    ("+١٥٥٥٠١٠٠٠٠١", None),  # Arabic
    ("٠٠١٥٥٥٠١٠٠٠٠١", None),
    ("+१५५५०१००००१", None),  # Devanagari
    # with a region
    ("555-010-0001", "US"),
    ("(555) 010-0001", "US"),
    ("5550100001", "US"),
    ("1 555 010 0001", "US"),
    ("15550100001", "US"),
    ("1-555-010-0001", "CA"),
    ("011 1 555 010 0001", "US"),
    ("555.010.0001 ext 7", "US"),
]


@pytest.mark.parametrize(("raw", "region"), WRITINGS)
def test_every_usual_writing_is_the_same_number(raw: str, region: str | None) -> None:
    assert numbers.normalise(raw, region) == "+15550100001"
    assert numbers.identity(raw, region) == "+15550100001"
    assert numbers.is_phone(raw, region)


@pytest.mark.parametrize(
    ("raw", "region", "e164"),
    [
        ("+49 (0)30 123456", None, "+4930123456"),
        ("030 / 12 34 56", "DE", "+4930123456"),
        ("0049 30 123456", "DE", "+4930123456"),
        ("011 49 30 123456", "US", "+4930123456"),
        ("0011 1 555 010 0001", "AU", "+15550100001"),
        ("+39 06 1234 5678", None, "+390612345678"),  # Italy keeps its zero
        ("+1 800 FLOWERS", None, "+18003569377"),
    ],
)
def test_each_countrys_habits_are_known(raw: str, region: str | None, e164: str) -> None:
    assert numbers.normalise(raw, region) == e164


@pytest.mark.parametrize(
    ("raw", "region", "why"),
    [
        ("", None, "not a phone number"),
        ("   ", "US", "not a phone number"),
        ("anonymous", "US", "not a phone number"),
        ("4:", None, "not a phone number"),
        ("4:anonymous", None, "not a phone number"),
        ("sip:alice@example.com", None, "not a phone number"),
        ("reception", "US", "not a phone number"),
        ("5550100001", None, "the country is missing"),
        ("+1555", None, "too short"),
        ("911", "US", "too short"),
        ("+15550100001000000", None, "too long"),
        ("555 0100", "US", "the area code is missing"),
        ("+999 123 456 789", None, "no country has this code"),
        ("+" + "1" * 400, None, "not a phone number"),
    ],
)
def test_what_is_no_number_is_refused_with_reason_and_mend(
    raw: str, region: str | None, why: str
) -> None:
    with pytest.raises(NumberError, match=why) as refused:
        numbers.normalise(raw, region)
    assert refused.value.mend.endswith(".")


def test_other_identities_are_compared_without_regard_to_case() -> None:
    raw = "28:orgid:0F3C7C5B-8F2E-4D67-8A38-6E7D5C1B2A90"
    assert numbers.identity(f" {raw}", None) == raw.lower()
    assert numbers.identity("8:ACS:ab_cd", "US") == "8:acs:ab_cd"
    assert not numbers.is_phone(raw, "US")


def test_an_impossible_number_is_still_meant_as_a_phone_number() -> None:
    assert numbers.is_phone("4:+999", None)
    assert numbers.is_phone("+1", None)
    assert not numbers.is_phone("hello", None)
    assert not numbers.is_phone("", None)


@pytest.mark.parametrize("raw", ["anonymous", "Anonymous", "", " ", "4:anonymous", "restricted"])
def test_a_withheld_number_is_recognised(raw: str) -> None:
    assert numbers.is_anonymous(raw)
    assert not numbers.is_anonymous("4:+15550100001")


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("+1 900 234 5678", "premium-rate"),
        ("+44 909 879 0000", "premium-rate"),
        ("+1 555 010 0001;ext=5", "extension"),
        ("+1 555", "too short"),
        ("112", "too short"),
    ],
)
def test_a_caller_is_never_sent_to_such_a_number(raw: str, why: str) -> None:
    with pytest.raises(NumberError, match=why):
        numbers.fallback(raw, "US")


def test_an_ordinary_number_is_a_fallback() -> None:
    assert numbers.fallback("(555) 010-0099", "US") == "+15550100099"


def test_regions_are_countries() -> None:
    assert numbers.is_region("US")
    assert not numbers.is_region("XX")


def test_a_masked_number_shows_two_digits() -> None:
    assert numbers.masked("+15550100023") == "…23"
    assert numbers.masked("4:+15550100023") == "…23"
    assert numbers.masked("112") == "…"
    assert numbers.masked("") == "…"


@given(st.text(max_size=80), st.sampled_from([None, "US", "DE", "JP"]))
def test_any_text_is_a_number_or_refused(raw: str, region: str | None) -> None:
    try:
        e164 = numbers.normalise(raw, region)
    except NumberError:
        return
    assert e164.startswith("+")
    assert numbers.normalise(e164, None) == e164


def test_a_refusal_does_not_quote_the_number() -> None:
    with pytest.raises(NumberError) as refused:
        numbers.normalise("+1 555 010 0001 234567", None)
    assert "555" not in str(refused.value)


def test_a_cold_start_does_not_load_the_numbering_plans() -> None:
    code = "import sys, switchboard.directory; print('phonenumbers' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
