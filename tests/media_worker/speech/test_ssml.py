from dataclasses import dataclass
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_worker.speech.ssml import locale_of, ssml

SYNTHESIS = "{http://www.w3.org/2001/10/synthesis}"
MSTTS = "{http://www.w3.org/2001/mstts}"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


@dataclass(frozen=True)
class Voice:
    name: str = "en-US-AvaMultilingualNeural"
    locale: str | None = None
    style: str | None = None
    style_degree: float | None = None
    rate: str | None = None
    pitch: str | None = None
    volume: str | None = None
    lexicon_url: str | None = None


def parsed(voice: Voice, text: str) -> ElementTree.Element:
    return ElementTree.fromstring(ssml(voice, text))


def test_a_bare_voice_gets_the_text_and_nothing_else() -> None:
    assert ssml(Voice(), "Hello & welcome") == (
        '<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis"'
        ' xmlns:mstts="http://www.w3.org/2001/mstts" xml:lang="en-US">'
        '<voice name="en-US-AvaMultilingualNeural">Hello &amp; welcome</voice></speak>'
    )


def test_style_prosody_and_lexicon_stand_where_azure_speech_wants_them() -> None:
    voice = Voice(
        style="cheerful",
        style_degree=1.5,
        rate="+10%",
        pitch="low",
        volume="80",
        lexicon_url="https://x.example/l.xml?a=1&b=2",
    )
    spoken = parsed(voice, "Hi").find(f"{SYNTHESIS}voice")
    assert spoken is not None
    lexicon, style = spoken
    assert (lexicon.tag, lexicon.attrib) == (
        f"{SYNTHESIS}lexicon",
        {"uri": "https://x.example/l.xml?a=1&b=2"},
    )
    assert (style.tag, style.attrib) == (
        f"{MSTTS}express-as",
        {"style": "cheerful", "styledegree": "1.5"},
    )
    assert (style[0].tag, style[0].attrib) == (
        f"{SYNTHESIS}prosody",
        {"rate": "+10%", "pitch": "low", "volume": "80"},
    )
    assert style[0].text == "Hi"


def test_a_multilingual_voice_is_told_to_speak_another_language() -> None:
    root = parsed(Voice(locale="de-DE"), "Guten Tag")
    assert root.attrib[XML_LANG] == "de-DE"
    spoken = root[0][0]
    assert (spoken.tag, spoken.attrib) == (f"{SYNTHESIS}lang", {XML_LANG: "de-DE"})
    assert ssml(Voice(locale="en-US"), "Hi") == ssml(Voice(), "Hi")


def test_a_degree_without_a_style_says_nothing() -> None:
    assert ssml(Voice(style_degree=2.0), "Hi") == ssml(Voice(), "Hi")


@pytest.mark.parametrize(
    ("name", "locale"),
    [
        ("de-DE-KatjaNeural", "de-DE"),
        ("zh-CN-liaoning-XiaobeiNeural", "zh-CN"),
        ("sr-Latn-RS-NicholasNeural", "sr-Latn-RS"),
        ("fil-PH-AngeloNeural", "fil-PH"),
        ("Harbour Brand", None),
    ],
)
def test_a_standard_voices_name_tells_its_locale(name: str, locale: str | None) -> None:
    assert locale_of(name) == locale


ANYTHING = st.text() | st.text("<>&'\"]![CDATA-?/\x00\x08\ufffe\ud800 a", max_size=40)
VOICES = st.builds(
    Voice,
    name=ANYTHING,
    locale=st.none() | ANYTHING,
    style=st.none() | ANYTHING,
    style_degree=st.none() | st.floats(0.01, 2),
    rate=st.none() | ANYTHING,
    pitch=st.none() | ANYTHING,
    volume=st.none() | ANYTHING,
    lexicon_url=st.none() | ANYTHING,
)
ELEMENTS = {
    f"{SYNTHESIS}speak",
    f"{SYNTHESIS}voice",
    f"{SYNTHESIS}lexicon",
    f"{SYNTHESIS}lang",
    f"{SYNTHESIS}prosody",
    f"{MSTTS}express-as",
}


@given(VOICES, ANYTHING)
def test_whatever_model_and_settings_hold_the_document_is_well_formed_and_only_ours(
    voice: Voice, text: str
) -> None:
    root = parsed(voice, text)
    tags = [element.tag for element in root.iter()]
    assert set(tags) <= ELEMENTS
    assert len(tags) == len(set(tags))


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")))
def test_every_word_that_xml_can_hold_is_spoken_as_written(text: str) -> None:
    assert "".join(parsed(Voice(rate="+5%"), text).itertext()) == text


def test_a_model_cannot_break_out_of_its_text() -> None:
    evil = '</prosody></voice><voice name="x"><audio src="https://evil.example/a.wav"/>'
    root = parsed(Voice(rate="+5%"), evil)
    assert [element.tag for element in root.iter()] == [
        f"{SYNTHESIS}speak",
        f"{SYNTHESIS}voice",
        f"{SYNTHESIS}prosody",
    ]
    assert "".join(root.itertext()) == evil
