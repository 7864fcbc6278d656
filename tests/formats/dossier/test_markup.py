"""A text is escaped in the page wherever it has to be, and only there."""

from __future__ import annotations

import sys
from html import unescape

from hypothesis import given
from hypothesis import strategies as st

from datasette_program_export.formats.dossier.page.markup import text

_ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;", "\r": "\n", "\x7f": "\u2421"}


def _shown(sign: str) -> str:
    """What stands in the page for one sign, by the rules of HTML."""
    code = ord(sign)
    if sign in _ESCAPED:
        return _ESCAPED[sign]
    if code < 0x20 and sign not in "\t\n":
        return chr(0x2400 + code)
    unheld = 0x7F < code < 0xA0 or 0xD800 <= code < 0xE000 or 0xFDD0 <= code < 0xFDF0 or code in (0xFFFE, 0xFFFF)
    return "\ufffd" if unheld else sign


def test_every_sign_stands_in_a_page_as_html_can_hold_it() -> None:
    signs = [*range(0x11000), sys.maxunicode]
    assert [hex(code) for code in signs if text(chr(code)) != _shown(chr(code))] == []
    assert [hex(code) for code in signs if text(f"a{chr(code)}b") != f"a{_shown(chr(code))}b"] == []


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cn"))))
def test_a_text_is_read_back_as_it_was(value: str) -> None:
    assert unescape(text(value)) == value
