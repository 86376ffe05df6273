"""One clause of text as the SSML document that Azure Speech is to speak.

The text is a model's and may hold anything; the document is well-formed all the same, and no word
of it becomes markup: what XML reserves is escaped, what XML forbids is left out. Elements and their
order as in the Azure Speech documentation ("SSML document structure", "Customize voice and sound",
"Pronunciation with SSML").
"""

import re
from typing import Protocol
from xml.sax.saxutils import escape, quoteattr

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_OWN_LOCALE = re.compile(r"[a-z]{2,3}-(?:[A-Z][a-z]{3}-)?(?:[A-Z]{2}|[0-9]{3})(?=-)")


class Voiced(Protocol):
    """What is asked of a voice here; an agent's `SpeechVoice` has it."""

    @property
    def name(self) -> str:
        """`en-US-AvaMultilingualNeural`, or the name of a custom voice."""

    @property
    def locale(self) -> str | None:
        """The language to speak; None: the voice's own."""

    @property
    def style(self) -> str | None:
        """A speaking style of the voice, such as `cheerful`."""

    @property
    def style_degree(self) -> float | None:
        """How much of the style: 0.01 to 2."""

    @property
    def rate(self) -> str | None:
        """`+10%`, `0.9`, `slow` …"""

    @property
    def pitch(self) -> str | None:
        """`-5%`, `+2st`, `low` …"""

    @property
    def volume(self) -> str | None:
        """`+10%`, `soft`, `80` …"""

    @property
    def lexicon_url(self) -> str | None:
        """Where the custom lexicon lies."""


def ssml(voice: Voiced, text: str) -> str:
    """The SSML document in which `voice` speaks `text`, with the voice's style and prosody."""
    own = locale_of(voice.name)
    body = escape(_NO_XML.sub("", text))
    body = _wrapped("prosody", body, rate=voice.rate, pitch=voice.pitch, volume=voice.volume)
    degree = None if voice.style_degree is None else f"{voice.style_degree:g}"
    if voice.style is not None:
        body = _wrapped("mstts:express-as", body, style=voice.style, styledegree=degree)
    if voice.locale is not None and voice.locale != own:
        body = f"<lang xml:lang={_quoted(voice.locale)}>{body}</lang>"
    if voice.lexicon_url is not None:
        body = f"<lexicon uri={_quoted(voice.lexicon_url)}/>{body}"
    return (
        '<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis"'
        ' xmlns:mstts="http://www.w3.org/2001/mstts"'
        f" xml:lang={_quoted(voice.locale or own or 'en-US')}>"
        f"<voice name={_quoted(voice.name)}>{body}</voice></speak>"
    )


def locale_of(voice_name: str) -> str | None:
    """The locale that a standard voice's name begins with (`de-DE-KatjaNeural`: `de-DE`); None for
    a custom voice, whose name says nothing."""
    found = _OWN_LOCALE.match(voice_name)
    return found[0] if found else None


def _wrapped(element: str, body: str, **attributes: str | None) -> str:
    given = "".join(f" {k}={_quoted(v)}" for k, v in attributes.items() if v is not None)
    return f"<{element}{given}>{body}</{element}>" if given else body


def _quoted(value: str) -> str:
    return quoteattr(_NO_XML.sub("", value))
