"""Text in a picture: how wide it is at most, shortened to fit, and safe inside SVG."""

from __future__ import annotations

import unicodedata
from xml.sax.saxutils import escape, quoteattr

_NARROW, _WIDE, _ASCII = 0.72, 1.1, 0.6  # parts of the font's size: more than common fonts take
# They turn the direction of all that follows, or are no characters at all
_TURNING = set(map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F]))


def clean(text: str) -> str:
    """The text without what XML cannot hold or what would turn its neighbours round."""
    return "".join("\N{REPLACEMENT CHARACTER}" if _unfit(character) else character for character in text)


def _unfit(character: str) -> bool:
    return character in _TURNING or unicodedata.category(character) in ("Cc", "Cs", "Cn", "Co")


def width(text: str, size: int) -> int:
    """How wide the text is in a font of this size, rather too much than too little."""
    return round(sum(map(_part, text)) * size + 0.5)


def _part(character: str) -> float:
    if unicodedata.combining(character):
        return 0.0
    if character in "mwMW@%":
        return 0.95
    if character.isascii():
        return _ASCII
    return _WIDE if unicodedata.east_asian_width(character) in "WF" else _NARROW


def fitted(text: str, size: int, most: int) -> str:
    """The text, cut and ended with … where it is wider than ``most``."""
    text = clean(text)
    if width(text, size) <= most:
        return text
    while text and width(text + "…", size) > most:
        text = text[: -1 if len(text) < 80 else len(text) - 40]
    return text.rstrip() + "…"


def escaped(text: str) -> str:
    """The text as the content of an element."""
    return escape(clean(text))


def attribute(text: str) -> str:
    """The text as an attribute's value, in its quotes."""
    return quoteattr(clean(text))
