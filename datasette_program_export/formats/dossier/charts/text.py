"""Stored text in a picture or a table: without characters that a document cannot hold, shortened, escaped."""

from __future__ import annotations

import html
import re
import unicodedata

_LONGEST = 60  # characters of a name
# Direction marks and overrides, which change the direction of the text that follows
_TURNING = set(map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x061C, 0x200E, 0x200F]))


def clean(text: str) -> str:
    """Replace characters that XML cannot hold, or that would change the direction of the text around them."""
    if text.isascii() and text.isprintable():  # nearly every text of a chart
        return text
    return "".join("\N{REPLACEMENT CHARACTER}" if _unfit(character) else character for character in text)


def _unfit(character: str) -> bool:
    return character in _TURNING or unicodedata.category(character) in ("Cc", "Cs", "Cn", "Co")


def shortened(name: str) -> str:
    """Return a stored name, clean and at most 60 characters long; what is cut is shown by …."""
    return clean(name) if len(name) <= _LONGEST else clean(name[: _LONGEST - 1]) + "…"


def escaped(text: str) -> str:
    """Return the text as the content of an element or a quoted attribute."""
    return html.escape(clean(text))


def initials(name: str) -> str:
    """Return two or three letters for a point that has no glyph: of its words, or the first two of its only word."""
    words = re.findall(r"[^\W_]+", name)
    if not words:
        return "?"
    return words[0][:2].capitalize() if len(words) == 1 else "".join(word[0] for word in words[:3]).upper()
