"""Text in a picture: measured, shortened to fit, escaped for SVG."""

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
    """The text, with … for its middle where it is wider than ``most``: many tables begin with the same words."""
    text = clean(text)
    if width(text, size) <= most:
        return text
    left = min(len(text) - 1, most)  # characters; a wide one takes more than one
    while left and width(_shortened(text, left), size) > most:
        left -= 1
    return _shortened(text, left)


def _shortened(text: str, left: int) -> str:
    end = left // 3
    return text[: left - end].rstrip() + "…" + text[len(text) - end :].lstrip()


def escaped(text: str) -> str:
    """The text as the content of an element."""
    return escape(clean(text))


def attribute(text: str) -> str:
    """The text as an attribute's value, in its quotes."""
    return quoteattr(clean(text))
