"""Text in a picture: measured, shortened to fit, escaped for SVG."""

from __future__ import annotations

import unicodedata
from xml.sax.saxutils import escape, quoteattr

_BROAD = "mwMW@%"
_NARROW, _WIDE, _ASCII, _BROAD_ASCII = (
    0.72,
    1.1,
    0.6,
    0.95,
)  # widths relative to the font size: more than in common fonts
# Direction marks and overrides, which change the direction of the text that follows
_TURNING = set(map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F]))


def clean(text: str) -> str:
    """Replace characters that XML cannot hold, or that would change the direction of the text around them."""
    if text.isascii() and text.isprintable():  # nearly every text of a picture
        return text
    return "".join("\N{REPLACEMENT CHARACTER}" if _unfit(character) else character for character in text)


def _unfit(character: str) -> bool:
    return character in _TURNING or unicodedata.category(character) in ("Cc", "Cs", "Cn", "Co")


def width(text: str, size: int) -> int:
    """Return the width of the text in a font of this size, overestimated rather than underestimated."""
    if text.isascii():  # nearly every text of a picture
        return round((len(text) * _ASCII + sum(map(text.count, _BROAD)) * (_BROAD_ASCII - _ASCII)) * size + 0.5)
    return round(sum(map(_part, text)) * size + 0.5)


def _part(character: str) -> float:
    if unicodedata.combining(character):
        return 0.0
    if character in _BROAD:
        return _BROAD_ASCII
    if character.isascii():
        return _ASCII
    return _WIDE if unicodedata.east_asian_width(character) in "WF" else _NARROW


def fitted(text: str, size: int, most: int) -> str:
    """Return the text, its middle replaced by … if it is wider than ``most``: many tables begin with the same words."""
    text = clean(text)
    if width(text, size) <= most:
        return text
    left = min(len(text) - 1, most)  # number of characters to keep
    while left and width(_shortened(text, left), size) > most:
        left -= 1
    return _shortened(text, left)


def _shortened(text: str, left: int) -> str:
    end = left // 3
    return text[: left - end].rstrip() + "…" + text[len(text) - end :].lstrip()


def escaped(text: str) -> str:
    """Return the text escaped as the content of an element."""
    return escape(clean(text))


def attribute(text: str) -> str:
    """Return the text as a quoted attribute value."""
    return quoteattr(clean(text))
