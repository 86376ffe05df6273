"""What the service takes for SSML, and what it closes the connection for."""

import pytest

from simulator.speech_service_ssml import read_ssml
from simulator.speech_service_wire import Breach

OPEN = (
    "<speak version='1.0' xmlns='http://www.w3.org/2001/10/synthesis'"
    " xmlns:mstts='http://www.w3.org/2001/mstts' xml:lang='en-US'>"
)


def _speak(inner: str) -> str:
    return f"{OPEN}{inner}</speak>"


def _voice(inner: str) -> str:
    return _speak(f"<voice name='V'>{inner}</voice>")


def test_text_is_what_a_listener_hears() -> None:
    document = read_ssml(
        _voice("Fish &amp; <sub alias='kilometres'>km</sub><break time='1s'/> now,<p>then</p>.")
    )
    assert document.text == "Fish & kilometres now,then ."
    assert (document.voices, document.locale) == (("V",), "en-US")


def test_the_manner_of_speaking_is_kept() -> None:
    document = read_ssml(
        _voice(
            "<lexicon uri='https://x.example/l.xml'/><mstts:express-as style='sad' styledegree='2'>"
            "<prosody rate='-10%' pitch='+2st' volume='loud'>Oh.</prosody></mstts:express-as>"
        )
    )
    assert dict(document.manner) == {
        "lexicon": "https://x.example/l.xml",
        "style": "sad",
        "style_degree": "2",
        "rate": "-10%",
        "pitch": "+2st",
        "volume": "loud",
    }


@pytest.mark.parametrize(
    ("ssml", "reason"),
    [
        (_voice("a & b"), "well-formed"),
        (_voice("<prosody>"), "well-formed"),
        ("", "well-formed"),
        ("<!DOCTYPE speak []>" + _voice("x"), "document type"),
        (_voice("x").replace("2001/10/synthesis", "other"), "namespace"),
        (_voice("x").replace("'1.0'", "'2.0'"), "version"),
        (_voice("x").replace(" xml:lang='en-US'", ""), "xml:lang"),
        (_speak("x"), "outside of voice"),
        (_speak(""), "needs a voice"),
        (_speak("<voice>x</voice>"), "name"),
        (_speak("<voice name='V'>x</voice>" * 51), "50"),
        (_voice("<shout>x</shout>"), "shout"),
        (_voice("<mstts:shout>x</mstts:shout>"), "shout"),
        (_voice("<prosody rate='quick'>x</prosody>"), "rate='quick'"),
        (_voice("<prosody pitch='5'>x</prosody>"), "pitch='5'"),
        (_voice("<mstts:express-as style='sad' styledegree='3'>x</mstts:express-as>"), "degree"),
        (_voice("<lexicon uri='l.xml'/>x"), "uri"),
    ],
)
def test_faults_are_refused_with_their_reason(ssml: str, reason: str) -> None:
    with pytest.raises(Breach, match=reason) as caught:
        read_ssml(ssml)
    assert caught.value.code == 1007
