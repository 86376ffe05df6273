import contextlib
import dataclasses
import json
import re
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard.agents import VoiceLiveAgent
from switchboard.session import (
    DescriptorError,
    SessionDescriptor,
    call_id_of,
    derive_token,
    is_call_id,
    is_token,
    repeatability_id,
    token_hash,
    tokens_match,
    traceparent_of,
)

CONTEXT = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJjYyI6Ikg0c0kifQ."
RUNG_AT = 1_795_000_000.25  # 2026-11-18T11:06:40Z
CALL_ID = call_id_of(RUNG_AT, "19e93701", "4:+18662315126", CONTEXT)


def descriptor(**changed: Any) -> SessionDescriptor:
    values: dict[str, Any] = {
        "call_id": CALL_ID,
        "called": "4:+18662315126",
        "caller": "4:+18447649276",
        "caller_name": "",
        "correlation_id": "19e93701",
        "server_call_id": "aHR0cHM6Ly9hcGk=",
        "rung_at": RUNG_AT,
        "agent": VoiceLiveAgent(name="reception", model="gpt-realtime", instructions="Be kind."),
        "directory_generation": "0123456789ab",
        "fallback_number": "+18005550199",
        "traceparent": None,
        "audio_rate": 24000,
    }
    return SessionDescriptor(**values | changed)


def agent(instructions: str) -> VoiceLiveAgent:
    return VoiceLiveAgent(name="reception", model="gpt-realtime", instructions=instructions)


def test_a_descriptor_comes_back_from_the_queue_as_it_went_in() -> None:
    one = descriptor(caller_name="Zoë <b>&amp;</b> \u0085 \ud800 \ufffe", caller="anonymous")
    assert SessionDescriptor.from_json(one.to_json()) == one


@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=50))
def test_any_text_survives_the_xml_of_a_queue_message(words: str) -> None:
    one = descriptor(agent=agent(words))
    message = ElementTree.Element("MessageText")
    message.text = one.to_json()
    received = ElementTree.fromstring(ElementTree.tostring(message, "utf-8")).text
    assert received is not None
    assert SessionDescriptor.from_json(received) == one


def test_texts_too_long_for_the_queue_are_refused_with_the_agents_name() -> None:
    assert len(descriptor(agent=agent("x" * 60_000)).to_json()) < 64 * 1024
    with pytest.raises(DescriptorError, match="shorten the texts of agent 'reception'"):
        descriptor(agent=agent("x" * 65_000)).to_json()
    with pytest.raises(DescriptorError, match="bytes"):
        descriptor(agent=agent("日" * 22_000)).to_json()
    with pytest.raises(DescriptorError, match="bytes"):  # three times as long inside XML
        descriptor(agent=agent("&" * 22_000)).to_json()


def changed_json(**changed: Any) -> str:
    return json.dumps(json.loads(descriptor().to_json()) | changed)


def without(name: str) -> str:
    fields = json.loads(descriptor().to_json())
    del fields[name]
    return json.dumps(fields)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON"),
        ("PG5vdCBqc29uPg==", "not JSON"),
        ("[" * 60_000, "not JSON"),
        ("[]", "not a JSON object"),
        ("{}", "version NoneType is unknown"),
        ("x" * 70_000, "oversized"),
        (changed_json(version=2), "version 2 is unknown here, only 1 is known"),
        (changed_json(version="secret"), "version str is unknown"),
        (without("caller"), "missing: caller"),
        (changed_json(call_id="../../etc/passwd"), "malformed: call_id"),
        (changed_json(rung_at="now", audio_rate=8000), "malformed: rung_at, audio_rate"),
        (changed_json(rung_at=float("nan")), "malformed: rung_at"),
        (changed_json(fallback_number=5), "malformed: fallback_number"),
        (changed_json(agent="reception"), "malformed: agent"),
        (changed_json(agent={"bridge": "carrier_pigeon"}), "agent"),
    ],
)
def test_anything_else_on_the_queue_is_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(DescriptorError, match=re.escape(reason)):
        SessionDescriptor.from_json(text)


def test_a_field_that_a_later_release_added_is_passed_over() -> None:
    assert SessionDescriptor.from_json(changed_json(mood="sunny")) == descriptor()


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=5))
def test_no_value_in_any_field_makes_reading_raise_anything_else(value: object) -> None:
    for one in dataclasses.fields(SessionDescriptor):
        with contextlib.suppress(DescriptorError):
            SessionDescriptor.from_json(changed_json(**{one.name: value}))


def test_a_call_id_is_the_events_utc_date_and_a_hash() -> None:
    assert re.fullmatch(r"20261118-[0-9a-f]{24}", CALL_ID)
    assert is_call_id(CALL_ID)


@pytest.mark.parametrize(
    "changed",
    [("other", "4:+18662315126", CONTEXT), ("19e93701", "4:+1", CONTEXT), ("19e93701", "4:+1", "")],
)
def test_another_leg_number_or_context_is_another_call(changed: tuple[str, str, str]) -> None:
    assert call_id_of(RUNG_AT, *changed) != CALL_ID


def test_fields_do_not_run_into_each_other_in_a_call_id() -> None:
    assert call_id_of(RUNG_AT, "a", "b", "c") != call_id_of(RUNG_AT, "ab", "", "c")


@pytest.mark.parametrize(
    "text", ["", "20261118", CALL_ID + "\n", CALL_ID.upper(), "٢٠٢٦١١١٨-" + "0" * 24, "/" + CALL_ID]
)
def test_other_shapes_are_no_call_ids(text: str) -> None:
    assert not is_call_id(text)


def test_every_attempt_derives_the_same_tokens_and_strangers_cannot() -> None:
    media = derive_token(CONTEXT, "media", CALL_ID)
    assert media == derive_token(CONTEXT, "media", CALL_ID)
    assert is_token(media)
    others = {
        derive_token(CONTEXT, "callback", CALL_ID),
        derive_token(CONTEXT, "media", CALL_ID.replace("-", "-0")[:33]),
        derive_token(CONTEXT + "x", "media", CALL_ID),
    }
    assert len(others | {media}) == 4


def test_a_token_opens_only_its_own_call() -> None:
    media = derive_token(CONTEXT, "media", CALL_ID)
    callback = derive_token(CONTEXT, "callback", CALL_ID)
    assert tokens_match(media, token_hash(media))
    assert not tokens_match(callback, token_hash(media))
    assert not tokens_match("ключ", token_hash(media))


def test_the_repeatability_id_is_a_uuid_that_does_not_show_the_token() -> None:
    token = derive_token(CONTEXT, "callback", CALL_ID)
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", repeatability_id(token))
    assert repeatability_id(token) == repeatability_id(token)


def test_a_received_trace_is_continued_and_a_broken_one_replaced() -> None:
    received = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert traceparent_of(CALL_ID, received) == received
    made = traceparent_of(CALL_ID, "00-" + "0" * 32 + "-b7ad6b7169203331-01")
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", made)
    assert made == traceparent_of(CALL_ID, None)
