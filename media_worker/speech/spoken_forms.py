"""How a person would say one written word: addresses of web and mail, marks, pictures.

A word is what stands between two white spaces (a tag or a link's target may hold some). The
words used instead of signs are those of the agent's language, English where it is not known.
"""

import html
import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Said:
    """What is said for signs, in one language."""

    dot: str
    at: str
    slash: str
    dash: str
    underscore: str
    times: str
    about: str
    number: str
    code: str
    """In place of a block of code."""


SAID: Final = {
    "en": Said(
        "dot", "at", "slash", "dash", "underscore", "times", "about", "number",
        "There is some code here that I can't read out.",
    ),
    "de": Said(
        "Punkt", "at", "Schrägstrich", "Minus", "Unterstrich", "mal", "etwa", "Nummer",
        "Hier steht Programmcode, den ich nicht vorlesen kann.",
    ),
    "fr": Said(
        "point", "arobase", "barre oblique", "tiret", "tiret bas", "fois", "environ", "numéro",
        "Il y a ici du code que je ne peux pas lire à voix haute.",
    ),
    "es": Said(
        "punto", "arroba", "barra", "guion", "guion bajo", "por", "unos", "número",
        "Aquí hay código que no puedo leer en voz alta.",
    ),
    "it": Said(
        "punto", "chiocciola", "barra", "trattino", "trattino basso", "per", "circa", "numero",
        "Qui c'è del codice che non posso leggere ad alta voce.",
    ),
}  # fmt: skip

_TAG = re.compile(r"</?([A-Za-z!?][A-Za-z0-9:-]*)[^<>]*>")
_PARTING = frozenset(("br", "p", "div", "li", "tr", "td", "th", "hr", "break"))
_ENTITY = re.compile(r"&#?\w{1,31};")
_EMOTICON = re.compile(r"[:;][-^']?[)(DPp|*]+|<3+|\^_*\^")
_TARGET = re.compile(r"\]\((?:[^()]|\([^()]*\))*\)|\]\[[^\[\]]*\]")
_CITATION = re.compile(r"\[\^?\d+(?:[,–-]\d+)*\]|\[\^[^\[\]]*\]|【[^】]*】")
_AUTOLINK = re.compile(r"<((?:https?://|mailto:)[^<>\s]+|[^<>\s@]+@[^<>\s]+)>")
_ADDRESS = re.compile(
    r"(?<![^\W_])(?:https?://|www\.)[^\s<>\"'“”«»]+|(?:mailto:)?[\w.+%-]+@[\w-]+(?:\.[\w-]+)+",
    re.IGNORECASE,
)
_ESCAPED = re.compile(r"\\(?=[!-/:-@\[-`{-~])")
_PICTURES = re.compile(
    "[\u200b-\u200d\u2060\ufe0e\ufe0f\u20e3\u2190-\u21ff\u2300-\u23ff\u2500-\u27bf\u2900-\u297f"
    "\u2b00-\u2bff\u3030\u303d\u3297\u3299\ue000-\uf8ff\ufeff\U000e0000-\U000e007f"
    "\U0001f000-\U0001faff]"
)
_TIMES = re.compile(r"(?<=\d)[*×](?=\d)")
_ABOUT = re.compile(r"~(?=[\d$€£])")
_NUMBER_SIGN = re.compile(r"(?<!\w)#(?=\d)")
_HASHTAG = re.compile(r"(?<!\w)#(?=\w)")
_INNER_UNDERSCORES = re.compile(r"(?<=\w)_+(?=\w)")
_MARKUP = re.compile(r"[*`\[\]_{}|\\]+|~~")
_SCHEME = re.compile(r"(?:https?://)?(?:www\.)?", re.IGNORECASE)
_URL_END = ".,;:!?)]}*_`~'\"”»"
_PATH_PARTS, _PATH_PART_LENGTH = 2, 24


def spoken(word: str, said: Said) -> str:
    """What is said for `word`; empty when nothing is. Letters that the word begins with are what
    the answer begins with, unless they are `http`, `www` or `mailto` or go on from there."""
    word = _PICTURES.sub("", word)
    if _EMOTICON.fullmatch(word):
        return ""
    word = _TAG.sub(_instead_of_tag, _AUTOLINK.sub(r"\1", word))
    word = _ENTITY.sub(lambda entity: html.unescape(entity[0]), word)
    word = _TARGET.sub("", _CITATION.sub("", word))
    pieces, end = [], 0
    for found in _ADDRESS.finditer(word):
        address = found[0].rstrip(_URL_END)
        if "(" in address and found[0].startswith(f"{address})"):
            address += ")"
        pieces += [
            _plain(word[end : found.start()], said),
            _MARKUP.sub("", _address(address, said)),
        ]
        end = found.start() + len(address)
    pieces.append(_plain(word[end:], said))
    return " ".join("".join(pieces).split())


def _instead_of_tag(tag: re.Match[str]) -> str:
    return " " if tag[1].lower() in _PARTING else ""


def _plain(text: str, said: Said) -> str:
    text = _ESCAPED.sub("", text)
    text = _TIMES.sub(f" {said.times} ", text)
    text = _ABOUT.sub(f"{said.about} ", text)
    text = _HASHTAG.sub("", _NUMBER_SIGN.sub(f"{said.number} ", text))
    return _MARKUP.sub("", _INNER_UNDERSCORES.sub(" ", text))


def _address(text: str, said: Said) -> str:
    if "@" in text and "/" not in text:
        name, host = re.sub("(?i)^mailto:", "", text).rsplit("@", 1)
        signs = ((".", said.dot), ("_", said.underscore), ("-", said.dash), ("+", "plus"))
        for sign, word in signs:
            name = name.replace(sign, f" {word} ")
        return f"{name} {said.at} {_host(host, said)}"
    bare = re.split("[?#]", _SCHEME.sub("", text, count=1))[0]
    host, *path = [part for part in bare.split("/") if part] or [""]
    spoken_host = _host(host.rsplit("@", 1)[-1].split(":")[0], said)
    if len(path) > _PATH_PARTS or not all(map(_sayable, path)):
        return spoken_host
    return f" {said.slash} ".join((spoken_host, *(part.replace("-", " ") for part in path)))


def _host(host: str, said: Said) -> str:
    return f" {said.dot} ".join(part for part in host.split(".") if part)


def _sayable(part: str) -> bool:
    return len(part) <= _PATH_PART_LENGTH and part.replace("-", "").isalpha()
