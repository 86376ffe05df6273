"""Reads SSML as the service does, and refuses what it would refuse. No I/O.

Source: "SSML document structure and events" and "Customize voice and sound with SSML". The
service closes the connection with 1007 and a reason; the reasons here are our own words.
"""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass

from simulator.speech_service_wire import Breach

SYNTHESIS = "http://www.w3.org/2001/10/synthesis"
MSTTS = ("http://www.w3.org/2001/mstts", "https://www.w3.org/2001/mstts")
VOICES_LIMIT = 50
"""Speech service quotas: distinct voice and audio elements in one document."""
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_ELEMENTS = frozenset(
    {
        *("speak", "voice", "p", "s", "w", "break", "prosody", "emphasis", "say-as", "phoneme"),
        *("sub", "lexicon", "audio", "desc", "bookmark", "mark", "math"),
    }
)
_MSTTS_ELEMENTS = frozenset(
    {
        *("express-as", "silence", "viseme", "prompt", "dialog", "turn", "audioduration"),
        *("backgroundaudio", "embedding", "ttsembedding", "voiceconversion"),
    }
)
_PROSODY = {
    "rate": r"x-slow|slow|medium|fast|x-fast|default|[+-]?\d+(\.\d+)?%?",
    "pitch": r"x-low|low|medium|high|x-high|default|[+-]?\d+(\.\d+)?(Hz|st|%)",
    "volume": r"silent|x-soft|soft|medium|loud|x-loud|default|[+-]?\d+(\.\d+)?(%|dB)?",
}


@dataclass(frozen=True)
class Document:
    """What is to be said, by whom and how; of several voices, the first one's manner."""

    voices: tuple[str, ...]
    text: str
    locale: str
    manner: tuple[tuple[str, str], ...] = ()
    """Such as ("style", "chat"), ("rate", "+5%"), ("lexicon", "https://…")."""


def read_ssml(ssml: str) -> Document:
    """Raises Breach (1007) for what is not well formed, or not SSML as the service takes it."""
    if "<!DOCTYPE" in ssml or "<!ENTITY" in ssml:
        raise Breach(1007, "SSML: a document type is not allowed")
    try:
        root = ElementTree.fromstring(ssml)
    except ElementTree.ParseError as error:
        raise Breach(1007, f"SSML is not well-formed XML: {error}") from None
    if root.tag != f"{{{SYNTHESIS}}}speak":
        raise Breach(1007, f"SSML: the root is speak, of the namespace {SYNTHESIS}")
    if root.get("version") != "1.0":
        raise Breach(1007, "SSML: speak needs version='1.0'")
    locale = root.get(_LANG)
    if not locale:
        raise Breach(1007, "SSML: speak needs xml:lang")
    if _bare(root):
        raise Breach(1007, "SSML: text stands outside of voice")
    voices = [_checked(element) for element in root.iter() if _is(element, "voice")]
    if not voices:
        raise Breach(1007, "SSML: speak needs a voice")
    if len(voices) > VOICES_LIMIT:
        raise Breach(1007, f"SSML: more than {VOICES_LIMIT} voice elements")
    manner = tuple(pair for element in root.iter() for pair in _manner(element))
    return Document(tuple(voices), " ".join("".join(_said(root)).split()), locale, manner)


def _bare(root: ElementTree.Element) -> bool:
    around = [root.text, *(child.tail for child in root)]
    return any(text and text.strip() for text in around)


def _is(element: ElementTree.Element, name: str) -> bool:
    return element.tag == f"{{{SYNTHESIS}}}{name}"


def _checked(voice: ElementTree.Element) -> str:
    name = voice.get("name")
    if not name:
        raise Breach(1007, "SSML: voice needs a name")
    return name


def _manner(element: ElementTree.Element) -> Iterator[tuple[str, str]]:
    namespace, _, name = str(element.tag).lstrip("{").rpartition("}")
    known = _MSTTS_ELEMENTS if namespace in MSTTS else _ELEMENTS
    if namespace not in (SYNTHESIS, *MSTTS) or name not in known:
        raise Breach(1007, f"SSML: {name} is not an element of SSML")
    if name == "express-as":
        yield from _expression(element)
    elif name == "prosody":
        for key, value in element.attrib.items():
            if key in _PROSODY and not re.fullmatch(_PROSODY[key], value):
                raise Breach(1007, f"SSML: prosody {key}='{value}' is not one that exists")
            yield key, value
    elif name == "lexicon":
        uri = element.get("uri", "")
        if not uri.startswith(("https://", "http://")):
            raise Breach(1007, "SSML: lexicon needs the uri of a file that the service can fetch")
        yield "lexicon", uri


def _expression(element: ElementTree.Element) -> Iterator[tuple[str, str]]:
    style, degree = element.get("style"), element.get("styledegree")
    if style:
        yield "style", style
    if degree is not None:
        if not re.fullmatch(r"\d+(\.\d+)?", degree) or not 0.01 <= float(degree) <= 2:
            raise Breach(1007, f"SSML: styledegree='{degree}' is not between 0.01 and 2")
        yield "style_degree", degree


def _said(element: ElementTree.Element) -> Iterator[str]:
    if _is(element, "sub"):
        yield element.get("alias", "")
    elif not _is(element, "desc"):
        yield element.text or ""
        for child in element:
            yield from _said(child)
            yield child.tail or ""
    if _is(element, "voice") or _is(element, "p") or _is(element, "s") or _is(element, "break"):
        yield " "
