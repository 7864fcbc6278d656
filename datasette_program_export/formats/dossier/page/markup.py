"""Makes HTML of texts that may hold anything: each is escaped here, and nothing else writes a value."""

from __future__ import annotations

import re
from functools import cache
from html import escape
from typing import Any

_UNSHOWN = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff"
_CONTROLS = re.compile(f"[{_UNSHOWN}]")
_needs_escape = re.compile(f"[&<>\"'\r{_UNSHOWN}]").search
# what makes a text look like Markdown at first sight: without one of these it is left as it is
_MARKS = re.compile(
    r"^(#{1,6} |[-*+] |\d{1,3}[.)] |> |```)|\*\*\S|__\S|(?<!\w)[*_]\S[^*_\n]*[*_](?!\w)|`[^`\n]+`|\]\(https?://|^\|.+\|",
    re.MULTILINE,
)
_SAFE_LINK = re.compile(r"(https?://|mailto:)", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://[^\s<>\"']{3,500}")
_TAG = re.compile(r"<[^>]*>")
_ROOM = 100  # characters of a line of a table on A4


def text(value: str) -> str:
    """Return a text for HTML, also within an attribute. Signs that HTML cannot hold are shown as pictures of them."""
    if _needs_escape(value) is None:  # as most are; all the rest takes four times longer
        return value
    return escape(_CONTROLS.sub(_picture, value.replace("\r\n", "\n").replace("\r", "\n")))


def _picture(found: re.Match[str]) -> str:
    code = ord(found.group())
    return chr(0x2400 + code) if code < 0x20 else "\u2421" if code == 0x7F else "\ufffd"


def paragraphs(value: str) -> str:
    """Return a text of several lines as HTML: as Markdown where it is written so, else as it is."""
    if _MARKS.search(value) and (made := _markdown(value)) is not None:
        return f'<div class="prose" dir="auto">{made}</div>'
    return f'<div class="prose plain" dir="auto">{text(value)}</div>'


def cell(shown: str, columns: int, attributes: str = "", tag: str = "td") -> str:
    """Return a cell of a table of so many columns; ``shown`` is HTML.

    On paper a word is broken only in a cell marked ``long``: one with a word that would push the table off the page."""
    words = _TAG.sub(" ", shown).split()
    long = ' class="long"' if any(len(word) > max(20, _ROOM // columns) for word in words) else ""
    return f"<{tag}{attributes}{long}>{shown}</{tag}>"


def is_address(value: str) -> bool:
    """Return whether a text is an address of the web and nothing else."""
    return _ADDRESS.fullmatch(value) is not None


def link_out(address: str, shown: str | None = None) -> str:
    """Return a link that leaves the page, and tells the other side nothing of it."""
    return f'<a href="{text(address)}" rel="noopener noreferrer nofollow">{text(shown or address)}</a>'


def _markdown(value: str) -> str | None:
    """Return Markdown as HTML without any HTML of its own, pictures or odd links; None where no library is there."""
    parser = _parser()
    if parser is None or len(value) > 200_000:
        return None
    return str(parser.render(_CONTROLS.sub(_picture, value)))


@cache
def _parser() -> Any:
    try:
        from markdown_it import MarkdownIt
    except ImportError:
        return None
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("table").disable("image")
    parser.validateLink = lambda url: _SAFE_LINK.match(url) is not None  # type: ignore[method-assign]
    for name in ("heading_open", "heading_close"):  # the page has headings of its own
        parser.add_render_rule(name, _heading)
    parser.add_render_rule("link_open", _link)
    return parser


def _heading(renderer: Any, tokens: Any, place: int, options: Any, env: Any) -> str:
    return '<p class="heading">' if tokens[place].nesting > 0 else "</p>\n"


def _link(renderer: Any, tokens: Any, place: int, options: Any, env: Any) -> str:
    tokens[place].attrSet("rel", "noopener noreferrer nofollow")
    return str(renderer.renderToken(tokens, place, options, env))
